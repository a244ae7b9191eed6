//! The receiver as a process: start, recovery, idleness, signals, end (fleet sheet 2.7).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use gauntlet_protocol::fleet::extension::task::EndedBy;
use gauntlet_protocol::fleet::{Lines, Mode};
use gauntlet_world::network::{Address, Listener};
use gauntlet_world::process::{Command, Output, Signal};
use gauntlet_world::{Either, Host, race};
use serde_json::json;
use tokio::sync::{Mutex, Notify, Semaphore};

use super::claims::Claims;
use super::cli::{RECEIVER_MARK, mark};
use super::config::Config;
use super::deadline::Life;
use super::inbox::{Writer, lines_after};
use super::journal::{Fate, Journal, Outcome};
use super::locks::ContextLocks;
use super::names::Names;
use super::state::{Receiver, Settings};
use super::talk::Talk;
use super::task::Ended;
use super::turns::told;
use gauntlet_world::injection::Point;

/// The exit code when the receiver cannot or must not start.
const REFUSED: i32 = 2;
const PROBE_LIMIT: Duration = Duration::from_secs(10);

/// Runs a receiver until it is told to end, idles out, or cannot start. Its repository is the working directory of the
/// host; its configuration is read there, and no argument is looked at. Returns the exit code.
pub async fn run(host: Host, settings: Settings) -> i32 {
    match start(&host, settings.clone()).await {
        Ok((receiver, listener)) => live(receiver, listener).await,
        Err(reason) => {
            write_pid(&host, &settings, false).await;
            let _ = host.processes().print_error(format!("{reason}\n").as_bytes()).await;
            match reason {
                StartError::Ended(code) => code,
                _ => REFUSED,
            }
        }
    }
}

/// Ends what a receiver left running that is given up without being asked to end: its turns.
pub async fn abandon(host: &Host, mode: &Mode) {
    let content =
        host.disk().read_if_present(host.cwd().join(".hermes").join(mode.files.config)).await.ok().flatten();
    let config = Config::parse(mode, &host.cwd().to_string_lossy(), content.as_deref());
    let mark = mark(&config.repo_path, mode);
    for pid in host.processes().marked(RECEIVER_MARK, &mark).await.unwrap_or_default() {
        let _ = host.processes().signal(pid, Signal::Kill).await;
    }
}

