//! One turn: from the session to the last event.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;

use gauntlet_world::Host;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::home::{data_home, database, sessions};
use super::talk::{AsksAgain, Failing, OpencodeProfile, Speech, TurnTalk};
use crate::cli::scene::Scene;
use crate::cli::session::{Current, Lookup, Session};
use crate::cli::stdin::Input;
use crate::cli::stop::Stop;
use crate::cli::template::{EventTemplate, Slot};
use crate::opencode_ids::Ids;
use crate::stage::ShellCommand;

/// Why a step is over, in the words of the recordings.
const TOOL_CALLS: &str = "tool-calls";
const STOP: &str = "stop";

/// A turn that is being played.
pub(super) struct Turn<'a> {
    scene: Scene<'a>,
    talk: &'a OpencodeProfile,
    workdir: PathBuf,
    session: Current,
    ids: Ids,
    /// The message that the model is giving.
    message: RefCell<String>,
    /// Model calls made so far in this process.
    calls: Cell<u64>,
    reason: Cell<&'static str>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(scene: Scene<'a>, talk: &'a OpencodeProfile) -> Self {
        let workdir = scene.host.cwd().to_path_buf();
        Self {
            scene,
            talk,
            workdir,
            session: Current::default(),
            ids: Ids::default(),
            message: RefCell::default(),
            calls: Cell::new(0),
            reason: Cell::new(STOP),
        }
    }

    /// The session's id, once there is one.
    pub(super) fn session(&self) -> Option<String> {
        self.session.id()
    }

    /// Plays the turn and returns the exit code.
    pub(super) async fn play(&self, stdin: Input) -> Result<i32, Stop> {
        let scene = &self.scene;
        if self.talk.reads_stdin {
            stdin.read_to_end().await;
        }
        scene.make_noise().await?;
        self.settle_in().await?;
        let speech = match &self.talk.turn {
            TurnTalk::Breaks(steps) => {
                let code = steps.play(scene, &|slot| self.fill(slot, None)).await?;
                return Ok(scene.part.exit.unwrap_or(code));
            }
            TurnTalk::Speaks(speech) => speech,
        };
        if let Some(refused) = self.choose_session(speech).await? {
            return Ok(scene.part.exit.unwrap_or(refused));
        }
        scene.leave_a_grandchild(&self.workdir).await?;
        scene.take_time().await;
        scene.edit(&self.workdir).await?;
        for command in &scene.part.commands {
            self.step(
                TOOL_CALLS,
                &[&speech.step_start, &speech.tool_use, &speech.step_finish],
                Some(command),
            )
            .await?;
        }
        let code = match scene.part.failure.map(|failure| speech.failures.of(failure)) {
            Some(Failing::Fails(steps)) => {
                self.keep(None, 1).await?;
                steps.play(scene, &|slot| self.fill(slot, None)).await?
            }
            Some(Failing::AsksAgain(again)) => self.ask_again(speech, again).await?,
            None => self.answer(speech, &speech.step_finish, 1).await?,
        };
        scene.complain().await?;
        Ok(scene.part.exit.unwrap_or(code))
    }

    /// What only the first turn below a home has to do.
    async fn settle_in(&self) -> Result<(), Stop> {
        let (host, path) = (self.scene.host, database(self.scene.host));
        let known = host.disk().read_if_present(&path).await;
        if known.map_err(|error| Stop::mishap(path.display(), &error))?.is_some() {
            return Ok(());
        }
        for line in &self.talk.first_turn {
            self.scene.console.error_line(&line.text(&|slot| self.fill(slot, None))).await?;
        }
        let written = async {
            host.disk().make_dir(&data_home(host)).await?;
            host.disk().write(&path, b"").await
        };
        written.await.map_err(|error| Stop::mishap(path.display(), &error))
    }

    /// Finds the session to go on with, or starts one. Returns an exit code when there is no such session.
    async fn choose_session(&self, speech: &Speech) -> Result<Option<i32>, Stop> {
        let folder = sessions(self.scene.host);
        let found = match &self.scene.request.session {
            None => Lookup::Skipped,
            Some(asked) => Session::look_up(&self.scene, &folder, asked).await?,
        };
        let session = match found {
            Lookup::Found(session) => session,
            Lookup::Skipped => {
                let session = Session::new(self.ids.descending(self.scene.host, "ses"), folder);
                session.begin(self.scene.host).await?;
                session
            }
            Lookup::Unknown(id) => {
                let fill = |slot| self.fill(slot, None);
                return speech.unknown_session.play(&self.scene, &id, &fill).await.map(Some);
            }
        };
        self.session.set(session);
        Ok(None)
    }

    async fn ask_again(&self, speech: &Speech, again: &AsksAgain) -> Result<i32, Stop> {
        self.answer(speech, &again.step_finish, again.times).await?;
        Ok(again.exit)
    }

    /// The answer, if there is one, and the end of the turn. The session's file has the answer before anyone reads it.
    async fn answer(&self, speech: &Speech, finish: &EventTemplate, times: u32) -> Result<i32, Stop> {
        self.keep(self.scene.part.reply.as_deref(), times).await?;
        for _ in 0..times {
            match self.scene.part.reply {
                Some(_) => self.step(STOP, &[&speech.step_start, &speech.text, finish], None).await?,
                None => self.step(STOP, &[&speech.step_start, finish], None).await?,
            }
        }
        Ok(0)
    }

    /// One call of the model: the events belong to one message.
    async fn step(
        &self,
        reason: &'static str,
        events: &[&EventTemplate],
        command: Option<&ShellCommand>,
    ) -> Result<(), Stop> {
        self.calls.set(self.calls.get() + 1);
        self.reason.set(reason);
        *self.message.borrow_mut() = self.ids.ascending(self.scene.host, "msg");
        for (number, event) in events.iter().enumerate() {
            self.scene.console.event(event.event(&|slot| self.fill(slot, command))).await?;
            if let (0, Some(command)) = (number, command) {
                self.scene.take_time_of(command).await;
            }
        }
        Ok(())
    }

    /// Adds the turn to its session: with what was called so far, and so many calls that are still to come.
    async fn keep(&self, reply: Option<&str>, calls: u32) -> Result<(), Stop> {
        self.session.add(&self.scene, reply, self.calls.get() + u64::from(calls)).await
    }

    fn fill(&self, slot: Slot, command: Option<&ShellCommand>) -> Value {
        let host = self.scene.host;
        let of_command = |value: fn(&ShellCommand) -> Value| command.map_or(Value::Null, value);
        match slot {
            Slot::Session => json!(self.session()),
            Slot::Message => json!(*self.message.borrow()),
            Slot::Part => json!(self.ids.ascending(host, "prt")),
            Slot::Snapshot => json!(self.snapshot()),
            Slot::Reason => json!(self.reason.get()),
            Slot::NowMs => json!(host.clock().wall().millis()),
            Slot::HttpDate => json!(http_date(host)),
            Slot::LogName => json!(log_name(host)),
            Slot::DataHome => json!(data_home(host).to_string_lossy()),
            Slot::Workdir => json!(self.workdir.to_string_lossy()),
            Slot::Prompt => json!(self.scene.request.prompt),
            Slot::Reply => json!(self.scene.part.reply),
            Slot::Call => json!(self.calls.get()),
            Slot::Command => of_command(|command| json!(command.command)),
            Slot::Output => of_command(|command| json!(command.output)),
            Slot::ExitCode => of_command(|command| json!(command.exit)),
            // Slots of other CLIs.
            _ => Value::Null,
        }
    }

    /// A hash of the working directory. All of it that this turn knows is its place and what the turn wrote.
    fn snapshot(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.workdir.to_string_lossy().as_bytes());
        for (name, content) in &self.scene.part.edits {
            hasher.update(json!([name, content]).to_string().as_bytes());
        }
        hasher.finalize().to_hex().chars().take(40).collect()
    }
}

fn moment(host: &Host) -> Timestamp {
    Timestamp::from_millisecond(host.clock().wall().millis()).unwrap_or(Timestamp::MAX)
}

/// `Sat, 21 Nov 2026 01:17:41 GMT`
fn http_date(host: &Host) -> String {
    DateTimePrinter::new().timestamp_to_rfc9110_string(&moment(host)).unwrap_or_default()
}

/// `2026-11-21T013108`
fn log_name(host: &Host) -> String {
    moment(host).to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H%M%S").to_string()
}
