//! Which session of the CLI goes on with which context.
//!
//! Where the CLI names its sessions, a map on disk remembers them. Where a session follows from its context, only whether it was
//! begun has to be known, and the journal knows that across restarts.

use std::io;

use gauntlet_protocol::fleet::{Session, SessionMap, Sessions};
use serde_json::json;

use super::state::Receiver;
use gauntlet_world::injection::Point;

impl Receiver {
    /// The session that goes on with a context, when the turn of that line is to run.
    pub(super) async fn session_of(&self, line: u64, context: &str) -> Option<Session> {
        let session = match self.settings.mode.sessions {
            Sessions::Map { file, key } => self.remembered(file, key, context).await,
            Sessions::Derived if self.journal.began_before(line, context) => {
                let id = self.talk.derived_session(context);
                id.map(|id| Session { id, updated_at: 0, last_output: None })
            }
            Sessions::Derived => None,
        };
        let id = session.as_ref().map(|session| &session.id);
        let earlier_life = self.journal.only_an_earlier_life_began(line, context);
        let event = json!({ "contextId": context, "session": id, "earlier_life": earlier_life });
        let passed = self.pass(Point::ReceiverSessionLookup, event).await;
        let id = passed.first()?.get("session")?.as_str()?.to_owned();
        let rest = session.unwrap_or_else(|| Session { id: String::new(), updated_at: 0, last_output: None });
        Some(Session { id, ..rest })
    }

    /// Whether another context goes on with a session.
    pub(super) async fn is_of_another(&self, context: &str, session: &str) -> bool {
        let Sessions::Map { file, key } = self.settings.mode.sessions else { return false };
        let _one = self.sessions.lock().await;
        let map = self.session_map(file, key).await.unwrap_or_default();
        map.iter().any(|(other, known)| other != context && known.id == session)
    }

    async fn remembered(&self, file: &str, key: &str, context: &str) -> Option<Session> {
        let _one = self.sessions.lock().await;
        match self.session_map(file, key).await {
            Ok(map) => map.get(context).cloned(),
            Err(error) => {
                self.log(format!("the sessions could not be read, starting a new one: {error}")).await;
                None
            }
        }
    }

    /// Remembers a session for a context.
    pub(super) async fn remember(&self, context: &str, session: Session) -> io::Result<()> {
        let Sessions::Map { file, key } = self.settings.mode.sessions else { return Ok(()) };
        let event = json!({ "contextId": context, "session": session.id });
        let passed = self.pass(Point::ReceiverSessionSave, event).await;
        let _one = self.sessions.lock().await;
        for event in passed.events {
            let member =
                |name| event.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
            let mut map = self.session_map(file, key).await?;
            map.insert(member("contextId"), Session { id: member("session"), ..session.clone() });
            self.save(file, key, &map).await?;
        }
        Ok(())
    }

    /// Forgets the session of a context.
    pub(super) async fn forget(&self, context: &str, session: &str) -> io::Result<()> {
        let Sessions::Map { file, key } = self.settings.mode.sessions else { return Ok(()) };
        let event = json!({ "contextId": context, "session": session });
        let passed = self.pass(Point::ReceiverSessionForget, event).await;
        if passed.events.is_empty() {
            return Ok(());
        }
        let _one = self.sessions.lock().await;
        let mut map = self.session_map(file, key).await?;
        if map.remove(context).is_some() {
            self.save(file, key, &map).await?;
        }
        Ok(())
    }

    async fn session_map(&self, file: &str, key: &str) -> io::Result<SessionMap> {
        let content = self.host.disk().read_if_present(self.file(file)).await?;
        Ok(SessionMap::parse(key, &content.unwrap_or_default()))
    }

    async fn save(&self, file: &str, key: &str, map: &SessionMap) -> io::Result<()> {
        self.host.disk().replace(self.file(file), &map.to_bytes(key)).await
    }
}
