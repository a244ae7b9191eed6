//! A session host: `opencode serve` 1.18.33, as far as a team is run in it, with members that are scripted as data.
//!
//! `http` is what there is over HTTP, `turn` the life of a turn, `events` what is told to those who watch, `store` the sessions,
//! `shapes` what is said of them, `script` what members and host do, `seen` what an onlooker sees, `profile` what a profile says. What of it is like the recordings, `tests/fidelity` compares.

mod events;
mod http;
mod profile;
mod script;
mod seen;
mod shapes;
mod store;
mod turn;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use gauntlet_world::injection::{Injector, Point};
use gauntlet_world::network::Listener;
use gauntlet_world::{Host, Task};
use serde_json::{Value, json};

pub use self::profile::TeamProfile;
pub use self::script::{Disturbance, Disturbs, Ends, HostScript, MemberScript, MemberTurn, PromptAnswer};
pub use self::seen::{Did, Onlooker, Seen};
pub use self::store::{Heard, Store};

use self::events::Teller;
use self::shapes::Place;
use self::store::Session;
use crate::opencode_ids::Ids;

/// What a host is started with.
#[derive(Clone, Default)]
pub struct Settings {
    /// What it and its members do.
    pub script: HostScript,
    /// Its quirks.
    pub injector: Injector,
    /// Its sessions.
    pub store: Store,
    /// Who looks over its shoulder.
    pub onlooker: Onlooker,
}

/// A session host that runs. Cloning gives another handle.
#[derive(Clone)]
struct SessionHost(Rc<State>);

struct State {
    host: Host,
    settings: Settings,
    place: Place,
    teller: Teller,
    ids: Ids,
    /// What sessions are doing that do something; a turn goes on in one that was deleted, too.
    active: RefCell<BTreeMap<String, Value>>,
    turns: RefCell<BTreeMap<String, Task<()>>>,
    /// Sessions whose model is being asked.
    asking: RefCell<BTreeSet<String>>,
    /// Prompts that came so far.
    prompts: Cell<usize>,
}

/// Serves for ever. The sessions of `settings` do nothing at first, whatever they did when an earlier process ended.
pub async fn serve(host: Host, listener: Listener, settings: Settings) {
    let directory = host.cwd().to_string_lossy().into_owned();
    let place = Place { directory, model: ("mock".to_owned(), "m".to_owned()) };
    let session_host = SessionHost(Rc::new(State {
        host: host.clone(),
        settings,
        place,
        teller: Teller::default(),
        ids: Ids::default(),
        active: RefCell::default(),
        turns: RefCell::default(),
        asking: RefCell::default(),
        prompts: Cell::default(),
    }));
    let telling = session_host.clone();
    host.spawn(async move {
        let State { host, settings, teller, .. } = &*telling.0;
        teller.run(host, &settings.injector, &settings.script.events).await;
    });
    loop {
        match listener.accept().await {
            Ok(stream) => {
                let serving = session_host.clone();
                host.spawn(async move { serving.connection(stream).await });
            }
            Err(_) => host.clock().sleep(Duration::from_millis(100)).await,
        }
    }
}

impl SessionHost {
    fn now(&self) -> i64 {
        self.0.host.clock().wall().millis()
    }

    fn tell(&self, kind: &str, properties: Value) {
        self.0.teller.tell(&self.0.host, kind, properties);
    }

    fn id(&self, prefix: &str) -> String {
        self.0.ids.ascending(&self.0.host, prefix)
    }

    /// What becomes of an event at a point.
    async fn pass(&self, point: Point, event: Value) -> Option<Value> {
        self.0.settings.injector.pass(&self.0.host, point, event).await.first()
    }

    /// Shows what was done to whoever looks.
    fn show(&self, what: Did, session: &Session, agent: Option<String>, text: Option<String>) {
        self.0.settings.onlooker.tell(|| Seen {
            what,
            session: session.id.clone(),
            title: session.title.clone(),
            parent: session.parent.clone(),
            agent,
            text,
        });
    }

    /// Notes what a session is doing, and tells it.
    fn does(&self, session: &str, status: Value) {
        let is_idle = status["type"] == "idle";
        if is_idle {
            self.0.active.borrow_mut().remove(session);
        } else {
            self.0.active.borrow_mut().insert(session.to_owned(), status.clone());
        }
        self.tell("session.status", json!({ "sessionID": session, "status": status }));
    }

    fn busy(&self, session: &str) {
        self.does(session, json!({ "type": "busy" }));
    }

    fn idle(&self, session: &str) {
        self.does(session, json!({ "type": "idle" }));
        self.tell_idle(session);
    }

    fn tell_idle(&self, session: &str) {
        self.tell("session.idle", json!({ "sessionID": session }));
    }

    fn tell_error(&self, session: &str, error: &Value) {
        self.tell("session.error", json!({ "sessionID": session, "error": error }));
    }

    fn tell_session(&self, kind: &str, session: &Session) {
        let info = if kind == "session.created" {
            self.0.place.created(session)
        } else {
            self.0.place.updated(session)
        };
        self.tell(kind, json!({ "sessionID": session.id, "info": info }));
    }

    /// Notes that a session changed, and tells it.
    fn touched(&self, id: &str, change: impl FnOnce(&mut Session)) {
        let now = self.now();
        let changed = self.0.settings.store.change(id, |session| {
            change(session);
            session.updated = now;
            session.clone()
        });
        if let Some(session) = changed {
            self.tell_session("session.updated", &session);
        }
    }
}
