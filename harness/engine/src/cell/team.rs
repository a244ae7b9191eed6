//! What a cell with team mode as its subject holds beside its runtime: the session host in which members live, and the sessions
//! that are there before the story begins.
//!
//! The session host is outside of the machine: what happens to that happens to the runtime and to its files, and never to the sessions.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use gauntlet_runtime::registry::{Caller, Session};
use gauntlet_runtime::session_host::SessionHost;
use gauntlet_runtime::team::TeamSettings;
use gauntlet_runtime::team::served::Served;
use gauntlet_runtime::team::sessions::Sessions;
use gauntlet_simulators::session_host::{self, Onlooker, Seen, Store};
use gauntlet_world::Host;
use gauntlet_world::http::{self, Request};
use gauntlet_world::network::Address;
use serde_json::{Value, json};

use super::bench::{Bench, BenchError};
use super::names::Names;
use super::plan::Plan;
use crate::scenario::{Call, SessionStep, SubjectKind};
use crate::trace::{Trace, What};

/// The name of the session host in a trace.
const HOST: &str = "host";
/// The toolset of team mode.
const TOOLSET: &str = "team";
/// The agents that a host of teams knows, beside those of its story.
const AGENTS: [&str; 4] = ["sisyphus", "atlas", "sisyphus-junior", "hephaestus"];
/// How long the host may take over what a step asks of it.
const PATIENCE: Duration = Duration::from_secs(10);
/// After a crash, so long it is waited: what died is back, and a lock that it held is nobody's any more.
const RECOVERY: Duration = Duration::from_secs(400);

/// The session host of a cell.
pub(super) struct Team {
    plan: Plan,
    bench: Rc<Bench>,
    names: Rc<Names>,
    trace: Rc<Trace>,
    store: Store,
    port: Cell<u16>,
    host: RefCell<Option<Host>>,
    /// The story is over: what happens to sessions now is no part of it.
    closed: Rc<Cell<bool>>,
}

impl Team {
    pub(super) fn new(plan: &Plan, bench: &Rc<Bench>, names: &Rc<Names>, trace: &Rc<Trace>) -> Self {
        Self {
            plan: plan.clone(),
            bench: bench.clone(),
            names: names.clone(),
            trace: trace.clone(),
            store: Store::default(),
            port: Cell::default(),
            host: RefCell::default(),
            closed: Rc::default(),
        }
    }

    /// Starts the host, and tells the runtime that is to come of it.
    pub(super) async fn begin(&self) -> Result<(), BenchError> {
        if self.plan.scenario.subject != SubjectKind::Team {
            return Ok(());
        }
        let given = &self.plan.scenario.given.team;
        for (name, agent) in &given.sessions {
            let id = format!("ses_{}", self.names.context(name).replace('-', ""));
            self.store.begin_with(&id, name, Some(agent.as_str()).filter(|agent| !agent.is_empty()));
            self.names.save(name, json!(id));
        }
        self.write_config()?;
        self.bench.settle_disk();
        self.port.set(self.bench.further_port()?);
        self.serve().await?;
        let url = format!("http://127.0.0.1:{}", self.port.get());
        let connect = move |host: &Host| -> Option<Rc<dyn Sessions>> {
            let sessions = SessionHost::new(host, &url, None).ok()?;
            Some(Rc::new(Served::new(host, sessions)))
        };
        self.bench.set_team(TeamSettings {
            project: self.bench.places().repo(),
            sessions: Rc::new(connect),
            turns_carry_mail: given.turns_carry_mail,
            default_category: "quick".to_owned(),
            attach: vec!["agent".to_owned(), "attach".to_owned()],
            injector: self.bench.hermes_injector(),
        });
        Ok(())
    }

    /// What switches team mode on.
    fn write_config(&self) -> Result<(), BenchError> {
        let given = &self.plan.scenario.given;
        if given.files.contains_key("~/.omo/config.jsonc") {
            return Ok(());
        }
        let mut config = json!({ "enabled": true });
        for (name, value) in &given.team.config {
            config[name] = self.names.resolve_value(value);
        }
        self.bench.write("~/.omo/config.jsonc", &json!({ "team_mode": config }).to_string(), false)
    }

