//! One turn: from the thread to the last event.

use std::cell::Cell;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use gauntlet_world::Host;
use serde_json::{Value, json};

use super::home::{codex_home, new_thread, threads};
use super::shell;
use super::talk::{CodexProfile, Failing, TurnKind, UnknownThread};
use crate::cli::failing::FailureSteps;
use crate::cli::scene::Scene;
use crate::cli::session::{Current, Lookup, Session};
use crate::cli::stdin::Input;
use crate::cli::stop::Stop;
use crate::cli::template::{EventTemplate, Slot};
use crate::stage::ShellCommand;

/// A turn that is being played.
pub(super) struct Turn<'a> {
    scene: Scene<'a>,
    talk: &'a CodexProfile,
    workdir: PathBuf,
    thread: Current,
    /// Items named so far, and model calls made so far, in this process.
    items: Cell<u64>,
    calls: Cell<u64>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(scene: Scene<'a>, talk: &'a CodexProfile) -> Self {
        let workdir = match scene.request.options.get("cd") {
            Some(directory) => scene.host.disk().absolute(directory),
            None => scene.host.cwd().to_path_buf(),
        };
        Self { scene, talk, workdir, thread: Current::default(), items: Cell::new(0), calls: Cell::new(0) }
    }

    /// The thread's id, once there is one.
    pub(super) fn session(&self) -> Option<String> {
        self.thread.id()
    }

    /// Plays the turn and returns the exit code.
    pub(super) async fn play(&self, stdin: Input) -> Result<i32, Stop> {
        let scene = &self.scene;
        scene.make_noise().await?;
        self.warn_of_temporary_home().await?;
        if let Some(refused) = self.choose_thread().await? {
            return Ok(scene.part.exit.unwrap_or(refused));
        }
        self.read_stdin(stdin).await?;
        self.group(&self.talk.opening, None).await?;
        scene.leave_a_grandchild(&self.workdir).await?;
        scene.take_time().await;
        scene.edit(&self.workdir).await?;
        for command in &scene.part.commands {
            self.run(command).await?;
        }
        let code = match scene.part.failure.map(|failure| self.talk.failures.of(failure)) {
            Some(Failing::Fails(steps)) => self.fail(steps).await?,
            Some(Failing::Unnoticed) | None => self.answer().await?,
        };
        scene.complain().await?;
        Ok(scene.part.exit.unwrap_or(code))
    }

    async fn warn_of_temporary_home(&self) -> Result<(), Stop> {
        match &self.talk.temporary_home {
            Some(warning) if codex_home(self.scene.host).starts_with(temp_dir(self.scene.host)) => {
                self.scene.console.error_line(&warning.text(&|slot| self.fill(slot, None))).await
            }
            _ => Ok(()),
        }
    }

    /// Finds the thread to go on with, or starts one. Returns an exit code when this version refuses.
    async fn choose_thread(&self) -> Result<Option<i32>, Stop> {
        let thread = match &self.scene.request.session {
            None => None,
            Some(asked) => match Session::look_up(&self.scene, &threads(self.scene.host), asked).await? {
                Lookup::Found(thread) => Some(thread),
                Lookup::Skipped => None,
                Lookup::Unknown(id) => match &self.talk.unknown_thread {
                    UnknownThread::StartNew => None,
                    UnknownThread::Refuse(refusing) => {
                        let fill = |slot| self.fill(slot, None);
                        return refusing.play(&self.scene, &id, &fill).await.map(Some);
                    }
                },
            },
        };
        let thread = match thread {
            Some(thread) => thread,
            None => {
                let thread = new_thread(self.scene.host);
                if self.is_kept() {
                    thread.begin(self.scene.host).await?;
                }
                thread
            }
        };
        self.thread.set(thread);
        Ok(None)
    }

    /// Versions that read standard input read it to its end first: while someone holds it open, nothing else happens.
    async fn read_stdin(&self, stdin: Input) -> Result<(), Stop> {
        let kind = if self.scene.request.session.is_some() { TurnKind::Resumed } else { TurnKind::First };
        if let Some(talk) = self.talk.stdin.as_ref().filter(|talk| talk.turns.contains(&kind)) {
            self.scene.console.error_line(&talk.notice).await?;
            stdin.read_to_end().await;
        }
        Ok(())
    }

    async fn run(&self, command: &ShellCommand) -> Result<(), Stop> {
        self.count_call();
        let talk = &self.talk.command;
        let numbered = [&talk.started, &talk.output, &talk.completed];
        for events in numbered {
            if std::ptr::eq(events, &talk.output) && command.output.is_empty() {
                continue;
            }
            self.events(events, Some(command)).await?;
            if std::ptr::eq(events, &talk.started) {
                self.scene.take_time_of(command).await;
            }
        }
        self.count_item(numbered.into_iter().flatten());
        Ok(())
    }

    /// The answer, if there is one, and the end of the turn. The thread's file has the answer before anyone reads it.
    async fn answer(&self) -> Result<i32, Stop> {
        self.count_call();
        self.keep(self.scene.part.reply.as_deref()).await?;
        if self.scene.part.reply.is_some() {
            self.group(&self.talk.reply, None).await?;
        }
        self.group(&self.talk.closing, None).await?;
        Ok(0)
    }

    async fn fail(&self, failure: &FailureSteps) -> Result<i32, Stop> {
        self.keep(None).await?;
        failure.play(&self.scene, &|slot| self.fill(slot, None)).await
    }

    async fn keep(&self, reply: Option<&str>) -> Result<(), Stop> {
        if !self.is_kept() {
            return Ok(());
        }
        self.thread.add(&self.scene, reply, self.calls.get()).await
    }

    /// Whether the thread has a file: an ephemeral one has none.
    fn is_kept(&self) -> bool {
        !self.scene.request.options.contains_key("ephemeral")
    }

    fn count_call(&self) {
        self.calls.set(self.calls.get() + 1);
    }

    /// Events that belong together: those that name an item name the same one, and the next group names the next.
    async fn group(&self, events: &[EventTemplate], command: Option<&ShellCommand>) -> Result<(), Stop> {
        self.events(events, command).await?;
        self.count_item(events);
        Ok(())
    }

    fn count_item<'e>(&self, events: impl IntoIterator<Item = &'e EventTemplate>) {
        if events.into_iter().any(|event| event.uses(Slot::Item)) {
            self.items.set(self.items.get() + 1);
        }
    }

    async fn events(&self, events: &[EventTemplate], command: Option<&ShellCommand>) -> Result<(), Stop> {
        for event in events {
            self.scene.console.event(event.event(&|slot| self.fill(slot, command))).await?;
        }
        Ok(())
    }

    fn fill(&self, slot: Slot, command: Option<&ShellCommand>) -> Value {
        let of_command = |value: fn(&ShellCommand) -> Value| command.map_or(Value::Null, value);
        match slot {
            Slot::Thread => json!(self.session()),
            Slot::Prompt => json!(self.scene.request.prompt),
            Slot::Reply => json!(self.scene.part.reply),
            Slot::Model => json!(self.scene.request.options.get("model").unwrap_or(&self.talk.model)),
            Slot::Workdir => json!(self.workdir.to_string_lossy()),
            Slot::Sandbox => {
                let sandbox = self.scene.request.options.get("sandbox").unwrap_or(&self.talk.sandbox);
                json!(self.talk.sandbox_shown.get(sandbox).unwrap_or(sandbox))
            }
            Slot::Item => json!(self.items.get()),
            Slot::Call => json!(self.calls.get()),
            Slot::Command => of_command(|command| json!(command.command)),
            Slot::CommandLine => {
                command.map_or(Value::Null, |command| json!(shell::joined(&self.in_shell(command))))
            }
            Slot::CommandArgv => command.map_or(Value::Null, |command| json!(self.in_shell(command))),
            Slot::Output => of_command(|command| json!(command.output)),
            Slot::OutputBase64 => of_command(|command| json!(BASE64.encode(&command.output))),
            Slot::ExitCode => of_command(|command| json!(command.exit)),
            Slot::Status => {
                of_command(|command| json!(if command.exit == 0 { "completed" } else { "failed" }))
            }
            Slot::Nanos => json!(3_000_000 + self.scene.host.entropy().below(1_000_000)),
            Slot::JitterMs => json!(180 + self.scene.host.entropy().below(41)),
            Slot::Stamp => json!(log_stamp(self.scene.host)),
            Slot::InputTokens => json!(self.talk.tokens_per_call.input.saturating_mul(self.thread_calls())),
            Slot::OutputTokens => json!(self.talk.tokens_per_call.output.saturating_mul(self.thread_calls())),
            Slot::CodexHome => json!(codex_home(self.scene.host).to_string_lossy()),
            Slot::TempDir => json!(temp_dir(self.scene.host).to_string_lossy()),
            // Slots of other CLIs.
            _ => Value::Null,
        }
    }

    fn in_shell(&self, command: &ShellCommand) -> Vec<String> {
        let mut words = self.talk.shell.clone();
        words.push(command.command.clone());
        words
    }

    /// Model calls of the thread so far: the recorded totals go on over a resumed turn.
    fn thread_calls(&self) -> u64 {
        let before = self.thread.earlier_calls();
        before.saturating_add(self.calls.get())
    }
}

fn temp_dir(host: &Host) -> PathBuf {
    PathBuf::from(host.env("TMPDIR").unwrap_or("/tmp"))
}

/// `2026-11-21T01:25:42.256060Z`. The wall clock counts milliseconds, so the last three digits are always 0.
fn log_stamp(host: &Host) -> String {
    let wall = host.clock().wall();
    format!("{}.{:03}000Z", wall.stamp().replace(' ', "T"), wall.millis().rem_euclid(1000))
}
