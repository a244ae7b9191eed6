//! Replies that came here and are another profile's (docs/extensions.md), a second time: one file that is written anew at each change,
//! and rounds in which what it holds is offered to whom it is for.

use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use gauntlet_protocol::fleet::extension::PROFILE;
use gauntlet_protocol::fleet::extension::profile::{Addressee, MISROUTED, is_misrouted, misrouted};
use gauntlet_protocol::fleet::hermes::refusal;
use gauntlet_protocol::fleet::{AgentMessage, MAX_CALLBACK};
use gauntlet_protocol::json;
use gauntlet_protocol::jsonrpc::{Request, RpcError};
use gauntlet_world::injection::Point;
use gauntlet_world::race;
use serde_json::{Value, json};

use super::config::home;
use super::failure::{Class, Failure};
use super::{Peer, config};

const MOST: usize = 256;
const MOST_BYTES: usize = 4 * MAX_CALLBACK;
/// How many that have arrived are still known.
const REMEMBERED: usize = 1024;
/// How long a round waits for the next at first, and at most.
const SHORTEST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(60);

/// What is in the file.
#[derive(Clone, Default)]
struct Held {
    waiting: Vec<Rc<Stray>>,
    arrived: Vec<Value>,
}

/// A reply that waits.
struct Stray {
    value: Value,
    /// The same as it is written.
    text: String,
    /// What makes it recognisable.
    mark: Value,
    /// How many bytes of it count.
    bytes: usize,
}

impl Stray {
    fn new(value: Value) -> Self {
        let text = value.to_string();
        let mark = json!([value["profile"], value["id"], value["contextId"]]);
        let bytes = value["params"].to_string().len();
        Self { value, text, mark, bytes }
    }
}

/// The file as it was last read or written, and what that says: it is looked at for each reply, and seldom another one.
#[derive(Default)]
pub(super) struct LastSeen {
    content: Vec<u8>,
    held: Held,
}

impl Peer {
    /// Looks whether a message is about a profile. Some answer: that is all that is to be done.
    pub(super) async fn about_a_profile(
        &self,
        request: &Request,
        context: &str,
        is_callback: bool,
    ) -> Result<Option<Value>, RpcError> {
        let message = &request.params["message"];
        let (about, misuse) = match Addressee::in_message(message) {
            Ok(about) => (about, None),
            Err(misuse) => (None, Some(misuse)),
        };
        let own = self.profile_name().await;
        if let Some(Addressee { profile, asks: true }) = about.as_ref().filter(|_| !is_callback) {
            let held = self.held().await.map_err(|error| refusal::server(&error.to_string()))?;
            let kept = held.waiting.iter().filter(|stray| stray.value["profile"] == profile.as_str()).count();
            self.0.nudged.notify_waiters();
            self.begin_rounds();
            return Ok(Some(answer(context, json!({ "profile": profile, "kept": kept }))));
        }
        if misuse.is_none() && (about.is_none() || !is_callback) {
            return Ok(None);
        }
        let is_own = about.as_ref().is_some_and(|about| about.profile == own);
        let _one = self.0.astray.lock().await;
        let held = self.held().await.map_err(|error| refusal::server(&error.to_string()))?;
        let profile = about.map(|about| about.profile).unwrap_or_default();
        let stray = Stray::new(json!({
            "profile": profile, "contextId": context, "id": request.id, "params": request.params,
        }));
        let known = held.knows(&stray);
        let because = match &misuse {
            Some(_) => "misuse",
            None if is_own => "own",
            None if !known && held.is_full(&stray) => "full",
            None => "elsewhere",
        };
        let does = match because {
            "own" => "deliver",
            "elsewhere" => "keep",
            _ => "refuse",
        };
        let event = json!({
            "profile": profile, "contextId": context, "because": because, "does": does, "class": MISROUTED,
        });
        let event = self.pass(Point::HermesAstray, event).await.unwrap_or_default();
        match (event["does"].as_str(), misuse) {
            (Some("deliver"), _) => return Ok(None),
            (Some("keep"), _) => {}
            (_, Some(misuse)) => return Err(refusal::misuse(&misuse)),
            (_, None) => return Err(refusal::no_room(&profile)),
        }
        if !known {
            let mut held = held;
            held.waiting.push(Rc::new(stray));
            self.write_held(held).await.map_err(|error| {
                refusal::server(&format!("the reply for '{profile}' could not be kept: {error}"))
            })?;
            self.begin_rounds();
        }
        let config = config::read(&self.0.host).await.ok();
        let is_peer = config.is_some_and(|config| config.agents.contains_key(&profile));
        let mut said = misrouted(&profile, &own, is_peer);
        said["class"] = event["class"].clone();
        Ok(Some(answer(context, said)))
    }

    /// The name by which others know this profile now.
    async fn profile_name(&self) -> String {
        let config = config::read(&self.0.host).await.ok();
        config.and_then(|config| config.name).unwrap_or_else(|| self.name().to_owned())
    }

    fn astray_file(&self) -> PathBuf {
        home(&self.0.host).join("astray.jsonl")
    }

    async fn held(&self) -> io::Result<Held> {
        let content = self.0.host.disk().read_if_present(self.astray_file()).await?.unwrap_or_default();
        if self.0.last_astray.borrow().content == content {
            return Ok(self.0.last_astray.borrow().held.clone());
        }
        let value = match content.is_empty() {
            true => json!({}),
            false => json::parse("replies of other profiles", &content).map_err(io::Error::other)?,
        };
        let list = |name: &str| value[name].as_array().cloned().unwrap_or_default();
        let waiting = list("waiting").into_iter().map(|value| Rc::new(Stray::new(value))).collect();
        let held = Held { waiting, arrived: list("arrived") };
        *self.0.last_astray.borrow_mut() = LastSeen { content, held: held.clone() };
        Ok(held)
    }

