//! One run of the CLI behind the receiver.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::join;
use gauntlet_protocol::fleet::MAX_STDOUT_CHARS;
use gauntlet_protocol::fleet::extension::task::EndedBy;
use gauntlet_world::process::{Child, Command, ExitStatus, Output as Sink, Pid, Reader, Signal, Stdin};
use gauntlet_world::{Either, race};
use serde_json::json;
use tokio::io::AsyncReadExt;

use super::deadline::Deadline;
use super::state::Receiver;
use gauntlet_world::injection::Point;

/// Marks the processes of this receiver's turns, so that what an earlier life left behind is found.
pub(super) const RECEIVER_MARK: &str = "A2A_RECEIVER";
/// Marks the processes of one turn, so that none outlives it, also one that left the process group.
const TURN_MARK: &str = "A2A_TURN";

/// Where programs are usually installed. What exists of these is appended to the search path (FLEET-ENV-01).
pub const USUAL_PLACES: &[&str] = &[
    "/opt/homebrew/bin",
    "/opt/homebrew/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/bin",
    "/bin",
    "/usr/sbin",
    "/sbin",
];

const MAX_STDERR: usize = 65_536;
/// Of output that is longer than what is kept, so much of its end is kept, too: a CLI says its answer last.
const KEPT_END: usize = 1_048_576;
/// How long output may still come after the kill at the cap, or after the CLI itself has ended.
const DRAIN: Duration = Duration::from_secs(5);

/// How often it is looked for processes that are to be ended, and what is waited for those that take their time to die.
const SWEEPS: usize = 100;
const BETWEEN_SWEEPS: Duration = Duration::from_millis(10);

/// What a run of the CLI gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Output {
    /// Standard output, up to the cap.
    pub(crate) stdout: Vec<u8>,
    /// Standard error, up to the cap; what is not UTF-8 is replaced.
    pub(crate) stderr: String,
    /// The return code; negative for a signal.
    pub(crate) code: i32,
}

/// How a run ended.
#[derive(Debug)]
pub(super) enum Run {
    /// By itself.
    Ended(Output),
    /// At its limit, which is named: the whole group was killed. With what it had printed by then.
    TimedOut(EndedBy, Vec<u8>),
    /// It could not be started.
    NotStarted(io::Error),
}

/// The mark of the children of one repository's and mode's receiver.
pub(super) fn mark(repo: &str, mode: &gauntlet_protocol::fleet::Mode) -> String {
    format!("{repo}#{}", mode.name)
}

impl Receiver {
    /// The mark of this receiver's children: one repository and mode.
    pub(super) fn mark(&self) -> String {
        mark(&self.config.repo_path, self.settings.mode)
    }

    /// Runs the CLI once.
    pub(super) async fn run_cli(
        &self,
        args: Vec<String>,
        turn: &str,
        context: &str,
        session: Option<&str>,
        text: &str,
        deadline: Option<Deadline>,
    ) -> Run {
        let (added, adds_places) = (self.talk.environment(), self.talk.adds_usual_places());
        let withheld = self.bearers();
        let event = json!({
            "contextId": context, "session": session, "args": args, "text": text, "cwd": self.config.repo_path,
            "stdin": "null", "adds_places": adds_places, "env": added, "withheld": withheld,
        });
        let Some(event) = self.pass(Point::ReceiverSpawn, event).await.first() else {
            return Run::NotStarted(io::Error::other("the CLI was not started"));
        };
        let texts = |name: &str| -> Option<Vec<String>> {
            let texts = event.get(name)?.as_array()?.iter();
            Some(texts.map(|text| text.as_str().unwrap_or_default().to_owned()).collect())
        };
        let args = texts("args").unwrap_or(args);
        let withheld = texts("withheld").unwrap_or(withheld);
        let cwd = event["cwd"].as_str().unwrap_or(&self.config.repo_path);
        let mut command = Command::new(self.settings.mode.cli, cwd);
        command.args = args;
        command.env = self.child_environment(turn, event["adds_places"] == true, &withheld).await;
        let kept = event.get("env").and_then(|env| env.as_object());
        command
            .env
            .retain(|name, _| !added.contains_key(name) || kept.is_none_or(|kept| kept.contains_key(name)));
        command.stdin = if event["stdin"] == "held" { Stdin::Held } else { Stdin::Null };
        command.stdout = Sink::Piped;
        command.stderr = Sink::Piped;
        let mut child = match self.spawn(command).await {
            Ok(child) => child,
            Err(error) => return Run::NotStarted(error),
        };
        let group = child.pid;
        let (limit, ended_by) = self.limit(context, deadline).await;
        let mut out = Printed::default();
        let ended = self.host.clock().within(limit, collect(self, context, &mut child, &mut out)).await;
        if self.ending.get() {
            // Its CLI was killed from here; the next start tells its sender that it was interrupted.
            return std::future::pending().await;
        }
        if ended.is_none() {
            let limit = ended_by.name();
            self.log(format!(
                "the turn of context {context} ran into its {limit}, killing its process group"
            ))
            .await;
            self.kill_turn(group, turn, ended_by).await;
            // Reaps the leader; the pipes are let go with the child.
            let _ = self.host.clock().within(DRAIN, child.wait()).await;
        } else {
            self.sweep(TURN_MARK, turn).await;
        }
        self.running.borrow_mut().remove(&group);
        match ended {
            None => Run::TimedOut(ended_by, out.kept()),
            Some(Ok((stderr, code))) => Run::Ended(Output { stdout: out.kept(), stderr, code }),
            Some(Err(error)) => Run::NotStarted(error),
        }
    }

