//! One turn: from the session to the last frame.

use std::cell::Cell;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::home::{claude_home, new_id, project, sessions, timestamp};
use super::talk::{Counting, Failing, Speech};
use crate::cli::refusing::Refusing;
use crate::cli::scene::Scene;
use crate::cli::session::{Current, Lookup, Session};
use crate::cli::stop::Stop;
use crate::cli::template::{EventTemplate, Slot};
use crate::stage::ShellCommand;

/// A turn that is being played.
pub(super) struct Turn<'a> {
    scene: Scene<'a>,
    speech: &'a Speech,
    workdir: PathBuf,
    session: Current,
    /// Model calls made so far in this process.
    calls: Cell<u64>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(scene: Scene<'a>, speech: &'a Speech) -> Self {
        let workdir = scene.host.cwd().to_path_buf();
        Self { scene, speech, workdir, session: Current::default(), calls: Cell::new(0) }
    }

    /// The session's id, once there is one.
    pub(super) fn session(&self) -> Option<String> {
        self.session.id()
    }

    /// Plays the turn and returns the exit code.
    pub(super) async fn play(&self) -> Result<i32, Stop> {
        let (scene, speech) = (&self.scene, self.speech);
        scene.make_noise().await?;
        if let Some(refused) = self.choose_session().await? {
            return Ok(scene.part.exit.unwrap_or(refused));
        }
        self.frame(&speech.init, None).await?;
        scene.leave_a_grandchild(&self.workdir).await?;
        scene.take_time().await;
        scene.edit(&self.workdir).await?;
        for command in &scene.part.commands {
            self.count_call();
            self.frame(&speech.command.asked, Some(command)).await?;
            scene.take_time_of(command).await;
            self.frame(&speech.command.ended, Some(command)).await?;
        }
        let code = match scene.part.failure.map(|failure| speech.failures.of(failure)) {
            Some(Failing::Fails(steps)) => {
                self.keep(None).await?;
                steps.play(scene, &|slot| self.fill(slot, None)).await?
            }
            Some(Failing::Recovers(recovery)) => {
                self.frame(&recovery.again, None).await?;
                self.answer(&recovery.reply).await?
            }
            None => self.answer(&speech.reply).await?,
        };
        scene.complain().await?;
        Ok(scene.part.exit.unwrap_or(code))
    }

    /// Finds the session to go on with, or begins one. Returns an exit code when that cannot be.
    async fn choose_session(&self) -> Result<Option<i32>, Stop> {
        let (host, request) = (self.scene.host, self.scene.request);
        let folder = sessions(host, &self.workdir);
        let session = match (&request.session, request.options.get("session-id")) {
            (Some(asked), _) => match Session::look_up(&self.scene, &folder, asked).await? {
                Lookup::Found(session) => Some(session),
                Lookup::Skipped => None,
                Lookup::Unknown(id) => return self.refuse(&self.speech.unknown_session, &id).await,
            },
            (None, Some(asked)) => {
                if Session::find(host, &folder, asked).await?.is_some() {
                    return self.refuse(&self.speech.used_session, asked).await;
                }
                let session = Session::new(asked.clone(), folder.clone());
                session.begin(host).await?;
                Some(session)
            }
            (None, None) => None,
        };
        let session = match session {
            Some(session) => session,
            None => {
                let session = Session::new(new_id(host), folder);
                session.begin(host).await?;
                session
            }
        };
        self.session.set(session);
        Ok(None)
    }

    async fn refuse(&self, refusing: &Refusing, id: &str) -> Result<Option<i32>, Stop> {
        refusing.play(&self.scene, id, &|slot| self.fill(slot, None)).await.map(Some)
    }

    /// The answer, if there is one, and the end of the turn. The session's file has the answer before anyone reads it.
    async fn answer(&self, reply: &EventTemplate) -> Result<i32, Stop> {
        self.count_call();
        self.keep(self.scene.part.reply.as_deref()).await?;
        if self.scene.part.reply.is_some() {
            self.frame(reply, None).await?;
        }
        self.frame(&self.speech.result, None).await?;
        Ok(0)
    }

    async fn keep(&self, reply: Option<&str>) -> Result<(), Stop> {
        self.session.add(&self.scene, reply, self.calls.get()).await
    }

    fn count_call(&self) {
        self.calls.set(self.calls.get() + 1);
    }

    async fn frame(&self, frame: &EventTemplate, command: Option<&ShellCommand>) -> Result<(), Stop> {
        self.scene.console.event(frame.event(&|slot| self.fill(slot, command))).await
    }

    fn fill(&self, slot: Slot, command: Option<&ShellCommand>) -> Value {
        let host = self.scene.host;
        let of_command = |value: fn(&ShellCommand) -> Value| command.map_or(Value::Null, value);
        match slot {
            Slot::Session => json!(self.session()),
            Slot::Prompt => json!(self.scene.request.prompt),
            Slot::Reply => json!(self.scene.part.reply.as_deref().unwrap_or_default()),
            Slot::Model => json!(self.model()),
            Slot::Workdir => json!(self.workdir.to_string_lossy()),
            Slot::Project => json!(project(&self.workdir)),
            Slot::ClaudeHome => json!(claude_home(host).to_string_lossy()),
            Slot::TempDir => json!(host.env("TMPDIR").unwrap_or("/tmp")),
            Slot::Pid => json!(host.pid().0),
            Slot::Uuid => json!(new_id(host)),
            Slot::Timestamp => json!(timestamp(host)),
            Slot::DurationMs => {
                json!((host.clock().now() - self.scene.began).as_millis().to_string().parse::<u64>().ok())
            }
            Slot::Turns => json!(self.turns()),
            Slot::Call => json!(self.calls.get()),
            Slot::Command => of_command(|command| json!(command.command)),
            Slot::Output => of_command(|command| json!(command.output)),
            Slot::ExitCode => of_command(|command| json!(command.exit)),
            Slot::Failed => of_command(|command| json!(command.exit != 0)),
            _ => Value::Null,
        }
    }

    /// The model that was asked for, by its whole name.
    fn model(&self) -> &str {
        let asked = self.scene.request.options.get("model").map_or("default", String::as_str);
        self.speech.models.get(asked).map_or(asked, String::as_str)
    }

    fn turns(&self) -> u64 {
        let before = self.session.earlier_calls();
        match self.speech.num_turns {
            Counting::Calls => self.calls.get(),
            Counting::Messages => before.saturating_add(self.calls.get()).saturating_mul(2).saturating_sub(1),
        }
    }
}
