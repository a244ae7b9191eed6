//! The trace: the ordered list of everything observable in a cell. Oracles read nothing else.
//!
//! Every observation can be made in both lanes: bytes of requests and callbacks, what the stand-in CLI was given, results of
//! tools, deliveries, files at named moments, ends of processes.

mod digest;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use gauntlet_reports::Secrets;
use gauntlet_simulators::stage::{Ending, Invocation};
use gauntlet_world::simulated::disk::See;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::saved::replaced;
pub use digest::digest;

/// One thing that was observed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Observation {
    /// Milliseconds since the cell began.
    pub at_ms: u64,
    /// What it was.
    #[serde(flatten)]
    pub what: What,
}

/// The moment of [`What::Leftovers`] at which it is a Hermes node that nothing should be left of.
pub(crate) const OF_NODE: &str = "node";

/// What can be observed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// A process was started by the harness.
    Started {
        /// `receiver` or `runtime`.
        host: String,
    },
    /// A process that the harness started is ready for work.
    Ready {
        /// `receiver` or `runtime`.
        host: String,
    },
    /// A process ended.
    Ended {
        /// `receiver` or `runtime`.
        host: String,
        /// Its return code; negative for a signal.
        code: i32,
    },
    /// The harness or a fault killed a process.
    Killed {
        /// `receiver` or `runtime`.
        host: String,
    },
    /// The harness asked a process to end.
    Stopped {
        /// `receiver` or `runtime`.
        host: String,
    },
    /// The machine lost power.
    PowerCut,
    /// One exchange with the receiver, as raw bytes.
    Exchange {
        /// The step that made it.
        step: String,
        /// What was sent.
        sent: Blob,
        /// What came back.
        received: Blob,
    },
    /// A dispatch was accepted or not, as its sender sees it.
    Dispatched {
        /// The dispatch's name in the scenario.
        dispatch: String,
        /// Its context's real id; what the acknowledgement says when the dispatch names none.
        context: Option<String>,
        /// Whether the sender holds an acknowledgement.
        acknowledged: bool,
    },
    /// A dispatch that may have been accepted asks for its outcome on another context.
    Redirected {
        /// The dispatch's name in the scenario.
        dispatch: String,
        /// The context's real id.
        context: String,
    },
    /// A step's result.
    Result {
        /// The step.
        step: String,
        /// The result.
        value: Value,
    },
    /// The CLI was started.
    CliEntered {
        /// The dispatch that it is for, as far as the prompt tells.
        dispatch: Option<String>,
        /// What it was given.
        invocation: Invocation,
    },
    /// The CLI ended by itself.
    CliLeft {
        /// What it did.
        ending: Ending,
    },
    /// Whoever answers for a Hermes node was asked.
    Asked {
        /// `hermes` or `neighbour`.
        node: String,
        /// `agent` or `model`.
        mind: String,
        /// What it was asked.
        given: Value,
    },
    /// A callback came in, as raw bytes, with the answer that it got.
    Callback {
        /// What the receiver sent.
        sent: Blob,
        /// What it was answered.
        answered: Blob,
    },
    /// A reply was delivered by the runtime.
    Delivered {
        /// The callback's id, as the runtime keeps it.
        id: String,
        /// The context.
        context: String,
        /// The text.
        text: String,
        /// Whether the runtime keeps it as one that came too late.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        late: bool,
    },
    /// A receiver that the runtime deployed runs, with arguments that everyone on its machine can read.
    Deployed {
        /// Its process.
        pid: u32,
        /// Its arguments.
        args: Vec<String>,
    },
    /// Files that differ from the last time they were looked at; a missing one was removed.
    Files {
        /// `ack`, `spawn`, `callback`, `ready` or `end`.
        moment: String,
        /// By path below the cell's root.
        changed: BTreeMap<String, Option<FileSeen>>,
    },
    /// Processes of the receiver that live at a moment when none should.
    Leftovers {
        /// `ready`, `at rest` or `ended`.
        moment: String,
        /// Their names.
        processes: Vec<String>,
    },
}

/// A file at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileSeen {
    /// Its permission bits, in octal.
    #[serde(serialize_with = "octal", deserialize_with = "from_octal")]
    #[schemars(with = "String")]
    pub mode: u32,
    /// What is in it.
    pub content: Blob,
}