    /// When a turn of this context is killed.
    pub(super) async fn cap(&self, context: &str) -> Duration {
        let cap = self.talk.cap(&self.config);
        let event = json!({ "contextId": context, "seconds": cap.as_secs_f64() });
        let passed = self.pass(Point::ReceiverCap, event).await.first();
        let seconds = passed.and_then(|event| event.get("seconds")?.as_f64());
        seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(cap)
    }

    /// Starts a process, unless the receiver is ending: whoever ends it must find everything that was started.
    pub(super) async fn spawn(&self, command: Command) -> io::Result<Child> {
        let _open = self.starting.lock().await;
        let child = self.host.processes().spawn(command).await?;
        self.running.borrow_mut().insert(child.pid);
        Ok(child)
    }

    async fn kill_turn(&self, group: Pid, turn: &str, ended_by: EndedBy) {
        let processes = self.host.processes();
        if self.kills_groups(ended_by.name(), true).await {
            let _ = processes.signal_group(group, Signal::Kill).await;
            self.sweep(TURN_MARK, turn).await;
        } else {
            let _ = processes.signal(group, Signal::Kill).await;
        }
    }

    /// Whether whole process groups are killed, and not only their leaders. `because` says what made it necessary, `works` whether
    /// there is a group.
    pub(super) async fn kills_groups(&self, because: &str, works: bool) -> bool {
        let event = json!({ "because": because, "works": works });
        let passed = self.pass(Point::ReceiverGroupKill, event).await;
        !passed.events.is_empty()
    }

    /// Kills every process with a mark: stragglers of a turn, or what an earlier life of this receiver left. Gives how many
    /// there were.
    pub(super) async fn sweep(&self, name: &str, value: &str) -> usize {
        let processes = self.host.processes();
        let mut killed = BTreeSet::new();
        // Whoever dies may have started another one since it was seen, so it is looked until there is nobody left.
        for round in 0..SWEEPS {
            let stragglers = processes.marked(name, value).await.unwrap_or_default();
            if stragglers.is_empty() {
                break;
            }
            if round > 0 && stragglers.iter().all(|pid| killed.contains(pid)) {
                self.host.clock().sleep(BETWEEN_SWEEPS).await;
            }
            for pid in stragglers {
                let _ = processes.signal(pid, Signal::Kill).await;
                killed.insert(pid);
            }
        }
        killed.len()
    }

    /// The variables that hold our bearers.
    pub(super) fn bearers(&self) -> Vec<String> {
        let config = &self.config;
        [&config.auth_token_env, &config.hermes_auth_token_env].into_iter().flatten().cloned().collect()
    }

    /// The environment of the CLI: ours, without what is withheld, with the usual places of programs at the end of the search
    /// path where the mode has them there, and with the marks.
    pub(super) async fn child_environment(
        &self,
        turn: &str,
        adds_places: bool,
        withheld: &[String],
    ) -> BTreeMap<String, String> {
        let mut env = self.host.environment().clone();
        for secret in withheld {
            env.remove(secret);
        }
        if adds_places {
            env.insert("PATH".to_owned(), self.search_path(&env).await);
        }
        env.insert(RECEIVER_MARK.to_owned(), self.mark());
        env.insert(TURN_MARK.to_owned(), turn.to_owned());
        env.extend(self.talk.environment());
        env
    }

    /// The search path, with the usual places of programs that exist at its end.
    async fn search_path(&self, env: &BTreeMap<String, String>) -> String {
        let mut path = env.get("PATH").cloned().unwrap_or_default();
        let local = self.host.home().join(".local/bin").to_string_lossy().into_owned();
        for place in std::iter::once(local.as_str()).chain(USUAL_PLACES.iter().copied()) {
            let listed = path.split(':').any(|part| part == place);
            if !listed && self.is_directory(Path::new(place)).await {
                if !path.is_empty() {
                    path.push(':');
                }
                path.push_str(place);
            }
        }
        path
    }

    pub(super) async fn is_directory(&self, path: &Path) -> bool {
        let meta = self.host.disk().stat(path).await;
        meta.is_ok_and(|meta| meta.kind == gauntlet_world::disk::Kind::Directory)
    }
}

