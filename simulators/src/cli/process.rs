//! The frame of every CLI's process: what it tells the stage at its beginning and end, its probe, its refusals, its signals.

use std::rc::Rc;

use gauntlet_world::process::{Signal, Signals};
use gauntlet_world::{Either, Host, race};
use serde_json::{Value, json};

use super::asked::{Asked, Refusal};
use super::console::Console;
use super::scene::Scene;
use super::stdin::{self, Input};
use super::stop::Stop;
use super::work;
use crate::stage::{Ending, Invocation, Part, Stage};
use gauntlet_world::injection::{Injector, Point};

/// The exit code after an interrupt (128 + SIGINT), as shells count it. Inferred; a receiver never sends one.
const EXIT_INTERRUPTED: i32 = 130;

/// The exit code of a CLI that does not know its arguments.
const EXIT_USAGE: i32 = 2;

/// How a turn came out: its exit code, or why it ended early, and the session that it ran on.
pub(crate) type Played = (Result<i32, Stop>, Option<String>);

/// Runs one process of a CLI until it ends, and gives its exit code. `version` is what it says when it is asked for its
/// version, `play` its turn.
pub(crate) async fn run(
    host: Host,
    cli: &str,
    version: &str,
    asked: Asked,
    stage: Rc<dyn Stage>,
    injector: Injector,
    play: impl AsyncFnOnce(Scene<'_>, Input) -> Played,
) -> i32 {
    let began = host.clock().now();
    let asked = known(&host, cli, asked, &injector).await;
    let stdin = stdin::open(&host).await;
    let part = stage
        .enter(Invocation {
            cli: cli.to_owned(),
            args: host.args().to_vec(),
            env: host.environment().clone(),
            cwd: host.cwd().to_path_buf(),
            pid: host.pid().0,
            stdin_at_end: stdin.at_end,
            purpose: asked.purpose(),
        })
        .await;
    let console = Console::new(&host, &injector, &part);
    let (outcome, session) = match &asked {
        Asked::Probe => (probe(&host, version, &part, &console).await, None),
        Asked::Refused(refusal) => (refuse(&console, refusal).await, None),
        Asked::Turn(request) => match work::done(&host, part).await {
            Ok(part) => {
                let scene = Scene { host: &host, request, part: &part, console: &console, began };
                stubborn(&host, &part, play(scene, stdin)).await
            }
            Err(stop) => (Err(stop), None),
        },
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

/// The version. The line is no event: it passes no point.
async fn probe(host: &Host, version: &str, part: &Part, console: &Console<'_>) -> Result<i32, Stop> {
    if let Some(after) = part.after {
        host.clock().sleep(after.duration()).await;
    }
    console.raw_line(version).await?;
    for line in part.stderr.iter().flat_map(|text| text.lines()) {
        console.error_line(line).await?;
    }
    Ok(part.exit.unwrap_or(0))
}

/// What is asked for by the arguments of a turn, which a CLI may not know any more.
async fn known(host: &Host, cli: &str, asked: Asked, injector: &Injector) -> Asked {
    if !matches!(asked, Asked::Turn(_)) {
        return asked;
    }
    let event = json!({ "args": host.args(), "taken": true });
    let taken = injector.pass(host, Point::CliArguments, event).await.first();
    if taken.is_none_or(|event| event["taken"] == true) {
        return asked;
    }
    let reason = format!("{cli} does not know these arguments");
    let stderr = vec![format!("error: {reason}")];
    Asked::Refused(Refusal { reason, stdout: Vec::new(), stderr, exit: EXIT_USAGE, real: true })
}

async fn refuse(console: &Console<'_>, refusal: &Refusal) -> Result<i32, Stop> {
    for line in &refusal.stdout {
        console.raw_line(line).await?;
    }
    for line in &refusal.stderr {
        console.error_line(line).await?;
    }
    Ok(refusal.exit)
}

/// Runs the turn; one that is to ignore SIGTERM handles signals, and then has to end by itself on an interrupt.
async fn stubborn(host: &Host, part: &Part, turn: impl Future<Output = Played>) -> Played {
    if !part.ignores_term {
        return turn.await;
    }
    let signals = match host.processes().signals() {
        Ok(signals) => signals,
        Err(error) => return (Err(Stop::mishap("cannot handle signals", &error)), None),
    };
    match race(turn, interrupted(signals)).await {
        Either::First(played) => played,
        Either::Second(()) => (Err(Stop::Exit(EXIT_INTERRUPTED)), None),
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
            let changed = event.get("code").and_then(Value::as_i64);
            Ok(changed.and_then(|code| i32::try_from(code).ok()).unwrap_or(code))
        }
    }
}
