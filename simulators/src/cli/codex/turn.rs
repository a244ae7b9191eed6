//! One turn: from the thread to the last event.

use std::cell::{Cell, RefCell};
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use gauntlet_world::Host;
use gauntlet_world::process::{Command, Output};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::arguments::TurnRequest;
use super::console::Console;
use super::shell;
use super::stdin::Input;
use super::stop::Stop;
use super::talk::{CodexProfile, Failing, FailureSteps, Step, TurnKind, UnknownThread};
use super::template::{EventTemplate, Slot};
use super::thread::{Thread, codex_home};
use crate::injection::{Injector, Millis, Point};
use crate::stage::{Part, ShellCommand};

/// A turn that is being played.
pub(super) struct Turn<'a> {
    host: &'a Host,
    talk: &'a CodexProfile,
    request: &'a TurnRequest,
    part: &'a Part,
    console: &'a Console<'a>,
    began: Instant,
    workdir: PathBuf,
    thread: RefCell<Option<Thread>>,
    /// Items named so far, and model calls made so far, in this process.
    items: Cell<u64>,
    calls: Cell<u64>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        host: &'a Host,
        talk: &'a CodexProfile,
        request: &'a TurnRequest,
        part: &'a Part,
        console: &'a Console<'a>,
        began: Instant,
    ) -> Self {
        let workdir = match request.options.get("cd") {
            Some(directory) => host.disk().absolute(directory),
            None => host.cwd().to_path_buf(),
        };
        Self {
            host,
            talk,
            request,
            part,
            console,
            began,
            workdir,
            thread: RefCell::default(),
            items: Cell::new(0),
            calls: Cell::new(0),
        }
    }

    /// The thread's id, once there is one.
    pub(super) fn session(&self) -> Option<String> {
        self.thread.borrow().as_ref().map(|thread| thread.id.clone())
    }

    /// Plays the turn and returns the exit code.
    pub(super) async fn play(&self, stdin: Input) -> Result<i32, Stop> {
        for line in &self.part.noise {
            self.console.raw_line(line).await?;
        }
        self.warn_of_temporary_home().await?;
        if let Some(refused) = self.choose_thread().await? {
            return Ok(self.part.exit.unwrap_or(refused));
        }
        self.read_stdin(stdin).await?;
        self.group(&self.talk.opening, None).await?;
        self.leave_a_grandchild().await?;
        if let Some(after) = self.part.after {
            self.host.clock().sleep_until(self.began + after.duration()).await;
        }
        self.edit().await?;
        for command in &self.part.commands {
            self.run(command).await?;
        }
        let code = match self.part.failure.map(|failure| self.talk.failures.of(failure)) {
            Some(Failing::Fails(steps)) => self.fail(steps).await?,
            Some(Failing::Unnoticed) | None => self.answer().await?,
        };
        for line in self.part.stderr.iter().flat_map(|text| text.lines()) {
            self.console.error_line(line).await?;
        }
        Ok(self.part.exit.unwrap_or(code))
    }

    async fn warn_of_temporary_home(&self) -> Result<(), Stop> {
        match &self.talk.temporary_home {
            Some(warning) if codex_home(self.host).starts_with(temp_dir(self.host)) => {
                self.console.error_line(&warning.text(&|slot| self.fill(slot, None))).await
            }
            _ => Ok(()),
        }
    }

    /// Finds the thread to go on with, or starts one. Returns an exit code when this version refuses.
    async fn choose_thread(&self) -> Result<Option<i32>, Stop> {
        let thread = match &self.request.session {
            None => None,
            Some(asked) => match self.look_up(asked).await? {
                Lookup::Found(thread) => Some(thread),
                Lookup::Skipped => None,
                Lookup::Unknown(id) => match &self.talk.unknown_thread {
                    UnknownThread::StartNew => None,
                    UnknownThread::Refuse { stderr, exit } => {
                        let fill = |slot| match slot {
                            Slot::Thread => Value::String(id.clone()),
                            other => self.fill(other, None),
                        };
                        for line in stderr {
                            self.console.error_line(&line.text(&fill)).await?;
                        }
                        return Ok(Some(*exit));
                    }
                },
            },
        };
        let thread = match thread {
            Some(thread) => thread,
            None => {
                let thread = Thread::new(self.host);
                if self.is_kept() {
                    thread.begin(self.host).await?;
                }
                thread
            }
        };
        *self.thread.borrow_mut() = Some(thread);
        Ok(None)
    }

    /// Looks a thread up, through its point: a quirk may look for another one, not find it, or not look at all.
    async fn look_up(&self, asked: &str) -> Result<Lookup, Stop> {
        let thread = Thread::find(self.host, asked).await?;
        let event = json!({ "session": asked, "found": thread.is_some() });
        let passed = self.injector().pass(self.host, Point::CliResume, event).await;
        if let Some(code) = passed.exit {
            return Err(Stop::Exit(code));
        }
        let Some(event) = passed.first() else { return Ok(Lookup::Skipped) };
        let Some(id) = event.get("session").and_then(Value::as_str).filter(|id| !id.is_empty()) else {
            return Ok(Lookup::Skipped);
        };
        Ok(match (event.get("found").and_then(Value::as_bool).unwrap_or(false), thread) {
            (false, _) => Lookup::Unknown(id.to_owned()),
            (true, Some(thread)) if thread.id == id => Lookup::Found(thread),
            (true, _) => {
                let other = Thread::find(self.host, id).await?;
                Lookup::Found(other.unwrap_or_else(|| Thread { id: id.to_owned(), calls: 0 }))
            }
        })
    }

    /// Versions that read standard input read it to its end first: while someone holds it open, nothing else happens.
    async fn read_stdin(&self, stdin: Input) -> Result<(), Stop> {
        let kind = if self.request.session.is_some() { TurnKind::Resumed } else { TurnKind::First };
        if let Some(talk) = self.talk.stdin.as_ref().filter(|talk| talk.turns.contains(&kind)) {
            self.console.error_line(&talk.notice).await?;
            stdin.read_to_end().await;
        }
        Ok(())
    }

    /// Starts a process that outlives this one with its standard streams open.
    async fn leave_a_grandchild(&self) -> Result<(), Stop> {
        let Some(Millis(millis)) = self.part.grandchild else { return Ok(()) };
        let command = Command {
            args: vec![format!("{}.{:03}", millis / 1000, millis % 1000)],
            env: self.host.environment().clone(),
            stdout: Output::Inherit,
            stderr: Output::Inherit,
            own_group: false,
            ..Command::new("sleep", &self.workdir)
        };
        let child = self.host.processes().spawn(command).await;
        child.map(drop).map_err(|error| Stop::mishap("cannot start sleep", &error))
    }

    /// Writes the files of the turn, before any event tells of it.
    async fn edit(&self) -> Result<(), Stop> {
        for (name, content) in &self.part.edits {
            let relative = Path::new(name);
            let below = relative.components().all(|part| matches!(part, Component::Normal(_)));
            if name.is_empty() || !below {
                return Err(Stop::mishap("cannot edit what is not below the working directory", name));
            }
            let path = self.workdir.join(relative);
            let disk = self.host.disk();
            let written = async {
                disk.make_dir(path.parent().unwrap_or(&self.workdir)).await?;
                disk.write(&path, content.as_bytes()).await
            };
            written.await.map_err(|error| Stop::mishap(format_args!("cannot write {name}"), &error))?;
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
        }
        self.count_item(numbered.into_iter().flatten());
        Ok(())
    }

    /// The answer, if there is one, and the end of the turn. The thread's file has the answer before anyone reads it.
    async fn answer(&self) -> Result<i32, Stop> {
        self.count_call();
        self.keep(self.part.reply.as_deref()).await?;
        if self.part.reply.is_some() {
            self.group(&self.talk.reply, None).await?;
        }
        self.group(&self.talk.closing, None).await?;
        Ok(0)
    }

    async fn fail(&self, failure: &FailureSteps) -> Result<i32, Stop> {
        self.keep(None).await?;
        for step in &failure.steps {
            match step {
                Step::Stdout(event) => self.events(std::slice::from_ref(event), None).await?,
                Step::Stderr(line) => {
                    self.console.error_line(&line.text(&|slot| self.fill(slot, None))).await?;
                }
                Step::Wait(time) => self.host.clock().sleep(time.duration()).await,
                Step::Repeat(repeat) => loop {
                    self.events(std::slice::from_ref(&repeat.stdout), None).await?;
                    self.host.clock().sleep(repeat.every.duration()).await;
                },
            }
        }
        Ok(failure.exit)
    }

    async fn keep(&self, reply: Option<&str>) -> Result<(), Stop> {
        let thread = self.thread.borrow().clone();
        match thread {
            Some(thread) if self.is_kept() => {
                thread.add(self.host, &self.request.prompt, reply, self.calls.get()).await
            }
            _ => Ok(()),
        }
    }

    /// Whether the thread has a file: an ephemeral one has none.
    fn is_kept(&self) -> bool {
        !self.request.options.contains_key("ephemeral")
    }

    fn injector(&self) -> &Injector {
        self.console.injector()
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
            self.console.event(event.event(&|slot| self.fill(slot, command))).await?;
        }
        Ok(())
    }

    fn fill(&self, slot: Slot, command: Option<&ShellCommand>) -> Value {
        let of_command = |value: fn(&ShellCommand) -> Value| command.map_or(Value::Null, value);
        match slot {
            Slot::Thread => json!(self.session()),
            Slot::Prompt => json!(self.request.prompt),
            Slot::Reply => json!(self.part.reply),
            Slot::Model => json!(self.request.options.get("model").unwrap_or(&self.talk.model)),
            Slot::Workdir => json!(self.workdir.to_string_lossy()),
            Slot::Sandbox => {
                let sandbox = self.request.options.get("sandbox").unwrap_or(&self.talk.sandbox);
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
            Slot::Nanos => json!(3_000_000 + self.host.entropy().below(1_000_000)),
            Slot::JitterMs => json!(180 + self.host.entropy().below(41)),
            Slot::Stamp => json!(log_stamp(self.host)),
            Slot::InputTokens => json!(self.talk.tokens_per_call.input.saturating_mul(self.thread_calls())),
            Slot::OutputTokens => json!(self.talk.tokens_per_call.output.saturating_mul(self.thread_calls())),
            Slot::CodexHome => json!(codex_home(self.host).to_string_lossy()),
            Slot::TempDir => json!(temp_dir(self.host).to_string_lossy()),
        }
    }

    fn in_shell(&self, command: &ShellCommand) -> Vec<String> {
        let mut words = self.talk.shell.clone();
        words.push(command.command.clone());
        words
    }

    /// Model calls of the thread so far: the recorded totals go on over a resumed turn.
    fn thread_calls(&self) -> u64 {
        let before = self.thread.borrow().as_ref().map_or(0, |thread| thread.calls);
        before.saturating_add(self.calls.get())
    }
}

/// What became of the lookup of a thread.
enum Lookup {
    Found(Thread),
    Unknown(String),
    Skipped,
}

fn temp_dir(host: &Host) -> PathBuf {
    PathBuf::from(host.env("TMPDIR").unwrap_or("/tmp"))
}

/// `2026-11-21T01:25:42.256060Z`. The wall clock counts milliseconds, so the last three digits are always 0.
fn log_stamp(host: &Host) -> String {
    let wall = host.clock().wall();
    format!("{}.{:03}000Z", wall.stamp().replace(' ', "T"), wall.millis().rem_euclid(1000))
}