/// Reads both outputs to their end and waits for the child. A grandchild may hold the outputs open beyond the CLI's own end;
/// it gets a moment, and then what was read counts. Gives standard error and the return code.
async fn collect(
    receiver: &Receiver,
    context: &str,
    child: &mut Child,
    out: &mut Printed,
) -> io::Result<(String, i32)> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut err = Printed::default();
    let status: ExitStatus = {
        let surplus = receiver.surplus(context);
        let mut readers = pin!(join(
            read_up_to(stdout, out, MAX_STDOUT_CHARS, surplus),
            read_up_to(stderr, &mut err, MAX_STDERR, async { Surplus::default() }),
        ));
        match race(child.wait(), readers.as_mut()).await {
            Either::First(status) => {
                receiver.host.clock().within(DRAIN, readers).await;
                status?
            }
            Either::Second(_) => child.wait().await?,
        }
    };
    Ok((String::from_utf8_lossy(&err.kept()).into_owned(), status.return_code()))
}

/// What is done with output beyond what is kept.
#[derive(Clone, Copy)]
struct Surplus {
    /// It is read, so that it does not block who prints it.
    reads_on: bool,
    /// The end of it is kept.
    keeps_end: bool,
}

impl Default for Surplus {
    fn default() -> Self {
        Self { reads_on: true, keeps_end: false }
    }
}

impl Receiver {
    /// What is done with output beyond what is kept. Of a CLI that repeats itself the next output is compared with what was kept, so
    /// that nothing can be left out between.
    async fn surplus(&self, context: &str) -> Surplus {
        let keeps_end = self.settings.mode.replays.is_none();
        let event = json!({ "contextId": context, "reads_on": true, "keeps_end": keeps_end });
        let passed = self.pass(Point::ReceiverSurplus, event).await.first().unwrap_or_default();
        Surplus { reads_on: passed["reads_on"] == true, keeps_end: passed["keeps_end"] == true }
    }
}

/// What a CLI printed on one stream, as far as it is kept.
#[derive(Default)]
struct Printed {
    first: Vec<u8>,
    end: VecDeque<u8>,
    /// Something between the two was dropped.
    dropped: bool,
}

impl Printed {
    fn add_to_end(&mut self, bytes: &[u8]) {
        self.end.extend(bytes);
        let surplus = self.end.len().saturating_sub(KEPT_END);
        self.dropped |= surplus > 0;
        self.end.drain(..surplus);
    }

    /// Everything that is kept, in whole lines where something between was dropped.
    fn kept(self) -> Vec<u8> {
        let Self { mut first, end, dropped } = self;
        if dropped {
            first.push(b'\n');
            first.extend(end.into_iter().skip_while(|byte| *byte != b'\n'));
        } else {
            first.extend(end);
        }
        first
    }
}

/// Reads to the end and keeps the first `cap` bytes, so that a flood neither fills the memory nor blocks the child. What is done with
/// the rest is asked when there is some.
async fn read_up_to(
    reader: Option<Reader>,
    kept: &mut Printed,
    cap: usize,
    surplus: impl Future<Output = Surplus>,
) {
    let Some(mut reader) = reader else { return };
    let mut space = vec![0; 16_384];
    let mut rest = None;
    while kept.first.len() < cap {
        let Ok(read @ 1..) = reader.read(&mut space).await else { return };
        let (first, more) = space[..read].split_at(read.min(cap - kept.first.len()));
        kept.first.extend_from_slice(first);
        if !more.is_empty() {
            rest = Some(more.to_vec());
        }
    }
    if rest.is_none() {
        let Ok(read @ 1..) = reader.read(&mut space).await else { return };
        rest = Some(space[..read].to_vec());
    }
    let surplus = surplus.await;
    if !surplus.reads_on {
        return std::future::pending().await;
    }
    let mut more = rest.unwrap_or_default();
    loop {
        if surplus.keeps_end {
            kept.add_to_end(&more);
        }
        let Ok(read @ 1..) = reader.read(&mut space).await else { return };
        more.clear();
        more.extend_from_slice(&space[..read]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn printed(output: &[u8], cap: usize, surplus: Surplus) -> Vec<u8> {
        let reader: Reader = Box::pin(io::Cursor::new(output.to_vec()));
        let mut kept = Printed::default();
        read_up_to(Some(reader), &mut kept, cap, async { surplus }).await;
        kept.kept()
    }

    #[tokio::test]
    async fn output_that_fits_is_kept_whole_and_no_byte_of_it_is_surplus() {
        for length in [0, 1, 9, 10] {
            let output = vec![b'x'; length];
            let never = async { panic!("nothing is beyond what is kept") };
            let reader: Reader = Box::pin(io::Cursor::new(output.clone()));
            let mut kept = Printed::default();
            read_up_to(Some(reader), &mut kept, 10, never).await;
            assert_eq!(kept.kept(), output);
        }
    }

    #[tokio::test]
    async fn of_output_that_does_not_fit_the_beginning_is_kept_and_the_end_where_it_is_wanted() {
        let output = b"first\nsecond\nlast\n";
        assert_eq!(printed(output, 8, Surplus::default()).await, b"first\nse");
        let with_end = Surplus { keeps_end: true, ..Surplus::default() };
        assert_eq!(printed(output, 8, with_end).await, output);
        let mut long = b"first\n".to_vec();
        long.extend(std::iter::repeat_n(b'x', 2 * KEPT_END));
        long.extend(b"\nlast\n");
        assert_eq!(printed(&long, 8, with_end).await, b"first\nxx\n\nlast\n");
    }
}
