//! A session host (`opencode serve`), reached over the network port: sessions are made in it, prompted, read, ended, and watched.
//!
//! Every failure says whether the host can have acted on what was asked ([`Class`]). Nothing is tried twice in here: who knows
//! what a second time would mean decides that.

mod events;
mod failure;

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gauntlet_protocol::ParseError;
use gauntlet_protocol::opencode_serve::{
    Message, NewSession, Prompt, Session, SessionStatus, path, statuses,
};
use gauntlet_world::Host;
use gauntlet_world::http::{self, Answer, Request, Url, UrlError};
use serde_json::Value;

pub use events::{Events, Told};
pub use failure::{Class, HostError};

/// How long the host may take over one request.
const LIMIT: Duration = Duration::from_secs(30);

/// A history may have this many bytes, and so may a list of sessions.
const MAX_HISTORY: usize = 32 * 1024 * 1024;

/// How the host knows who asks: HTTP's basic scheme.
#[derive(Clone)]
pub struct Auth {
    /// `opencode` where nothing else was set.
    pub user: String,
    /// The password. It is never shown.
    pub password: String,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A session host.
#[derive(Clone)]
pub struct SessionHost {
    host: Host,
    base: Url,
    auth: Option<Auth>,
}

impl SessionHost {
    /// The one at a URL, whose path is what stands before all of its paths.
    pub fn new(host: &Host, url: &str, auth: Option<Auth>) -> Result<Self, UrlError> {
        let mut base: Url = url.parse()?;
        base.path.truncate(base.path.trim_end_matches('/').len());
        Ok(Self { host: host.clone(), base, auth })
    }

    /// Makes a session.
    pub async fn create(&self, new: &NewSession) -> Result<Session, HostError> {
        let answer = self.post(path::SESSIONS, &new.to_value()).await?;
        // It exists, and nobody knows its id.
        Session::parse(&answer.body).map_err(|error| HostError::unreadable(&error))
    }

    /// Asks something of a session, and does not wait for what comes of it. `Ok` says that the host took it; what the host does
    /// with it, events and the history tell.
    pub async fn prompt(&self, session: &str, prompt: &Prompt) -> Result<(), HostError> {
        let answer = self.post(&path::of_session(session, "prompt_async"), &prompt.to_value()).await?;
        match answer.status {
            204 => Ok(()),
            // Other successes are not of this interface: something else answered, or the host did something else.
            _ => Err(HostError::unexpected(204, &answer)),
        }
    }

    /// Ends the turn of a session. The host says so of sessions, too, that do nothing or do not exist.
    pub async fn abort(&self, session: &str) -> Result<bool, HostError> {
        let answer = self.ask("POST", &path::of_session(session, "abort"), None).await?;
        Ok(answer.body.trim_ascii() == b"true")
    }

    /// Deletes a session and those that belong to it. False: there was none.
    pub async fn delete(&self, session: &str) -> Result<bool, HostError> {
        match self.ask("DELETE", &path::session(session), None).await {
            Ok(_) => Ok(true),
            Err(error) if error.class == Class::Gone => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A session; nothing when the host does not know it.
    pub async fn get(&self, session: &str) -> Result<Option<Session>, HostError> {
        match self.ask("GET", &path::session(session), None).await {
            Ok(answer) => read(&answer, Session::parse).map(Some),
            Err(error) if error.class == Class::Gone => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the host knows a session.
    pub async fn exists(&self, session: &str) -> Result<bool, HostError> {
        Ok(self.get(session).await?.is_some())
    }

    /// The sessions that the host lists: of its directory, latest first, as many as it wants to. A session that is not in it
    /// may exist; [`get`](Self::get) knows.
    pub async fn list(&self) -> Result<Vec<Session>, HostError> {
        read(&self.ask("GET", path::SESSIONS, None).await?, Session::parse_list)
    }

    /// The sessions that belong to one.
    pub async fn children(&self, session: &str) -> Result<Vec<Session>, HostError> {
        read(&self.ask("GET", &path::of_session(session, "children"), None).await?, Session::parse_list)
    }

    /// What sessions are doing that do something.
    pub async fn statuses(&self) -> Result<BTreeMap<String, SessionStatus>, HostError> {
        read(&self.ask("GET", path::STATUSES, None).await?, statuses)
    }

    /// Whether a turn of a session runs. One that does not exist has none.
    pub async fn is_active(&self, session: &str) -> Result<bool, HostError> {
        Ok(self.statuses().await?.get(session).is_some_and(SessionStatus::is_active))
    }

    /// The whole history of a session, oldest first.
    pub async fn messages(&self, session: &str) -> Result<Vec<Message>, HostError> {
        read(&self.ask("GET", &path::of_session(session, "message"), None).await?, Message::parse_history)
    }

    /// Whether a text stands in the history of a session, as it was sent.
    pub async fn has_heard(&self, session: &str, text: &str) -> Result<bool, HostError> {
        Ok(self.messages(session).await?.iter().any(|message| message.text().contains(text)))
    }

    /// Watches the host: from its first [`Told::Connected`] on, and again after each loss of the stream.
    pub fn events(&self) -> Events {
        Events::new(self.clone())
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Answer, HostError> {
        self.ask("POST", path, Some(body)).await
    }

    /// Makes one exchange; whatever is no success is an error.
    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, HostError> {
        let request = self.request(method, path, body, LIMIT);
        let answer = http::exchange_up_to(&self.host, request, MAX_HISTORY).await;
        let answer = answer.map_err(|error| HostError::network(&self.base, &error))?;
        match answer.status {
            200..300 => Ok(answer),
            _ => Err(HostError::refusal(&answer)),
        }
    }

    fn request(&self, method: &str, path: &str, body: Option<&Value>, limit: Duration) -> Request {
        let mut headers = Vec::new();
        if let Some(auth) = &self.auth {
            let token = STANDARD.encode(format!("{}:{}", auth.user, auth.password));
            headers.push(("authorization".to_owned(), format!("Basic {token}")));
        }
        if body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        Request {
            method: method.to_owned(),
            url: Url { address: self.base.address.clone(), path: format!("{}{path}", self.base.path) },
            headers,
            body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
            limit,
        }
    }
}

fn read<T>(answer: &Answer, parse: impl FnOnce(&[u8]) -> Result<T, ParseError>) -> Result<T, HostError> {
    parse(&answer.body).map_err(|error| HostError::unreadable(&error))
}
