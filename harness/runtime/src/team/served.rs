//! Team mode over a session host: members are sessions below that of their lead, and what the host tells of them reaches the team.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use gauntlet_protocol::opencode_serve::{EventKind, NewSession, Prompt as Asked};
use gauntlet_world::Host;
use serde_json::Value;

use super::sessions::{
    Answer, Background, Cancel, History, KnownSession, Launch, Launched, Prompt, Prompted, Sessions,
};
use super::{Event, Team};
use crate::session_host::{Class, HostError, SessionHost, Told};

/// A session host, as team mode needs it. A task in the background is a session here, and has its id.
#[derive(Clone)]
pub struct Served {
    host: Host,
    of: SessionHost,
    /// The runs of the sessions that this life started; those of earlier lives show in their titles.
    started: Rc<RefCell<BTreeMap<String, String>>>,
}

const RUN: &str = " of run ";

impl Served {
    /// The sessions of this host.
    pub fn new(host: &Host, of: SessionHost) -> Self {
        Self { host: host.clone(), of, started: Rc::default() }
    }

    /// Tells a team what happens to sessions, without end.
    async fn tell(&self, team: &Team) {
        let mut events = self.of.events();
        loop {
            match events.next().await {
                Told::Connected => self.catch_up(team).await,
                Told::Event(event) => {
                    let Some(session) = event.session else { continue };
                    let event = match event.kind {
                        EventKind::Idle => Event::Idle { session },
                        EventKind::Deleted => Event::Deleted { session },
                        EventKind::Error(error) => Event::Error { session, said: Some(error.to_string()) },
                        _ => continue,
                    };
                    // One that takes long keeps no other one waiting.
                    let team = team.clone();
                    self.host.spawn(async move { team.on_event(event).await });
                }
                Told::Unreadable(reason) | Told::Lost(reason) => {
                    tracing::info!(reason, "the session host told nothing that can be used");
                }
            }
        }
    }

    /// What was told while nobody heard it: who is gone is gone, and who does nothing is idle.
    async fn catch_up(&self, team: &Team) {
        for session in team.sessions_of_live_runs().await {
            let event = match self.of.exists(&session).await {
                Ok(false) => Event::Deleted { session },
                Ok(true) if matches!(self.of.is_active(&session).await, Ok(false)) => Event::Idle { session },
                _ => continue,
            };
            team.on_event(event).await;
        }
    }

    fn model(model: Option<&Value>) -> (Option<(String, String)>, Option<String>) {
        let text = |name: &str| model?.get(name)?.as_str().map(str::to_owned);
        (text("providerID").zip(text("modelID")), text("variant"))
    }
}

fn shown(error: HostError) -> String {
    error.to_string()
}

impl Sessions for Served {
    fn exists(&self, session: &str) -> Answer<Result<bool, String>> {
        let (of, session) = (self.of.clone(), session.to_owned());
        Box::pin(async move { of.exists(&session).await.map_err(shown) })
    }

    fn is_active(&self, session: &str) -> Answer<bool> {
        let (of, session) = (self.of.clone(), session.to_owned());
        Box::pin(async move { of.is_active(&session).await.unwrap_or(false) })
    }

    fn history(&self, session: &str) -> Answer<History> {
        let (of, session) = (self.of.clone(), session.to_owned());
        Box::pin(async move {
            match of.messages(&session).await {
                Ok(messages) => History::Text(messages.iter().map(|message| message.text() + "\n").collect()),
                Err(error) => History::Failed(error.to_string()),
            }
        })
    }

    fn prompt(&self, prompt: Prompt) -> Option<Answer<Prompted>> {
        let of = self.of.clone();
        Some(Box::pin(async move {
            let (model, variant) = Served::model(prompt.model.as_ref());
            let asked = Asked { text: prompt.text, agent: prompt.agent, model, variant };
            match of.prompt(&prompt.session, &asked).await {
                Ok(()) => Prompted::Accepted,
                // The host may have it: to send it again could tell it twice.
                Err(error) if error.class == Class::Unknown => Prompted::Unclear(error.to_string()),
                Err(error) => Prompted::Refused(error.to_string()),
            }
        }))
    }

    fn launch(&self, launch: Launch, known: KnownSession) -> Answer<Result<Launched, String>> {
        let (of, started) = (self.of.clone(), self.started.clone());
        Box::pin(async move {
            let new = NewSession {
                parent: Some(launch.parent_session),
                title: Some(format!("{}{RUN}{}", launch.description, launch.team_run)),
                agent: Some(launch.agent.clone()),
                model: None,
            };
            let session = of.create(&new).await.map_err(shown)?;
            known(&session.id);
            started.borrow_mut().insert(session.id.clone(), launch.team_run);
            let asked = Asked { text: launch.prompt, agent: Some(launch.agent), ..Asked::default() };
            match of.prompt(&session.id, &asked).await {
                Err(error) if error.class.is_certain() => {
                    let _ = of.delete(&session.id).await;
                    Err(error.to_string())
                }
                _ => Ok(Launched { task: session.id, agent: session.agent, model: None }),
            }
        })
    }

    fn session_of(&self, task: &str) -> Answer<Result<Option<String>, String>> {
        let task = task.to_owned();
        Box::pin(async move { Ok(Some(task)) })
    }

    fn tasks(&self, parent_session: &str) -> Answer<Vec<Background>> {
        let (of, parent, started) = (self.of.clone(), parent_session.to_owned(), self.started.clone());
        Box::pin(async move {
            let (children, doing) = (of.children(&parent).await, of.statuses().await);
            let (children, doing) = (children.unwrap_or_default(), doing.unwrap_or_default());
            let task = |session: gauntlet_protocol::opencode_serve::Session| Background {
                team_run: (started.borrow().get(&session.id).cloned())
                    .or_else(|| session.title.rsplit_once(RUN).map(|(_, run)| run.to_owned())),
                parent_message: None,
                works: doing.get(&session.id).is_some_and(|status| status.is_active()),
                task: session.id,
            };
            children.into_iter().map(task).collect()
        })
    }

    fn cancel(&self, task: &str, _why: Cancel) -> Answer<Result<(), String>> {
        let (of, task) = (self.of.clone(), task.to_owned());
        Box::pin(async move { of.abort(&task).await.map(drop).map_err(shown) })
    }

    fn watch(&self, team: &Team) -> Option<Answer<()>> {
        let (served, team) = (self.clone(), team.clone());
        Some(Box::pin(async move { served.tell(&team).await }))
    }
}