/// Why a receiver does not start.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("expected an executor whose CLI is known here; found {0:?}")]
    Mute(&'static str),
    #[error("refusing to listen on {0} without a bearer: set auth_token_env, or bind to loopback")]
    Open(String),
    #[error("refusing to let everyone in: auth_token_env names {0}, which is not set or empty")]
    NoBearer(String),
    #[error("cannot listen on {0}: {1}")]
    Bind(Address, io::Error),
    #[error("cannot prepare {0}: {1}")]
    File(&'static str, io::Error),
    #[error("ended with {0}")]
    Ended(i32),
}

/// Writes the pid file of a receiver that listens. Gives what went wrong.
async fn write_pid(host: &Host, settings: &Settings, listens: bool) -> Option<io::Error> {
    let event = json!({ "listens": listens, "writes": listens });
    let passed = settings.injector.pass(host, Point::ReceiverPid, event).await.first()?;
    if passed["writes"] != true {
        return None;
    }
    let path = host.cwd().join(".hermes").join(settings.mode.files.pid);
    host.disk().replace(path, format!("{}\n", host.pid()).as_bytes()).await.err()
}

/// The configuration as it passes its injection point; an error when the process ends there.
async fn as_taken(host: &Host, settings: &Settings, mut config: Config) -> Result<Config, i32> {
    let event = json!({
        "sound": config.warnings.is_empty(), "slots": config.slots, "idle_s": config.idle.map(|idle| idle.as_secs_f64()),
        "turn_cap_s": config.turn_cap.as_secs_f64(),
    });
    let passed = settings.injector.pass(host, Point::ReceiverConfig, event.clone()).await;
    if let Some(code) = passed.exit {
        return Err(code);
    }
    let Some(taken) = passed.first().filter(|taken| *taken != event) else { return Ok(config) };
    let seconds = |name: &str| Duration::try_from_secs_f64(taken.get(name)?.as_f64()?).ok();
    config.slots =
        taken["slots"].as_u64().and_then(|slots| usize::try_from(slots).ok()).unwrap_or(config.slots);
    config.idle = seconds("idle_s");
    config.turn_cap = seconds("turn_cap_s").unwrap_or(config.turn_cap);
    Ok(config)
}

async fn start(host: &Host, settings: Settings) -> Result<(Rc<Receiver>, Listener), StartError> {
    let mode = settings.mode;
    let talk = <dyn Talk>::of(mode).ok_or(StartError::Mute(mode.name))?;
    let folder = host.cwd().join(".hermes");
    let prepare = |what| move |error| StartError::File(what, error);
    // One that is there and cannot be read is no bad file: the defaults would let everyone in.
    let content = host.disk().read_if_present(folder.join(mode.files.config)).await;
    let content = content.map_err(prepare("the configuration"))?;
    let config = Config::parse(mode, &host.cwd().to_string_lossy(), content.as_deref());
    let config = as_taken(host, &settings, config).await.map_err(StartError::Ended)?;
    let secret = |name: &Option<String>| {
        let value = name.as_deref().and_then(|name| host.env(name));
        value.map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let (token, outbound) = (secret(&config.auth_token_env), secret(&config.hermes_auth_token_env));
    let address = Address { host: config.bind_host.clone(), port: config.bind_port };
    // Who names a bearer wants one. The product line opens when it is not there (FLEET-AUTH-11).
    let (named, loopback) = (config.auth_token_env.clone(), address.is_loopback());
    let starts = token.is_some() || (named.is_none() && loopback);
    let event =
        json!({ "named": named.is_some(), "found": token.is_some(), "loopback": loopback, "starts": starts });
    let passed = settings.injector.pass(host, Point::ReceiverOpen, event).await.first();
    match named {
        _ if passed.is_none_or(|event| event["starts"] == true) => {}
        Some(variable) => return Err(StartError::NoBearer(variable)),
        None => return Err(StartError::Open(config.bind_host)),
    }
    let names = make_files(host, mode).await.map_err(prepare("the folder .hermes"))?;
    let listener =
        host.network().listen(&address).await.map_err(|error| StartError::Bind(address.clone(), error))?;
    // Only whoever has the port may mend files: another receiver could be writing to them.
    let receiver = assembled(host, settings, talk, config, names, (token, outbound)).await;
    Ok((receiver.map_err(prepare("the journal of turns"))?, listener))
}

/// Sees to it that the files are there which are only ever added to.
pub(super) async fn make_files(host: &Host, mode: &Mode) -> io::Result<Names> {
    let folder = host.cwd().join(".hermes");
    host.disk().make_dir(&folder).await?;
    let files = [mode.files.inbox, mode.files.transcript, mode.files.turns];
    Ok(Names::make(host, &folder, &files).await)
}

/// A receiver with what its journal says, that does nothing yet. It is told which bearer it wants, and which one it shows.
pub(super) async fn assembled(
    host: &Host,
    settings: Settings,
    talk: &'static dyn Talk,
    config: Config,
    names: Names,
    (token, outbound): (Option<String>, Option<String>),
) -> io::Result<Rc<Receiver>> {
    let turns = host.cwd().join(".hermes").join(settings.mode.files.turns);
    let names = Rc::new(names);
    let journal = Journal::open(host, turns, names.clone()).await?;
    let last_id = journal.outcomes().iter().filter_map(|(_, outcome)| id_millis(&outcome.id)).max();
    Ok(Rc::new(Receiver {
        host: host.clone(),
        talk,
        token,
        outbound,
        names,
        inbox: Mutex::new(Writer::default()),
        arrived: Notify::new(),
        transcript: Mutex::default(),
        unrecorded: RefCell::default(),
        sessions: Mutex::default(),
        journal,
        contexts: ContextLocks::new(config.tracked_contexts),
        first_turns: Mutex::default(),
        claims: Claims::default(),
        slots: Rc::new(Semaphore::new(config.slots)),
        starting: Mutex::default(),
        ending: Cell::new(false),
        handed_off: Cell::new(0),
        running: RefCell::default(),
        connections: Cell::default(),
        disconnected: Notify::default(),
        open_turns: Cell::new(0),
        gone_wrong: Cell::new(false),
        last_work: Cell::new(host.clock().now()),
        last_callback_ms: Cell::new(last_id.unwrap_or_default()),
        life: Life::begin(host),
        earlier_lines: Cell::default(),
        settings,
        config,
    }))
}

fn id_millis(id: &str) -> Option<u64> {
    id.rsplit_once('-')?.1.parse().ok()
}

async fn live(receiver: Rc<Receiver>, listener: Listener) -> i32 {
    let host = receiver.host.clone();
    let signals = host.processes().signals();
    let stopped = async {
        match signals {
            Ok(mut signals) => loop {
                let signal = signals.next().await;
                let event = json!({ "busy": receiver.open_turns.get() > 0 });
                let passed = receiver.pass(Point::ReceiverSignal, event).await;
                if !passed.events.is_empty() {
                    break Some(signal);
                }
            },
            Err(_) => std::future::pending().await,
        }
    };
    let work = async {
        receiver.prepare().await?;
        host.spawn(receiver.clone().poll());
        host.spawn(receiver.clone().serve(listener));
        receiver.idle().await;
        Ok::<(), io::Error>(())
    };
    let (reason, code) = match race(stopped, work).await {
        Either::First(Some(Signal::Interrupt)) => ("interrupted".to_owned(), 0),
        Either::First(_) => ("told to end".to_owned(), 0),
        Either::Second(Ok(())) => ("idle for too long".to_owned(), 0),
        Either::Second(Err(error)) => (format!("earlier turns cannot be recovered: {error}"), REFUSED),
    };
    receiver.log(format!("ending: {reason}")).await;
    receiver.end().await;
    code
}

impl Receiver {
    /// Everything between the binding of the port and the first request that is read.
    async fn prepare(self: &Rc<Self>) -> io::Result<()> {
        for warning in self.config.warnings.clone() {
            self.log(warning).await;
        }
        if self.token.is_none() {
            self.log("no bearer is configured: everyone on this machine may dispatch").await;
        }
        self.probe().await;
        // The port is ours now, so nobody else works in this repository for this mode: what is marked was left behind, be
        // it by an earlier run or by the probe.
        if self.ends_what_was_left().await {
            let swept = self.sweep(RECEIVER_MARK, &self.mark()).await;
            if swept > 0 {
                self.log(format!("ended {swept} processes that were left behind")).await;
            }
        }
        if let Some(error) = write_pid(&self.host, &self.settings, true).await {
            self.log(format!("the pid file could not be written: {error}")).await;
        }
        self.mend_transcript().await;
        self.mend_inbox().await;
        self.recover().await
    }

    /// Whether what an earlier life left running is ended.
    async fn ends_what_was_left(&self) -> bool {
        let turns = self.journal.last_line();
        // In a first life there was only the probe.
        if turns == 0 {
            return true;
        }
        let event = json!({ "turns": turns });
        let passed = self.pass(Point::ReceiverSweep, event).await;
        !passed.events.is_empty()
    }

    /// Asks the CLI for its version, or for its help. Failure is only logged: it may be there when the first turn comes.
    async fn probe(&self) {
        let mut command = Command::new(self.settings.mode.cli, &self.config.repo_path);
        command.args = vec![self.talk.probe().to_owned()];
        let adds_places = self.talk.adds_usual_places();
        command.env = self.child_environment("probe", adds_places, &self.bearers()).await;
        command.stdout = Output::Null;
        command.stderr = Output::Null;
        let probe = async { self.spawn(command).await?.wait().await };
        match self.host.clock().within(PROBE_LIMIT, probe).await {
            Some(Ok(status)) if status.return_code() == 0 => {}
            Some(Ok(status)) => {
                self.log(format!("the CLI's probe ended with {}", status.return_code())).await
            }
            Some(Err(error)) => self.log(format!("the CLI could not be probed: {error}")).await,
            None => self.log("the CLI's probe took too long").await,
        }
        // Nothing else runs yet, and a probe that still does is found by its mark.
        self.running.borrow_mut().clear();
    }

    /// Ends a line of the inbox that a crash left torn: it was never acknowledged.
    pub(super) async fn mend_inbox(&self) {
        let path = self.file(self.settings.mode.files.inbox);
        self.inbox.lock().await.torn = match self.host.disk().read_if_present(&path).await {
            Ok(content) => !Lines::new(&content.unwrap_or_default()).torn().is_empty(),
            // Nobody knows; an empty line does no harm.
            Err(_) => true,
        };
    }

    /// Reads the inbox that an earlier life left, and how far it came with it.
    pub(super) async fn take_up_inbox(&self) -> io::Result<Vec<u8>> {
        let content = self.inbox_content().await?;
        if !content.is_empty() {
            // An earlier life may have died between a write and its sync. Numbers of lines must not change any more.
            self.host.disk().sync(self.file(self.settings.mode.files.inbox)).await?;
        }
        let offset = self.offset().await?;
        // The file may be lost or garbled; the journal knows of what was handed off too.
        let handed_off = offset.max(self.journal.last_line());
        self.stand_in_for_lost(&mut *self.inbox.lock().await, handed_off).await?;
        let content = self.inbox_content().await?;
        self.handed_off.set(handed_off);
        if handed_off > offset {
            self.set_offset(handed_off).await?;
        }
        Ok(content)
    }

    /// Brings every line that an earlier life handed off to its outcome: one that never began is run now, one that began is
    /// reported as interrupted, and a reply that was not sent is sent.
    async fn recover(self: &Rc<Self>) -> io::Result<()> {
        let content = self.take_up_inbox().await?;
        let handed_off = self.handed_off.get();
        self.note_profile(lines_after(&content, 0).last().map_or(0, |(line, _)| *line)).await;
        // How often each record of an ending must be in the transcript.
        let mut endings = BTreeMap::<(String, bool, String), usize>::new();
        for (line, accepted) in lines_after(&content, 0) {
            self.earlier_lines.set(line);
            let Some(mut accepted) = accepted else { continue };
            let fate = self.journal.fate(line);
            let state = match &fate {
                _ if line > handed_off => "waiting",
                Fate { settled: true, .. } => "settled",
                Fate { outcome: Some(_), .. } => "ended",
                Fate { started: true, .. } => "started",
                Fate { .. } => "fresh",
            };
            let fate = match self.found(line, state).await {
                Some("fresh") => Fate { context: fate.context, ..Fate::default() },
                Some("settled") => {
                    self.handed_off.set(self.handed_off.get().max(line));
                    Fate { settled: true, ..Fate::default() }
                }
                _ => fate,
            };
            if line > self.handed_off.get() {
                // The poll loop begins it; until then its context is at work all the same.
                if let Some(context) = &accepted.context {
                    self.claim_for_line(context);
                }
                continue;
            }
            if let Some(outcome) = fate.outcome {
                let record = (outcome.context.clone(), outcome.busy, outcome.text.clone());
                let so_far = endings.entry(record).or_default();
                *so_far += 1;
                if !fate.settled {
                    self.complete_transcript(&outcome, *so_far).await;
                    self.send_later(line, outcome);
                }
            } else if fate.settled {
                // Its outcome was sent, and only the note of it was lost.
            } else if fate.started {
                let context = fate.context.or(accepted.context).unwrap_or_else(|| self.anonymous());
                let text = "[interrupted] the receiver stopped while this turn was running; the work may be half done".to_owned();
                let text = told(accepted.cut, text);
                let ended = Ended { id: self.callback_id(), text, ended_by: EndedBy::Interruption };
                let outcome = self.outcome(&context, accepted.task.as_ref(), ended).await;
                *endings.entry((outcome.context.clone(), false, outcome.text.clone())).or_default() += 1;
                // Not durable, it would be followed by another one after the next start.
                self.journal.ended(&self.host, line, &outcome).await?;
                self.record_ending(&outcome).await;
                self.send_later(line, outcome);
            } else {
                accepted.context = accepted.context.or(fate.context);
                self.begin(accepted);
            }
        }
        Ok(())
    }

    /// From here on replies are for the configured profile; those to what an earlier life took stay for whom they were.
    async fn note_profile(&self, last_line: u64) {
        let (from, profile) = (last_line + 1, &self.config.hermes_profile);
        if self.journal.profile_of(from) == *profile {
            return;
        }
        if let Err(error) = self.journal.profile_from(&self.host, from, profile.clone()).await {
            self.log(format!("the journal could not be written: {error}")).await;
        }
    }

    /// What a line of an earlier life is found to be, when that is not what it is.
    async fn found(&self, line: u64, state: &str) -> Option<&'static str> {
        let event = json!({ "line": line, "state": state });
        let passed = self.pass(Point::ReceiverRecover, event).await.first()?;
        let found = passed.get("state")?.as_str()?;
        ["fresh", "settled"].into_iter().find(|known| *known == found && found != state)
    }

    fn send_later(self: &Rc<Self>, line: u64, outcome: Outcome) {
        let receiver = self.clone();
        self.open_turns.set(self.open_turns.get() + 1);
        self.host.spawn(async move {
            receiver.deliver(line, &outcome).await;
            receiver.open_turns.set(receiver.open_turns.get() - 1);
        });
    }

    /// Returns when nothing was done for the configured time. A running turn is work.
    async fn idle(&self) {
        let Some(limit) = self.config.idle else { return std::future::pending().await };
        let tick = (limit / 4).clamp(Duration::from_secs(1), Duration::from_secs(60));
        loop {
            let due = self.last_work.get() + limit;
            if self.host.clock().now() >= due && self.open_turns_that_count().await == 0 {
                return;
            }
            // Nothing can fall due before this; the tick only rounds it up, as the product line's own check does.
            let wait = due.saturating_duration_since(self.host.clock().now()).max(tick);
            self.host.clock().sleep(wait).await;
        }
    }

    /// How many turns keep it from ending.
    async fn open_turns_that_count(&self) -> u64 {
        let event = json!({ "open_turns": self.open_turns.get() });
        let passed = self.pass(Point::ReceiverIdle, event).await.first();
        passed.and_then(|event| event.get("open_turns")?.as_u64()).unwrap_or_default()
    }

    /// Ends what runs and leaves nothing behind. Turns that are cut short here are reported at the next start.
    async fn end(&self) {
        let _closed = self.starting.lock().await;
        self.ending.set(true);
        let running: Vec<_> = self.running.borrow().iter().copied().collect();
        if self.kills_groups("stop", !running.is_empty()).await {
            for group in running {
                let _ = self.host.processes().signal_group(group, Signal::Kill).await;
            }
            self.sweep(RECEIVER_MARK, &self.mark()).await;
        } else {
            for leader in running {
                let _ = self.host.processes().signal(leader, Signal::Kill).await;
            }
        }
        let _ = self.host.disk().remove(self.file(self.settings.mode.files.pid)).await;
    }
}