fn octal<S: Serializer>(mode: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format!("{mode:04o}"))
}

fn from_octal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let text = String::deserialize(deserializer)?;
    u32::from_str_radix(&text, 8)
        .map_err(|_| D::Error::custom(format!("expected an octal mode, found {text:?}")))
}

/// Bytes, shown as text: what is no UTF-8 is shown replaced, and a digest of the whole stands for what is cut.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Blob(pub Vec<u8>);

const SHOWN: usize = 16_384;

impl Blob {
    /// The bytes as text.
    pub fn text(&self) -> String {
        lossy(&self.0).into_owned()
    }
}

/// Bytes as text, with a mark in the place of what is none. That nearly all of them are text is found out faster by asking that alone.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

impl Blob {
    /// Takes secrets out of bytes of which only the beginning is shown: one that lies across the cut would stay in part.
    fn redact_before_cut(&mut self, secrets: &Secrets) {
        if self.0.len() > SHOWN {
            let redacted = secrets.redact(&self.text());
            self.0 = redacted.into_bytes();
        }
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.0.get(..200).unwrap_or(&self.0)))
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_bytes(&self.0);
        }
        match self.0.get(..SHOWN) {
            Some(start) if self.0.len() > SHOWN => {
                let digest = blake3::hash(&self.0).to_hex();
                let start = lossy(start);
                serializer.serialize_str(&format!("{start}… {} bytes in all, blake3 {digest}", self.0.len()))
            }
            _ => serializer.serialize_str(&lossy(&self.0)),
        }
    }
}

/// The member under which bytes that are no text are saved, in hexadecimal.
const HEX: &str = "hex";

impl Blob {
    /// All of it, which can be read again, with a mark in the place of each secret.
    pub(crate) fn whole(&self, marked: &[(String, String)]) -> Value {
        match std::str::from_utf8(&self.0) {
            Ok(text) => Value::from(text),
            Err(_) => {
                let hidden = marked.iter().fold(self.0.clone(), |bytes, (secret, mark)| {
                    replaced(&bytes, secret.as_bytes(), mark.as_bytes())
                });
                let hex: String = hidden.iter().map(|byte| format!("{byte:02x}")).collect();
                serde_json::json!({ HEX: hex })
            }
        }
    }
}

impl JsonSchema for Blob {
    fn schema_name() -> Cow<'static, str> {
        "Blob".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Bytes: a text, or in hexadecimal what is none.",
            "anyOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "properties": { HEX: { "type": "string", "pattern": "^([0-9a-f]{2})*$" } },
                    "required": [HEX],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrHex;
        impl<'de> Visitor<'de> for TextOrHex {
            type Value = Blob;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a text, or bytes as {{{HEX:?}: …}}")
            }

            fn visit_str<E>(self, text: &str) -> Result<Blob, E> {
                Ok(Blob(text.as_bytes().to_vec()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Blob, A::Error> {
                let Some((name, hex)) = map.next_entry::<String, String>()? else {
                    return Err(A::Error::missing_field(HEX));
                };
                if name != HEX {
                    return Err(A::Error::unknown_field(&name, &[HEX]));
                }
                let digits = hex.as_bytes().chunks(2);
                let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
                let bytes: Option<Vec<u8>> = digits.map(byte).collect();
                bytes.map(Blob).ok_or_else(|| A::Error::custom("expected hexadecimal digits"))
            }
        }
        deserializer.deserialize_any(TextOrHex)
    }
}

impl What {
    /// Changes all bytes that are no text.
    pub(crate) fn restore(&mut self, change: &dyn Fn(&[u8]) -> Vec<u8>) {
        let mut of = |blob: &mut Blob| {
            if std::str::from_utf8(&blob.0).is_err() {
                blob.0 = change(&blob.0);
            }
        };
        match self {
            What::Exchange { sent, received, .. } => [sent, received].into_iter().for_each(&mut of),
            What::Callback { sent, answered } => [sent, answered].into_iter().for_each(&mut of),
            What::Files { changed, .. } => {
                changed.values_mut().flatten().for_each(|file| of(&mut file.content))
            }
            _ => {}
        }
    }
}

/// A file as the bench finds it.
#[derive(Debug, Clone)]
pub struct File {
    /// Its permission bits.
    pub mode: u32,
    /// What is in it; shared with the disk as long as nobody writes to it.
    pub content: Rc<Vec<u8>>,
}

impl File {
    fn is(&self, mode: u32, content: &Rc<Vec<u8>>) -> bool {
        self.mode == mode && (Rc::ptr_eq(&self.content, content) || self.content == *content)
    }
}

/// Files by path below the cell's root.
pub type Files = BTreeMap<String, File>;

/// The files as they were at the last look.
#[derive(Default)]
struct Looked {
    /// Each with the number of the look at which it was last there.
    files: BTreeMap<String, (File, u64)>,
    looks: u64,
    /// How many changes the disk had seen by then, as far as it counts them.
    changes: Option<u64>,
}

/// A trace that is being written.
pub struct Trace {
    began: Instant,
    observations: RefCell<Vec<Observation>>,
    looked: RefCell<Looked>,
    changed: Notify,
}

impl Trace {
    /// A trace that begins now.
    pub fn begin(now: Instant) -> Self {
        Self {
            began: now,
            observations: RefCell::default(),
            looked: RefCell::default(),
            changed: Notify::new(),
        }
    }

