//! The codex CLI: `codex --version`, `codex exec`, `codex exec resume`, as `codex exec --json` was recorded.
//!
//! What differs between versions is data ([`CodexProfile`]): which arguments are spoken, which lines are printed, whether
//! standard input is read, what happens to an unknown thread, how a failing model shows. What is common is here. Threads are
//! files below the CLI's home, so that a resumed turn works across processes, and dies with the home.

mod arguments;
mod console;
mod refusal;
mod shell;
mod stdin;
mod stop;
mod talk;
mod template;
mod thread;
mod turn;

use std::rc::Rc;

use gauntlet_world::process::{Signal, Signals};
use gauntlet_world::{Either, Host, race};
use serde_json::json;

use self::arguments::Asked;
use self::console::Console;
use self::stop::Stop;
use self::turn::Turn;
use crate::cli::profile::Profile;
use crate::injection::{Injector, Point};
use crate::stage::{Ending, Invocation, Part, Purpose, Stage};

pub use self::arguments::{Arguments, CommandGrammar, OptionRule};
pub use self::talk::{
    CodexProfile, CommandTalk, Failing, FailureSteps, FailureTalk, Repeat, StdinTalk, Step, TokensPerCall,
    TurnKind, UnknownThread,
};
pub use self::template::{EventTemplate, Slot, Template, TemplateError};

/// The exit code of a CLI that was called in a way that it does not speak: what clap returns (recorded: the receiver's
/// `exited rc=2` for 0.44.0).
const EXIT_USAGE: i32 = 2;
/// The exit code after an interrupt (128 + SIGINT), as shells count it. Inferred; a receiver never sends one.
const EXIT_INTERRUPTED: i32 = 130;

/// Runs one codex process until it ends. Returns its exit code: 0 for a turn that ended well, also without an answer; 1 for a
/// failed turn; 2 for wrong usage. Which failure has which code on which version is data, with its source, in the profile.
pub async fn run(
    host: Host,
    profile: &Profile,
    talk: &CodexProfile,
    stage: Rc<dyn Stage>,
    injector: Injector,
) -> i32 {
    let began = host.clock().now();
    let asked = arguments::read(&talk.arguments, host.args());
    let stdin = stdin::open(&host).await;
    let part = stage
        .enter(Invocation {
            cli: profile.executor().to_owned(),
            args: host.args().to_vec(),
            env: host.environment().clone(),
            cwd: host.cwd().to_path_buf(),
            pid: host.pid().0,
            stdin_at_end: stdin.at_end,
            purpose: purpose(&asked),
        })
        .await;
    let console = Console::new(&host, &injector);
    let (outcome, session) = match asked {
        Asked::Probe => (probe(&host, profile, &part, &console).await, None),
        Asked::Refused(refusal) => (refuse(&console, &refusal.lines).await, None),
        Asked::Turn(request) => {
            let turn = Turn::new(&host, talk, &request, &part, &console, began);
            let outcome = stubborn(&host, &part, turn.play(stdin)).await;
            (outcome, turn.session())
        }
    };
    let code = match outcome {
        Ok(code) => match end(&host, &injector, &console, code).await {
            Ok(code) => code,
            Err(stop) => stop.code(),
        },
        Err(Stop::Mishap(text)) => {
            let _ = console.error_line(&text).await;
            Stop::Mishap(text).code()
        }
        Err(stop) => stop.code(),
    };
    let (stdout, stderr) = console.printed();
    stage.leave(Ending { pid: host.pid().0, session, stdout, stderr, code }).await;
    code
}

fn purpose(asked: &Asked) -> Purpose {
    match asked {
        Asked::Probe => Purpose::Probe,
        Asked::Turn(request) => {
            Purpose::Turn { prompt: request.prompt.clone(), session: request.session.clone() }
        }
        Asked::Refused(refusal) if refusal.real => Purpose::Refused(refusal.reason.clone()),
        Asked::Refused(refusal) => Purpose::Unplayed(refusal.reason.clone()),
    }
}

/// `codex --version`. The line is no event: it passes no point.
async fn probe(host: &Host, profile: &Profile, part: &Part, console: &Console<'_>) -> Result<i32, Stop> {
    if let Some(after) = part.after {
        host.clock().sleep(after.duration()).await;
    }
    console.raw_line(&format!("codex-cli {}", profile.version)).await?;
    for line in part.stderr.iter().flat_map(|text| text.lines()) {
        console.error_line(line).await?;
    }
    Ok(part.exit.unwrap_or(0))
}

async fn refuse(console: &Console<'_>, lines: &[String]) -> Result<i32, Stop> {
    for line in lines {
        console.error_line(line).await?;
    }
    Ok(EXIT_USAGE)
}

/// Runs the turn; one that is to ignore SIGTERM handles signals, and then has to end by itself on an interrupt.
async fn stubborn(
    host: &Host,
    part: &Part,
    turn: impl Future<Output = Result<i32, Stop>>,
) -> Result<i32, Stop> {
    if !part.ignores_term {
        return turn.await;
    }
    let signals =
        host.processes().signals().map_err(|error| Stop::mishap("cannot handle signals", &error))?;
    match race(turn, interrupted(signals)).await {
        Either::First(outcome) => outcome,
        Either::Second(()) => Err(Stop::Exit(EXIT_INTERRUPTED)),
    }
}

async fn interrupted(mut signals: Signals) {
    while signals.next().await != Signal::Interrupt {}
}

/// The end of the process: what a reordering quirk still holds back, then the exit itself.
async fn end(host: &Host, injector: &Injector, console: &Console<'_>, code: i32) -> Result<i32, Stop> {
    console.flush().await?;
    let passed = injector.pass(host, Point::CliExit, json!({ "code": code })).await;
    if let Some(code) = passed.exit {
        return Ok(code);
    }
    match passed.first() {
        // An exit that does not take place leaves a process that has said everything and stays.
        None => std::future::pending().await,
        Some(event) => {
            let changed = event.get("code").and_then(serde_json::Value::as_i64);
            Ok(changed.and_then(|code| i32::try_from(code).ok()).unwrap_or(code))
        }
    }
}
