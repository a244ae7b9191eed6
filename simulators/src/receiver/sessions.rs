//! The session map: which session of the CLI goes on with which context.

use std::io;

use gauntlet_protocol::fleet::{Session, SessionMap};
use serde_json::json;

use super::state::Receiver;
use crate::injection::Point;

impl Receiver {
    async fn session_map(&self) -> io::Result<SessionMap> {
        let content = self.host.disk().read_if_present(self.file(self.settings.mode.files.sessions)).await?;
        Ok(SessionMap::parse(self.settings.mode, &content.unwrap_or_default()))
    }

    /// The session that goes on with a context.
    pub(super) async fn session_of(&self, context: &str) -> Option<String> {
        let _one = self.sessions.lock().await;
        match self.session_map().await {
            Ok(map) => map.get(context).map(|session| session.id.clone()),
            Err(error) => {
                self.log(format!("the sessions could not be read, starting a new one: {error}")).await;
                None
            }
        }
    }

    /// Remembers a session for a context.
    pub(super) async fn remember(&self, context: &str, session: &str) -> io::Result<()> {
        let event = json!({ "contextId": context, "session": session });
        let passed = self.settings.injector.pass(&self.host, Point::ReceiverSessionSave, event).await;
        let _one = self.sessions.lock().await;
        for event in passed.events {
            let member =
                |name| event.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
            let mut map = self.session_map().await?;
            let updated_at = self.host.clock().wall().seconds();
            map.insert(member("contextId"), Session { id: member("session"), updated_at });
            self.save(&map).await?;
        }
        Ok(())
    }

    /// Forgets the session of a context.
    pub(super) async fn forget(&self, context: &str, session: &str) -> io::Result<()> {
        let event = json!({ "contextId": context, "session": session });
        let passed = self.settings.injector.pass(&self.host, Point::ReceiverSessionForget, event).await;
        if passed.events.is_empty() {
            return Ok(());
        }
        let _one = self.sessions.lock().await;
        let mut map = self.session_map().await?;
        if map.remove(context).is_some() {
            self.save(&map).await?;
        }
        Ok(())
    }

    async fn save(&self, map: &SessionMap) -> io::Result<()> {
        let path = self.file(self.settings.mode.files.sessions);
        self.host.disk().replace(path, &map.to_bytes(self.settings.mode)).await
    }
}