    /// Appends an observation.
    #[expect(clippy::disallowed_methods, reason = "the trace is of no host; its time is the runtime's own")]
    pub fn push(&self, what: What) {
        let at_ms = u64::try_from((Instant::now() - self.began).as_millis()).unwrap_or(u64::MAX);
        self.observations.borrow_mut().push(Observation { at_ms, what });
        self.changed.notify_waiters();
    }

    /// How many changes the disk had seen at the last look.
    pub fn looked_at(&self) -> Option<u64> {
        self.looked.borrow().changes
    }

    /// Appends what changed among the files since the last look. `visit` shows each file that is there by
    /// its path below the cell's root, in any order.
    pub fn look_at_files(&self, moment: &str, changes: Option<u64>, visit: impl FnOnce(&mut See<'_>)) {
        let mut looked = self.looked.borrow_mut();
        let Looked { files, looks, changes: last } = &mut *looked;
        *last = changes;
        *looks += 1;
        let look = *looks;
        let mut changed: BTreeMap<String, Option<FileSeen>> = BTreeMap::new();
        visit(&mut |path, mode, content| {
            let same = files.get_mut(path).filter(|(file, _)| file.is(mode, content));
            if let Some((_, last_there)) = same {
                *last_there = look;
                return;
            }
            let seen = FileSeen { mode, content: Blob(content.to_vec()) };
            changed.insert(path.to_owned(), Some(seen));
            files.insert(path.to_owned(), (File { mode, content: content.clone() }, look));
        });
        files.retain(|path, (_, last_there)| {
            let there = *last_there == look;
            if !there {
                changed.insert(path.clone(), None);
            }
            there
        });
        drop(looked);
        if !changed.is_empty() {
            self.push(What::Files { moment: moment.to_owned(), changed });
        }
    }

    /// Looks at what was observed so far.
    pub fn read<T>(&self, look: impl FnOnce(&[Observation]) -> T) -> T {
        look(&self.observations.borrow())
    }

    /// Completes at the next observation.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Takes everything that was observed; the trace begins anew.
    pub fn take(&self) -> Vec<Observation> {
        self.observations.take()
    }

    /// Whether something was observed that the test accepts.
    pub fn any(&self, test: impl Fn(&What) -> bool) -> bool {
        self.observations.borrow().iter().any(|observation| test(&observation.what))
    }
}

/// Prepares a trace for being shown: long bytes lose their secrets before they are cut. Whoever shows it redacts the lines.
pub fn redact_before_cut(observations: &mut [Observation], secrets: &Secrets) {
    for observation in observations {
        match &mut observation.what {
            What::Exchange { sent, received, .. } => {
                sent.redact_before_cut(secrets);
                received.redact_before_cut(secrets);
            }
            What::Callback { sent, answered } => {
                sent.redact_before_cut(secrets);
                answered.redact_before_cut(secrets);
            }
            What::Files { changed, .. } => {
                changed.values_mut().flatten().for_each(|file| file.content.redact_before_cut(secrets));
            }
            _ => {}
        }
    }
}
