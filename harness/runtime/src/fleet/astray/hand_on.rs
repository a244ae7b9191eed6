//! The way of a reply to the profile that it is for: to the address that `fleet.yaml` says, and to no other. Who asks only makes it
//! sooner, so that nobody gets what is another's by asking.

use std::rc::Rc;
use std::time::Duration;

use gauntlet_protocol::fleet::config::PeerEntry;
use gauntlet_protocol::fleet::extension::PROFILE;
use gauntlet_protocol::fleet::extension::profile::{self, Addressee, is_misrouted};
use gauntlet_protocol::jsonrpc::{Request as RpcRequest, Response};
use gauntlet_world::http::{self, Request, Url};
use gauntlet_world::{Either, race};
use serde_json::{Value, json};

use super::{Kept, Stray};
use crate::fleet::Fleet;
use crate::fleet::client::{Class, SEND_LIMIT, SendError};

/// The first pause after an attempt in vain, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));

impl Fleet {
    /// Keeps a reply that is another profile's, and begins to hand it on.
    pub(crate) async fn keep_for(self: &Rc<Self>, stray: Stray) -> std::io::Result<Kept> {
        let kept = self.astray.keep(&self.host, stray).await?;
        self.hand_on();
        Ok(kept)
    }

    /// Sees to it that what is kept is handed on.
    pub(crate) fn hand_on(self: &Rc<Self>) {
        if self.astray.all().is_empty() || self.astray.at_work.replace(true) {
            return;
        }
        let fleet = self.clone();
        self.host.spawn(async move {
            let mut pause = PAUSES.0;
            loop {
                let nudged = fleet.astray.nudged.notified();
                fleet.hand_on_once().await;
                if fleet.astray.all().is_empty() {
                    break;
                }
                pause = match race(fleet.host.clock().sleep(pause), nudged).await {
                    Either::First(()) => (pause * 2).min(PAUSES.1),
                    Either::Second(()) => PAUSES.0,
                };
            }
            fleet.astray.at_work.set(false);
        });
    }

    async fn hand_on_once(&self) {
        let mut silent: Vec<String> = Vec::new();
        for stray in self.astray.all() {
            if silent.contains(&stray.profile) {
                continue;
            }
            let outcome = match self.bring(&stray).await {
                Ok(()) => self.astray.handed(&self.host, &stray).await.map_err(|error| error.to_string()),
                Err(why) => Err(why),
            };
            if let Err(why) = outcome {
                tracing::debug!(profile = stray.profile, why, "a reply of another profile stays here");
                silent.push(stray.profile);
            }
        }
    }

    /// Brings a reply to whom it is for. It is there when that one says so, and not when it keeps it for somebody itself.
    async fn bring(&self, stray: &Stray) -> Result<(), String> {
        let peer = self.peer(&stray.profile).await.map_err(|error| error.to_string())?;
        if peer.mode.is_some() {
            return Err("a receiver has no profile".to_owned());
        }
        let params = stray.params.clone();
        let request = RpcRequest { id: stray.id.clone(), method: json!("SendMessage"), params };
        let result = self.post(&peer, &request).await.map_err(|(_, why)| why)?;
        if is_misrouted(&result) { Err("it is not there either".to_owned()) } else { Ok(()) }
    }

    /// Sends a request to a peer and gives its result.
    async fn post(&self, peer: &PeerEntry, request: &RpcRequest) -> Result<Value, (Class, String)> {
        let url: Url = format!("{}/jsonrpc", peer.url.trim_end_matches('/'))
            .parse()
            .map_err(|error| (Class::NotSent, format!("{}: {error}", peer.url)))?;
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if let Some(token) = self.token_of(peer).await {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        let body = request.to_value().to_string().into_bytes();
        let request = Request { method: "POST".to_owned(), url, headers, body, limit: SEND_LIMIT };
        let answer = http::exchange(&self.host, request).await.map_err(|error| {
            let class = if error.may_have_been_seen() { Class::Unknown } else { Class::NotSent };
            (class, error.to_string())
        })?;
        if answer.status != 200 {
            return Err((Class::Refused, format!("HTTP {}", answer.status)));
        }
        let response = Response::parse(&answer.body).map_err(|error| (Class::Unknown, error.to_string()))?;
        response.outcome.map_err(|error| (Class::Refused, error.to_string()))
    }

    /// Asks a peer for what it keeps for this profile. The answer says how many replies that are; they come by themselves.
    pub(crate) async fn ask_for_replies(&self, peer_name: &str) -> Result<Value, SendError> {
        let peer = self.peer(peer_name).await?;
        let own = self.own_name().await;
        if !profile::is_name(&own) {
            let text =
                format!("expected a profile's name of letters, digits, ., - and _; this one is '{own}'");
            return Err(SendError::new(Class::NotSent, "profile", text));
        }
        let card = self.card_of(peer_name, &peer, SEND_LIMIT).await?;
        // A receiver that declares it says whom its replies are for, and keeps nobody's.
        if peer.mode.is_some() || !card.is_some_and(|card| PROFILE.is_declared_on(&card)) {
            let text = format!("agent '{peer_name}' does not declare {}", PROFILE.uri);
            return Err(SendError::new(Class::Undeclared, "undeclared", text));
        }
        let asked = Addressee { profile: own, asks: true };
        let mut message = json!({ "role": "user", "parts": [], "user": asked.profile });
        PROFILE.announce(&mut message, asked.to_value());
        let id = json!(self.host.entropy().uuid().to_string());
        let params = json!({ "message": message });
        let result = self.post(&peer, &RpcRequest { id, method: json!("SendMessage"), params }).await;
        let result = result.map_err(|(class, why)| {
            SendError::new(class, "network", format!("agent '{peer_name}' cannot be asked: {why}"))
        })?;
        let kept = result.pointer(&format!("/message/metadata/{}/kept", PROFILE.uri)).and_then(Value::as_u64);
        Ok(json!({ "kept": kept.unwrap_or_default() }))
    }
}