    async fn write_held(&self, mut held: Held) -> io::Result<()> {
        let surplus = held.arrived.len().saturating_sub(REMEMBERED);
        held.arrived.drain(..surplus);
        let waiting: Vec<&str> = held.waiting.iter().map(|stray| stray.text.as_str()).collect();
        let arrived = Value::Array(held.arrived.clone());
        let text = format!("{{\"waiting\":[{}],\"arrived\":{arrived}}}\n", waiting.join(","));
        let event = json!({ "waiting": held.waiting.len(), "mode": 0o600, "durable": true });
        let Some(event) = self.pass(Point::HermesAstrayWrite, event).await else { return Ok(()) };
        let (disk, file) = (self.0.host.disk(), self.astray_file());
        if event["durable"] == true {
            disk.replace(&file, text.as_bytes()).await?;
        } else {
            disk.write(&file, text.as_bytes()).await?;
        }
        *self.0.last_astray.borrow_mut() = LastSeen { content: text.into_bytes(), held };
        match event["mode"].as_u64().and_then(|mode| u32::try_from(mode).ok()) {
            Some(mode) => disk.set_mode(&file, mode).await,
            None => Ok(()),
        }
    }

    /// Sees to it that what waits is offered, again and again until it has arrived.
    pub(super) fn begin_rounds(&self) {
        self.0.wanted.set(self.0.wanted.get() + 1);
        if self.0.rounds.replace(true) {
            return;
        }
        let peer = self.clone();
        self.0.host.spawn(async move {
            let mut pause = SHORTEST;
            loop {
                let nudged = peer.0.nudged.notified();
                // Something may come while it looks.
                let wanted = peer.0.wanted.get();
                if peer.round().await && peer.0.wanted.get() == wanted {
                    break;
                }
                let slept = matches!(
                    race(peer.0.host.clock().sleep(pause), nudged).await,
                    gauntlet_world::Either::First(())
                );
                pause = if slept { LONGEST.min(pause * 2) } else { SHORTEST };
            }
            peer.0.rounds.set(false);
        });
    }

    /// Offers everything once. True when nothing waits any more.
    async fn round(&self) -> bool {
        let Ok(held) = self.held().await else { return false };
        let mut in_vain: Vec<Value> = Vec::new();
        for stray in held.waiting {
            let profile = &stray.value["profile"];
            if in_vain.contains(profile) {
                continue;
            }
            if self.offer(&stray.value).await.is_none() {
                in_vain.push(profile.clone());
                continue;
            }
            let _one = self.0.astray.lock().await;
            let Ok(mut held) = self.held().await else { return false };
            held.waiting.retain(|other| other.mark != stray.mark);
            held.arrived.push(stray.mark.clone());
            if let Err(error) = self.write_held(held).await {
                tracing::warn!(%error, "it is not noted that a reply has arrived");
            }
        }
        in_vain.is_empty() && self.held().await.is_ok_and(|held| held.waiting.is_empty())
    }

    /// Offers a reply to whom it is for, where `fleet.yaml` says that this is. Nothing, when it is not there now.
    async fn offer(&self, stray: &Value) -> Option<()> {
        let event =
            json!({ "profile": stray["profile"], "contextId": stray["contextId"], "id": stray["id"] });
        let event = self.pass(Point::HermesHandOn, event).await?;
        let config = config::read(&self.0.host).await.ok()?;
        let profile = stray["profile"].as_str()?;
        let entry = config.agents.get(profile).filter(|entry| entry.mode.is_none())?;
        let params = stray["params"].clone();
        let request = Request { id: event["id"].clone(), method: json!("SendMessage"), params };
        let result = self.post(profile, entry, &request).await.ok()?;
        (!is_misrouted(&result)).then_some(())
    }

    /// Asks a peer for what it keeps for this profile: how many replies.
    pub(super) async fn collect(&self, from: &str) -> Result<Value, Failure> {
        let config = config::read(&self.0.host).await.map_err(Failure::not_sent)?;
        let entry = config.agents.get(from);
        let entry = entry.ok_or_else(|| Failure::not_sent(format!("agent '{from}' not in fleet.yaml")))?;
        let card = self.card(&entry.url).await.map_err(Failure::not_sent)?;
        if !PROFILE.is_declared_on(&card) {
            let text = format!("agent '{from}' does not declare {} on its card", PROFILE.uri);
            return Err(Failure::new(Class::Undeclared, text));
        }
        let profile = self.profile_name().await;
        let mut message = json!({ "role": "user", "parts": [], "user": profile });
        PROFILE.announce(&mut message, Addressee { profile, asks: true }.to_value());
        let request = Request {
            id: json!(self.0.host.entropy().uuid().to_string()),
            method: json!("SendMessage"),
            params: json!({ "message": message }),
        };
        let result = self.post(from, entry, &request).await?;
        let kept = &result["message"]["metadata"][PROFILE.uri]["kept"];
        Ok(json!({ "kept": kept.as_u64().unwrap_or_default() }))
    }
}

impl Held {
    fn knows(&self, stray: &Stray) -> bool {
        self.arrived.contains(&stray.mark) || self.waiting.iter().any(|known| known.mark == stray.mark)
    }

    fn is_full(&self, stray: &Stray) -> bool {
        let bytes: usize = self.waiting.iter().map(|stray| stray.bytes).sum();
        self.waiting.len() >= MOST || bytes + stray.bytes > MOST_BYTES
    }
}

fn answer(context: &str, said: Value) -> Value {
    let mut result = AgentMessage { text: String::new(), context: Some(context.to_owned()) }.result();
    PROFILE.announce(&mut result["message"], said);
    result
}
