//! The control connection of the real lane: how a stand-in CLI, which is a process of its own behind a receiver, reaches the
//! stage of its cell.
//!
//! One JSON object a line, each way, over loopback. The first line carries the key, which the stand-in reads from a file that
//! only its user can read; a receiver filters the environment and the working directory, so nothing else is relied on.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use gauntlet_world::network::{Address, Listener, Stream};
use gauntlet_world::{Either, Host, race};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::cli::{self, Profile};
use crate::injection::{Injector, Quirk};
use crate::stage::{Ending, Invocation, LocalFuture, Part, Stage};

/// The exit code of a stand-in that could not reach its stage.
pub const NO_CONTROL: i32 = 97;
/// What such a stand-in says. Found in a reply or a log, it means that the harness failed and not the subject.
pub const NO_CONTROL_TEXT: &str = "gauntlet stand-in: no control connection";

const MAX_LINE: usize = 16 * 1024 * 1024;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Question {
    Hello { key: String },
    Lifeline { key: String },
    Enter(Box<Invocation>),
    Leave(Box<Ending>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Welcome { profile: Box<Profile>, quirks: Vec<Quirk> },
    Part(Box<Part>),
    Done,
}

/// Why a control connection does not work.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// It broke.
    #[error("the control connection broke: {0}")]
    Broken(#[from] std::io::Error),
    /// What came is no line of this protocol.
    #[error("the control connection says what nobody expected: {0}")]
    Unexpected(String),
}

struct Lines {
    stream: Stream,
    buffer: Vec<u8>,
}

impl Lines {
    fn new(stream: Stream) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    async fn write<T: Serialize>(&mut self, value: &T) -> Result<(), ControlError> {
        let mut line =
            serde_json::to_vec(value).map_err(|error| ControlError::Unexpected(error.to_string()))?;
        line.push(b'\n');
        self.stream.write_all(&line).await?;
        Ok(self.stream.flush().await?)
    }

    async fn read<T: for<'de> Deserialize<'de>>(&mut self) -> Result<T, ControlError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return serde_json::from_slice(&line)
                    .map_err(|error| ControlError::Unexpected(error.to_string()));
            }
            let mut space = [0; 8192];
            let read = self.stream.read(&mut space).await?;
            if read == 0 || self.buffer.len() > MAX_LINE {
                return Err(ControlError::Unexpected("the end of the connection".to_owned()));
            }
            self.buffer.extend_from_slice(&space[..read]);
        }
    }
}

/// Serves stand-ins for ever: hands each the profile and the quirks, and connects it with the stage.
pub async fn serve(
    host: Host,
    listener: Listener,
    key: String,
    stage: Rc<dyn Stage>,
    profile: Arc<Profile>,
    quirks: Vec<Quirk>,
) {
    while let Ok(stream) = listener.accept().await {
        let (key, stage, profile, quirks) = (key.clone(), stage.clone(), profile.clone(), quirks.clone());
        host.spawn(async move {
            // A stand-in that is killed breaks its connection; that is how most of them end.
            let _ = attend(Lines::new(stream), &key, &*stage, &profile, quirks).await;
        });
    }
}

async fn attend(
    mut lines: Lines,
    key: &str,
    stage: &dyn Stage,
    profile: &Profile,
    quirks: Vec<Quirk>,
) -> Result<(), ControlError> {
    let is_right = |shown: &str| bool::from(shown.as_bytes().ct_eq(key.as_bytes()));
    match lines.read().await? {
        Question::Hello { key: shown } if is_right(&shown) => {}
        Question::Lifeline { key: shown } if is_right(&shown) => {
            // Held open until this program ends; the stand-in ends with it.
            let _: Result<Question, _> = lines.read().await;
            return Ok(());
        }
        _ => return Err(ControlError::Unexpected("a wrong key".to_owned())),
    }
    lines.write(&Reply::Welcome { profile: Box::new(profile.clone()), quirks }).await?;
    loop {
        match lines.read().await? {
            Question::Enter(invocation) => {
                let part = stage.enter(*invocation).await;
                lines.write(&Reply::Part(Box::new(part))).await?;
            }
            Question::Leave(ending) => {
                stage.leave(*ending).await;
                lines.write(&Reply::Done).await?;
            }
            Question::Hello { .. } | Question::Lifeline { .. } => {
                return Err(ControlError::Unexpected("a second hello".to_owned()));
            }
        }
    }
}

/// The stage as a stand-in sees it.
struct Remote {
    host: Host,
    lines: RefCell<Option<Lines>>,
}

impl Remote {
    async fn ask(&self, question: Question) -> Option<Reply> {
        let mut lines = self.lines.borrow_mut().take()?;
        lines.write(&question).await.ok()?;
        let reply = lines.read().await.ok()?;
        *self.lines.borrow_mut() = Some(lines);
        Some(reply)
    }
}

impl Stage for Remote {
    fn enter(&self, invocation: Invocation) -> LocalFuture<'_, Part> {
        Box::pin(async move {
            match self.ask(Question::Enter(Box::new(invocation))).await {
                Some(Reply::Part(part)) => *part,
                _ => {
                    let text = format!("{NO_CONTROL_TEXT}\n");
                    let _ = self.host.processes().print_error(text.as_bytes()).await;
                    Part { exit: Some(NO_CONTROL), ..Part::default() }
                }
            }
        })
    }

    fn leave(&self, ending: Ending) -> LocalFuture<'_, ()> {
        Box::pin(async move {
            self.ask(Question::Leave(Box::new(ending))).await;
        })
    }
}

/// Runs a stand-in: reaches the stage, learns the profile, and is that CLI. Gives the exit code. It does not outlive the
/// harness: when that is gone, a second connection, which carries nothing, comes to its end.
pub async fn stand_in(host: Host, control: &Address, key_file: &Path) -> i32 {
    match connect(&host, control, key_file).await {
        Ok(Connected { lines, mut lifeline, profile, quirks }) => {
            let stage = Rc::new(Remote { host: host.clone(), lines: RefCell::new(Some(lines)) });
            let cli = cli::run(host, Arc::new(profile), stage, Injector::new(quirks, Default::default()));
            match race(cli, lifeline.read::<Reply>()).await {
                Either::First(code) => code,
                Either::Second(_) => NO_CONTROL,
            }
        }
        Err(error) => {
            let _ = host.processes().print_error(format!("{NO_CONTROL_TEXT}: {error}\n").as_bytes()).await;
            NO_CONTROL
        }
    }
}

struct Connected {
    lines: Lines,
    lifeline: Lines,
    profile: Profile,
    quirks: Vec<Quirk>,
}

async fn connect(host: &Host, control: &Address, key_file: &Path) -> Result<Connected, ControlError> {
    let key = host.disk().read(key_file).await?;
    let key = String::from_utf8_lossy(&key).trim().to_owned();
    let mut lifeline = Lines::new(host.network().connect(control).await?);
    lifeline.write(&Question::Lifeline { key: key.clone() }).await?;
    let mut lines = Lines::new(host.network().connect(control).await?);
    lines.write(&Question::Hello { key }).await?;
    match lines.read().await? {
        Reply::Welcome { profile, quirks } => Ok(Connected { lines, lifeline, profile: *profile, quirks }),
        other => Err(ControlError::Unexpected(format!("{other:?}").chars().take(100).collect())),
    }
}
