//! One turn: from the conversation to the answer.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::arguments::LIMIT;
use super::home::{conversations, new_conversation, record};
use super::talk::AgyProfile;
use crate::cli::scene::Scene;
use crate::cli::session::{Current, Lookup, Session};
use crate::cli::stop::Stop;
use crate::cli::template::Slot;
use gauntlet_world::injection::{Millis, Point};

/// A turn that is being played.
pub(super) struct Turn<'a> {
    scene: Scene<'a>,
    talk: &'a AgyProfile,
    workdir: PathBuf,
    session: Current,
}

impl<'a> Turn<'a> {
    pub(super) fn new(scene: Scene<'a>, talk: &'a AgyProfile) -> Self {
        let workdir = scene.host.cwd().to_path_buf();
        Self { scene, talk, workdir, session: Current::default() }
    }

    /// The conversation's id, once there is one.
    pub(super) fn session(&self) -> Option<String> {
        self.session.id()
    }

    /// Plays the turn and returns the exit code.
    pub(super) async fn play(&self) -> Result<i32, Stop> {
        let scene = &self.scene;
        scene.make_noise().await?;
        let session = self.choose_conversation().await?;
        self.session.set(session.clone());
        scene.leave_a_grandchild(&self.workdir).await?;
        if let Some(code) = self.take_time().await? {
            return Ok(scene.part.exit.unwrap_or(code));
        }
        scene.edit(&self.workdir).await?;
        let code = match scene.part.failure.map(|failure| self.talk.failures.of(failure)) {
            Some(steps) => steps.play(scene, &|slot| self.fill(slot)).await?,
            None => {
                self.answer(&session).await?;
                0
            }
        };
        scene.complain().await?;
        Ok(scene.part.exit.unwrap_or(code))
    }

    /// Finds the conversation to go on with, or begins one, and says so when it was asked for another one.
    async fn choose_conversation(&self) -> Result<Session, Stop> {
        let host = self.scene.host;
        if let Some(asked) = &self.scene.request.session {
            match Session::look_up(&self.scene, &conversations(host), asked).await? {
                Lookup::Found(session) => return Ok(session),
                Lookup::Skipped => {}
                Lookup::Unknown(id) => {
                    let fill = |slot| match slot {
                        Slot::Session => Value::String(id.clone()),
                        other => self.fill(other),
                    };
                    self.print("warning", &self.talk.unknown_conversation.text(&fill)).await?;
                }
            }
        }
        let session = new_conversation(host);
        session.begin(host).await?;
        Ok(session)
    }

    /// Lets the part's time pass. An exit code: the limit that it was told came first.
    async fn take_time(&self) -> Result<Option<i32>, Stop> {
        let (host, part) = (self.scene.host, self.scene.part);
        let limit = self.scene.request.options.get(LIMIT).and_then(|limit| limit.parse::<Millis>().ok());
        if let Some(limit) =
            limit.filter(|limit| !part.hangs && part.after.is_some_and(|after| after > *limit))
        {
            host.clock().sleep_until(self.scene.began + limit.duration()).await;
            let event = json!({ "seconds": limit.duration().as_secs_f64(), "text": "" });
            let passed = self.scene.console.injector().pass(host, Point::CliLimit, event).await;
            if let Some(code) = passed.exit {
                return Err(Stop::Exit(code));
            }
            if let Some(event) = passed.first() {
                let text = event.get("text").and_then(Value::as_str).unwrap_or_default();
                if !text.is_empty() {
                    self.print("answer", text).await?;
                }
                for line in &self.talk.limit.stderr {
                    self.scene.console.error_line(line).await?;
                }
                return Ok(Some(self.talk.limit.exit));
            }
        }
        self.scene.take_time().await;
        Ok(None)
    }

    /// Everything that the conversation said so far, and the answer, if there is one. Both files have it before anyone reads it.
    async fn answer(&self, session: &Session) -> Result<(), Stop> {
        let (host, part) = (self.scene.host, self.scene.part);
        let said = session.replies(host).await?;
        session.add(host, &self.scene.request.prompt, part.reply.as_deref(), 1).await?;
        if !part.untold {
            record(host, self.scene.console, &self.workdir, &session.id).await?;
        }
        for text in &said {
            self.print("replay", text).await?;
        }
        match &part.reply {
            Some(reply) => self.print("answer", reply).await,
            None => Ok(()),
        }
    }

    async fn print(&self, kind: &str, text: &str) -> Result<(), Stop> {
        self.scene.console.text(json!({ "kind": kind, "text": text })).await
    }

    fn fill(&self, slot: Slot) -> Value {
        match slot {
            Slot::Session => json!(self.session()),
            Slot::Prompt => json!(self.scene.request.prompt),
            Slot::Workdir => json!(self.workdir.to_string_lossy()),
            _ => Value::Null,
        }
    }
}
