//! From the inbox to an outcome: hand-off, waiting for a slot and for the context, one run, one reply.

use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use gauntlet_protocol::fleet::extension::task::{EndedBy, ended_text, not_begun_text};
use gauntlet_protocol::fleet::{ContextId, MAX_PROMPT_CHARS, Mode, Session};
use gauntlet_protocol::json;
use serde_json::{Value, json};

use super::account::Used;
use super::claims::Claim;
use super::cli::{Output, Run};
use super::deadline::{Deadline, Waited};
use super::inbox::{Accepted, lines_after, text_of_line};
use super::journal::Outcome;
use super::state::Receiver;
use super::talk::{Ask, Heard, Spoken};
use super::task::Ended;
use gauntlet_world::injection::Point;

/// What is waited before an outcome is written to the journal again, at first and at most.
pub(super) const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl Receiver {
    /// Hands every new line of the inbox to a turn, for ever. It wakes when a dispatch is accepted; the configured interval
    /// only rounds the moment of waking, as the product line's polling would.
    pub(super) async fn poll(self: Rc<Self>) {
        let began = self.host.clock().now();
        loop {
            if let Err(error) = self.hand_off().await {
                self.log(format!("the inbox could not be handed off: {error}")).await;
                let event = json!({ "line": self.handed_off.get() + 1 });
                let point = Point::ReceiverHandoffFailed;
                if self.pass(point, event).await.events.is_empty() {
                    self.handed_off.set(self.handed_off.get() + 1);
                }
                self.host.clock().sleep(self.config.poll).await;
                continue;
            }
            self.arrived.notified().await;
            let elapsed = self.host.clock().now() - began;
            let ticks = elapsed.as_nanos() / self.config.poll.as_nanos().max(1) + 1;
            let next = self.config.poll.checked_mul(u32::try_from(ticks).unwrap_or(u32::MAX));
            self.host.clock().sleep_until(began + next.unwrap_or(self.config.poll)).await;
        }
    }

    /// Starts a turn for each line beyond the offset. The offset moves first: after a crash a line is never handed off
    /// twice by it, and the journal says which of the handed-off lines had not begun (FLEET-INB-08).
    async fn hand_off(self: &Rc<Self>) -> io::Result<()> {
        let content = self.inbox_content().await?;
        for (line, accepted) in lines_after(&content, self.handed_off.get()) {
            let mut runs = Vec::new();
            let accepted = match accepted {
                Some(accepted) => Some(accepted),
                None => self.passed_over(line, &content).await,
            };
            if let Some(accepted) = accepted {
                let event = json!({
                    "line": line, "contextId": accepted.context, "text": accepted.text,
                    "gone_wrong": self.gone_wrong.get(),
                });
                let passed = self.pass(Point::ReceiverHandoff, event).await;
                runs.extend(passed.events.into_iter().map(|event| {
                    let member = |name| event.get(name).and_then(|value| value.as_str()).map(str::to_owned);
                    let text = member("text").unwrap_or_default();
                    let task = accepted.task.clone();
                    Accepted { line, context: member("contextId"), text, cut: accepted.cut, task }
                }));
            }
            self.set_offset(line).await?;
            for accepted in runs {
                self.worked();
                self.begin(accepted);
            }
        }
        Ok(())
    }

    /// A line that asks for nothing (FLEET-INB-06); what is run of it for all that.
    async fn passed_over(&self, line: u64, content: &[u8]) -> Option<Accepted> {
        let text = text_of_line(content, line);
        let event = json!({ "line": line, "text": text, "runs": false });
        let passed = self.pass(Point::ReceiverPassOver, event).await.first()?;
        let runs = passed.get("runs").and_then(|runs| runs.as_bool()).unwrap_or(false);
        runs.then_some(Accepted { line, context: None, text, cut: false, task: None })
    }

    /// Starts the turn of an accepted line as a task of its own.
    pub(super) fn begin(self: &Rc<Self>, accepted: Accepted) {
        self.open_turns.set(self.open_turns.get() + 1);
        // Tasks begin in the order of their spawning and ask for the context's lock first of all, so turns of one context run in
        // the order of the inbox (FLEET-TURN-17).
        let context = accepted.context.clone().unwrap_or_else(|| self.anonymous());
        let claim = self.claim_of_turn(&context);
        let receiver = self.clone();
        self.host.spawn(async move {
            let line = accepted.line;
            let outcome = receiver.turn(accepted, &context).await;
            receiver.finish(line, outcome, claim).await;
            receiver.open_turns.set(receiver.open_turns.get() - 1);
            receiver.worked();
        });
    }

    /// The context of a dispatch that names none.
    pub(super) async fn new_context(&self) -> String {
        let event = json!({ "contextId": self.anonymous() });
        let passed = self.pass(Point::ReceiverAnonymous, event).await;
        let context = passed.first().and_then(|event| event.get("contextId")?.as_str().map(str::to_owned));
        context.unwrap_or_else(|| self.anonymous())
    }

    /// A fresh context for a dispatch that names none (FLEET-ACK-03).
    pub(super) fn anonymous(&self) -> String {
        let mut random = [0; 16];
        self.host.entropy().fill(&mut random);
        ContextId::anonymous(random).to_string()
    }

    /// The whole life of a turn. Its context is waited for before a slot, so that turns queued behind a busy context do not
    /// hold slots that other contexts could use.
    async fn turn(&self, accepted: Accepted, context: &str) -> Outcome {
        let mode = self.settings.mode;
        let Accepted { line, text, cut, task, .. } = accepted;
        let task = self.still_known(line, context, task).await;
        let deadline = self.deadline_of(context, task.as_ref()).await;
        let ended = |text, ended_by| Ended { id: String::new(), text, ended_by };
        let busy = |text| self.outcome(context, task.as_ref(), ended(text, EndedBy::Busy));
        let over = |deadline: Option<Deadline>| ended(not_begun(mode, deadline), EndedBy::Deadline);
        let event = json!({ "contextId": context, "crowded": self.contexts.is_crowded() });
        let lock = self.contexts.of(context);
        let locks = self.pass(Point::ReceiverContextLock, event).await;
        let _held = match locks.events.is_empty() {
            true => None,
            false => match self.wait_for(lock.lock(), deadline, context).await {
                Waited::Got(guard) => Some(guard),
                Waited::Busy => return busy(mode.busy_context_text()).await,
                Waited::Over => return self.outcome(context, task.as_ref(), over(deadline)).await,
            },
        };
        let _slot = match self.wait_for(self.slots.acquire(), deadline, context).await {
            Waited::Got(slot) => slot,
            Waited::Busy => return busy(mode.busy_slots_text()).await,
            Waited::Over => return self.outcome(context, task.as_ref(), over(deadline)).await,
        };
        let text = self.shown(context, &text, task.as_ref()).await;
        let Told { text, ended_by, used } = self.run(line, context, &text, deadline).await;
        let ended = Ended { id: self.callback_id(), text: told(cut, text), ended_by };
        let mut outcome = self.outcome(context, task.as_ref(), ended).await;
        outcome.used = used;
        // The outcome is durable and recorded while the context is still held: the next turn of this context comes after it.
        self.conclude(line, &outcome).await;
        outcome
    }

    /// Runs the CLI, on the context's session when it has one, and once more on the other one when that was the wrong one. The
    /// return code alone never says so.
    async fn run(&self, line: u64, context: &str, text: &str, deadline: Option<Deadline>) -> Told {
        let mode = self.settings.mode;
        let (talk, replays) = (self.talk, mode.replays.is_some());
        let over =
            || Told { text: not_begun(mode, deadline), ended_by: EndedBy::Deadline, used: Used::nothing() };
        let stored = self.session_of(line, context).await;
        // Of several that begin at once only one could be found again, so it is held until it was.
        let _beginning = match (replays, &stored) {
            (true, None) if deadline.is_none() => self.first_turn(context).await,
            (true, None) => match self.wait_for(self.first_turn(context), deadline, context).await {
                Waited::Got(guard) => guard,
                Waited::Busy => {
                    return Told {
                        text: mode.busy_slots_text(),
                        ended_by: EndedBy::Busy,
                        used: Used::nothing(),
                    };
                }
                Waited::Over => return over(),
            },
            _ => None,
        };
        if self.is_over(deadline, context).await {
            return over();
        }
        // Whoever still waits has not begun: after a crash it is run.
        if let Err(error) = self.journal.started(&self.host, line, context).await {
            // Without this record a crash could run the turn twice; not to run it at all is the lesser harm.
            return Told::of_nothing(mode.invocation_failed_text(&error.to_string()));
        }
        let (reply, spoken) = self.run_once(line, context, text, stored.as_ref(), deadline).await;
        let stored = stored.map(|session| session.id);
        let other = talk.other_session(context, stored.as_deref());
        let Some(other) = other else { return reply };
        let seen = match (spoken.wrong_session, spoken.quotes_dead_session) {
            // Where it was heard in a replay it has been seen already.
            (true, _) => replays || self.sees_wrong(context, stored.as_deref()).await,
            (false, true) => self.takes_for_a_sign(context, stored.as_deref()).await,
            (false, false) => false,
        };
        if !seen {
            return reply;
        }
        match &other {
            None => self.log(format!("the session of context {context} is dead, starting a new one")).await,
            Some(_) => self.log(format!("context {context} has a session, going on with it")).await,
        }
        if let Some(dead) = &stored
            && let Err(error) = self.forget(context, dead).await
        {
            self.log(format!("the dead session could not be forgotten: {error}")).await;
        }
        if self.is_over(deadline, context).await {
            return over();
        }
        let other = other.map(|id| Session { id, updated_at: 0, last_output: None });
        self.run_once(line, context, text, other.as_ref(), deadline).await.0
    }

    /// What is told of a turn whose CLI could not be started. The system has one error for a program and for a working directory that
    /// is not there; whoever is told of the wrong one looks in the wrong place.
    async fn why_not_started(&self, context: &str, error: &io::Error) -> String {
        let mode = self.settings.mode;
        let folder = Path::new(&self.config.repo_path);
        let because = match error.kind() {
            io::ErrorKind::NotFound if self.is_directory(folder).await => "program",
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "folder",
            _ => "other",
        };
        let event = json!({ "contextId": context, "because": because, "named": because });
        let passed = self.pass(Point::ReceiverNotStarted, event).await.first();
        match passed.as_ref().and_then(|event| event["named"].as_str()).unwrap_or(because) {
            "program" => mode.missing_text(),
            "folder" => mode.invocation_failed_text(&not_started(&self.config.repo_path, error)),
            _ => mode.invocation_failed_text(&not_started(mode.cli, error)),
        }
    }

    /// What the CLI is given of a task: all of it, to the letter (FLEET-TURN-23).
    async fn prompt(&self, context: &str, text: &str) -> String {
        let one_line = !text.contains('\n');
        let event = json!({
            "contextId": context, "text": text, "one_line": one_line, "spaced": true, "alone": true,
        });
        let passed = self.pass(Point::ReceiverPrompt, event).await.first().unwrap_or_default();
        let mut prompt = passed["text"].as_str().unwrap_or(text).to_owned();
        if passed["spaced"] == false {
            prompt = prompt.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        if passed["alone"] == false {
            prompt.push_str("\n\nBe brief, and think before you begin.");
        }
        prompt
    }

    /// Whether a task is given apart from the options, of one that a CLI would take for some.
    async fn gives_apart(&self, context: &str, text: &str) -> bool {
        if !(text.starts_with('-') && self.talk.takes_a_dash_for_an_option()) {
            return false;
        }
        let event = json!({ "contextId": context, "apart": true });
        let passed = self.pass(Point::ReceiverDash, event).await.first();
        passed.is_none_or(|event| event["apart"] == true)
    }

    async fn sees_wrong(&self, context: &str, session: Option<&str>) -> bool {
        let sign = if session.is_some() { "not_found" } else { "in_use" };
        let event = json!({ "contextId": context, "session": session, "sign": sign, "again": true });
        let passed = self.pass(Point::ReceiverSessionDead, event).await;
        passed.first().is_some_and(|event| event.get("again").and_then(Value::as_bool).unwrap_or(true))
    }

    /// Whether words of a dead session in a reply are taken for a sign of one. A reply is an answer, whatever it says.
    async fn takes_for_a_sign(&self, context: &str, session: Option<&str>) -> bool {
        let event = json!({ "contextId": context, "session": session, "is_sign": false });
        let passed = self.pass(Point::ReceiverSessionWords, event).await.first();
        passed.and_then(|event| event.get("is_sign")?.as_bool()).unwrap_or_default()
    }

    async fn run_once(
        &self,
        line: u64,
        context: &str,
        text: &str,
        stored: Option<&Session>,
        deadline: Option<Deadline>,
    ) -> (Told, Spoken) {
        let mode = self.settings.mode;
        let talk = self.talk;
        let session = stored.map(|session| session.id.as_str());
        let role = self.role().await;
        let tools = self.tools().await;
        let prompt = self.prompt(context, text).await;
        let ask = Ask {
            config: &self.config,
            role: &role,
            prompt: &prompt,
            context,
            session,
            tools: tools.as_deref(),
            apart: self.gives_apart(context, &prompt).await,
        };
        let (args, dropped) = talk.args(&ask);
        if !dropped.is_empty() {
            self.log(format!("dropped from the configured flags: {}", dropped.join(" "))).await;
        }
        let turn = format!("{}#{line}", self.mark());
        let replays = mode.replays.as_ref();
        let named = match replays {
            Some(words) => self.named_conversations(words).await,
            None => Vec::new(),
        };
        let output = match self.run_cli(args, &turn, context, session, text, deadline).await {
            Run::Ended(output) => {
                self.gone_wrong.set(self.gone_wrong.get() || output.code != 0);
                output
            }
            Run::TimedOut(ended_by, stdout) => {
                self.gone_wrong.set(true);
                let text = match deadline {
                    Some(deadline) if ended_by == EndedBy::Deadline => {
                        ended_text(mode.cli, deadline.whole_ms)
                    }
                    _ => mode.timeout_text(self.config.turn_cap.as_secs_f64()),
                };
                let text = self.with_last_step(context, text, &stdout).await;
                return (Told { text, ended_by, used: Used::default() }, Spoken::default());
            }
            Run::NotStarted(error) => {
                self.gone_wrong.set(true);
                return (Told::of_nothing(self.why_not_started(context, &error).await), Spoken::default());
            }
        };
        let spoken = match replays {
            Some(words) => self.hear_replay(words, context, (stored, &named), &output).await,
            None => talk.read(&Heard { mode, output: &output }),
        };
        let spoken = self.heard(spoken, &output).await;
        let now = self.host.clock().wall().seconds();
        let named = |id: &String| Session { id: id.clone(), updated_at: now, last_output: None };
        if let Some(session) = spoken.session.as_ref().map(named)
            && let Err(error) = self.remember(context, session).await
        {
            self.log(format!("the session could not be remembered: {error}")).await;
        }
        let reply = match &spoken.reply {
            Some(reply) => reply.clone(),
            None if output.code != 0 => mode.no_output_text(output.code, &output.stderr),
            None => mode.no_reply_text(),
        };
        let ran_on = spoken.session.as_deref().or(session);
        let used = self.used(context, ran_on, session, &output.stdout).await;
        (Told { text: reply, ended_by: EndedBy::Executor, used }, spoken)
    }

    /// What the CLI said, as it passes its injection point.
    async fn heard(&self, mut spoken: Spoken, output: &Output) -> Spoken {
        let Spoken { reply, session, wrong_session, answered, first, from_result, failure, .. } = &spoken;
        let event = json!({
            "reply": reply, "session": session, "wrong_session": wrong_session, "code": output.code,
            "failed": output.code != 0, "answered": answered, "noise": is_noisy(&output.stdout),
            "utf8": std::str::from_utf8(&output.stdout).is_ok(),
            "several": first.is_some(), "first": first, "from_result": from_result,
            "tells_failure": failure.is_some(), "failure": failure,
        });
        let passed = self.pass(Point::ReceiverHeard, event.clone()).await;
        if let Some(heard) = passed.first().filter(|heard| *heard != event) {
            let text = |name| heard.get(name).and_then(|value| value.as_str()).map(str::to_owned);
            (spoken.reply, spoken.session) = (text("reply"), text("session"));
            spoken.wrong_session = heard["wrong_session"] == true;
        }
        spoken
    }

    /// The text put before each prompt: the file's when it can be read, else the configured one.
    async fn role(&self) -> String {
        let content = match &self.config.role_file {
            Some(file) => self.host.disk().read(file).await.ok(),
            None => None,
        };
        let (source, text) = match content {
            Some(content) => ("file", String::from_utf8_lossy(&content).trim().to_owned()),
            None if self.config.has_built_in_role => ("built_in", self.config.role_prompt.clone()),
            None => ("prompt", self.config.role_prompt.clone()),
        };
        let event = json!({ "source": source, "text": text });
        let passed = self.pass(Point::ReceiverRole, event).await;
        passed.first().and_then(|event| event.get("text")?.as_str().map(str::to_owned)).unwrap_or(text)
    }

    /// The path of the repository's file of tools, if this mode passes it on and it holds JSON: a CLI that is given a broken one
    /// does not start (FLEET-CC-04).
    async fn tools(&self) -> Option<String> {
        let path = Path::new(&self.config.repo_path).join(self.talk.tools_file()?);
        let content = self.host.disk().read_if_present(&path).await.ok().flatten()?;
        let parsed = json::parse("the file of tools", &content);
        let event = json!({ "sound": parsed.is_ok() });
        let passed = self.pass(Point::ReceiverTools, event).await.first();
        if passed.is_some_and(|event| event["sound"] == true) {
            return Some(path.to_string_lossy().into_owned());
        }
        if let Err(error) = parsed {
            self.log(format!("{} is not passed on: {error}", path.display())).await;
        }
        None
    }

    /// Makes an outcome durable, then visible: journal, transcript. While the journal cannot be written it waits: once sent
    /// and then forgotten in a crash, this outcome would be followed by another one.
    async fn conclude(&self, line: u64, outcome: &Outcome) {
        let mut pause = SHORTEST_PAUSE;
        while let Err(error) = self.journal.ended(&self.host, line, outcome).await {
            self.log(format!("the journal could not be written, the reply of line {line} waits: {error}"))
                .await;
            self.host.clock().sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.record_ending(outcome).await;
    }

    /// Sends an outcome back. Whoever gets it may dispatch to this context again at once.
    async fn finish(&self, line: u64, mut outcome: Outcome, claim: Claim) {
        if outcome.id.is_empty() {
            outcome.id = self.callback_id();
            self.conclude(line, &outcome).await;
        }
        let held = self.release(claim).await;
        self.deliver(line, &outcome).await;
        drop(held);
    }

    /// Calls back, and notes that this line needs nothing more, whether Hermes has the reply or it was given up.
    pub(super) async fn deliver(&self, line: u64, outcome: &Outcome) {
        if !self.call_back(line, outcome).await {
            self.keep(line, outcome).await;
        }
        if let Err(error) = self.journal.settled(&self.host, line).await {
            self.log(format!("the journal could not be written: {error}")).await;
        }
    }
}

/// What is told of a turn, and what ended it.
struct Told {
    text: String,
    ended_by: EndedBy,
    used: Used,
}

impl Told {
    /// The CLI was not started.
    fn of_nothing(text: String) -> Self {
        Self { text, ended_by: EndedBy::Executor, used: Used::nothing() }
    }
}

/// What is told of a turn that came too late.
fn not_begun(mode: &Mode, deadline: Option<Deadline>) -> String {
    not_begun_text(mode.cli, deadline.map_or(0, |deadline| deadline.whole_ms))
}

/// Whether there are lines in an output that are no JSON object, as far as their ends tell.
fn is_noisy(stdout: &[u8]) -> bool {
    let mut lines = stdout.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.any(|line| !(line.is_empty() || line.starts_with(b"{") && line.ends_with(b"}")))
}

/// Why the CLI could not be started, in the words of the product line (recorded).
fn not_started(what: &str, error: &io::Error) -> String {
    match (error.kind(), error.raw_os_error()) {
        (io::ErrorKind::InvalidInput, None) => "embedded null byte".to_owned(),
        (_, Some(number)) => {
            // Rust writes the number behind the words.
            let text = error.to_string();
            let words = text.split(" (os error ").next().unwrap_or(&text);
            format!("[Errno {number}] {words}: '{what}'")
        }
        _ => error.to_string(),
    }
}

/// What its sender is told of a dispatch. Whoever sent more than the executor was given must not take the outcome for that of the
/// whole; the product line cuts in silence (FLEET-ACK-12).
pub(super) fn told(cut: bool, text: String) -> String {
    if !cut {
        return text;
    }
    format!(
        "[cut] the executor was given only a part of this task: its first text, and of that at most {MAX_PROMPT_CHARS} \
         characters\n\n{text}"
    )
}