    async fn serve(&self) -> Result<(), BenchError> {
        let host = self.bench.beside(HOST);
        let listener = host.network().listen(&Address::loopback(self.port.get())).await;
        let listener =
            listener.map_err(|error| BenchError::because("the session host cannot listen", error))?;
        let mut script = self.plan.scenario.given.team.host.clone();
        for agent in AGENTS {
            if !script.agents.iter().any(|known| known == agent) {
                script.agents.push(agent.to_owned());
            }
        }
        let (trace, bench, closed) = (self.trace.clone(), self.bench.clone(), self.closed.clone());
        let settings = session_host::Settings {
            script,
            injector: self.bench.hermes_injector(),
            store: self.store.clone(),
            onlooker: Onlooker::new(move |seen: Seen| {
                if closed.get() {
                    return;
                }
                // What the files were when a session was told something says whether it had it already.
                bench.look("prompt", &trace);
                let given = json!({
                    "what": seen.what.name(), "session": seen.session, "title": seen.title, "parent": seen.parent,
                    "agent": seen.agent, "text": seen.text,
                });
                trace.push(What::Asked { node: HOST.to_owned(), mind: "session".to_owned(), given });
            }),
        };
        host.spawn(session_host::serve(host.clone(), listener, settings));
        *self.host.borrow_mut() = Some(host);
        Ok(())
    }

    /// Who calls, by the name of a session.
    pub(super) fn caller(&self, call: &Call, by: &str) -> Caller {
        let toolsets = call.toolsets.clone().unwrap_or_else(|| vec![TOOLSET.to_owned()]);
        let given = &self.plan.scenario.given.team.sessions;
        let session = Session {
            id: self.names.saved(by).and_then(|id| id.as_str().map(str::to_owned)),
            agent: given.get(by).filter(|agent| !agent.is_empty()).cloned(),
            message: None,
            directory: Some(self.bench.places().repo().to_string_lossy().into_owned()),
        };
        Caller::with(toolsets.iter().map(String::as_str)).of_session(session)
    }

    /// Does something to a session, as whoever sits in front of it would.
    pub(super) async fn session(&self, step: &SessionStep) -> Value {
        let id = self.names.saved(&step.of).and_then(|id| id.as_str().map(str::to_owned)).unwrap_or_default();
        let (method, path, body) = match &step.prompt {
            Some(text) => {
                let body = json!({ "parts": [{ "type": "text", "text": self.names.resolve(text) }] });
                ("POST", format!("/session/{id}/prompt_async"), Some(body))
            }
            None => ("DELETE", format!("/session/{id}"), None),
        };
        let Ok(url) = format!("http://127.0.0.1:{}{path}", self.port.get()).parse() else {
            return json!({ "status": null });
        };
        let request = Request {
            method: method.to_owned(),
            url,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
            limit: PATIENCE,
        };
        let answer = http::exchange(self.bench.harness(), request).await;
        json!({ "status": answer.ok().map(|answer| answer.status) })
    }

    /// Whether crashes or faults come where no step of the story has them.
    pub(super) fn is_disturbed(&self) -> bool {
        !self.plan.faults().is_empty()
    }

    /// Lets what a crash interrupted come back before the cell is judged.
    pub(super) async fn rest(&self) {
        if self.is_disturbed() {
            self.bench.harness().clock().sleep(RECOVERY).await;
        }
    }

    /// The story is over.
    pub(super) fn close(&self) {
        self.closed.set(true);
    }

    /// Ends what runs.
    pub(super) fn end(&self) {
        if let Some(host) = self.host.borrow_mut().take() {
            host.end();
        }
    }
}

/// What a step keeps of a result, by the names under which it does.
pub(super) fn keep(names: &Names, saves: &BTreeMap<String, String>, tool: &Value) {
    for (name, pointer) in saves {
        if let Some(value) = tool.pointer(pointer) {
            names.save(name, value.clone());
        }
    }
}
