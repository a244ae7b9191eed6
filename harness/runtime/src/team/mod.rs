//! Team mode: agents that work together, with a mailbox for each and a list of tasks for all (team sheet). It is off by default; switched
//! off, nothing of it is there.
//!
//! One idea a file: [`config`] its configuration, `jsonc` how people write that, `layout` where files are, `names` which are safe,
//! `files` and `lock` what is done with them over and over, [`state`] what is known of a run, `spec` what a team is to be, `mailbox` and
//! [`tasks`] what members share, `participants` and `gate` who may do what, [`sessions`] what it needs of whoever runs the agents, [`served`]
//! the same over a session host, `lifecycle` how a run comes and goes, `worktree` and `tmux` what it has outside of its folder, `listing` and `status_of`
//! what it tells, [`tools`] what of it a model can call, [`doctor`] whether a machine is fit for it.

pub mod config;
pub mod doctor;
mod error;
mod files;
mod gate;
mod jsonc;
mod layout;
mod lifecycle;
mod listing;
mod lock;
mod mailbox;
mod names;
mod participants;
mod rules;
pub mod served;
pub mod sessions;
mod spec;
pub mod state;
mod status_of;
pub mod tasks;
mod tmux;
pub mod tools;
mod worktree;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::rc::Rc;

use gauntlet_world::Host;
use gauntlet_world::injection::{Injector, Point};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::fleet::decided::Decided;

pub use config::TeamConfig;
pub use error::TeamError;
pub use layout::Layout;
pub use lifecycle::{Event, Resumed};
pub use names::{MemberName, MessageId, RunId, TaskId, TeamName};
pub use participants::Seat;
pub use rules::skill;
use sessions::Sessions;
pub use spec::SpecError;
use state::Store;

use mailbox::Idles;
use participants::Registered;

/// What team mode is started with.
#[derive(Clone)]
pub struct TeamSettings {
    /// The folder of the project.
    pub project: PathBuf,
    /// Reaches whoever runs the sessions.
    pub sessions: Connect,
    /// Whether mail comes into turns by [`Team::turn`]. Where nobody calls that, a member that is idle is told its mail at once.
    pub turns_carry_mail: bool,
    /// What members are that say nothing of it, in a specification that comes with its call.
    pub default_category: String,
    /// What shows the session of a member in a pane: program and arguments, before `--session` and `--dir`.
    pub attach: Vec<String>,
    /// Where quirks bite, if it is to have any.
    pub injector: Injector,
}

/// Reaches whoever runs the sessions from a host; nothing when there is no way to.
pub type Connect = Rc<dyn Fn(&Host) -> Option<Rc<dyn Sessions>>>;

/// Team mode of a running runtime. Cloning gives another handle.
#[derive(Clone)]
pub struct Team(Rc<Inner>);

/// Lets one through at a time.
type Turnstile = Rc<Mutex<()>>;

struct Inner {
    store: Store,
    config: TeamConfig,
    settings: TeamSettings,
    sessions: Rc<dyn Sessions>,
    registered: Registered,
    /// The runs that this life made, which end with it.
    own: RefCell<BTreeSet<RunId>>,
    idles: RefCell<Idles>,
    /// Mail that this life put into a turn.
    injected: RefCell<BTreeSet<(RunId, MemberName, MessageId)>>,
    /// One live delivery at a time for each member.
    delivering: RefCell<BTreeMap<(RunId, MemberName), Turnstile>>,
    /// How many messages each run sent.
    sent: RefCell<BTreeMap<RunId, u64>>,
    /// One creation at a time comes to its first write, so that two of one session see each other.
    creating: Mutex<()>,
}

impl Team {
    /// Team mode on a host. Nothing is touched.
    pub fn new(host: Host, config: TeamConfig, settings: TeamSettings) -> Self {
        let layout = Layout::new(config.base(&host), settings.project.clone());
        let sessions = (settings.sessions)(&host).unwrap_or_else(|| Rc::new(sessions::Nobody));
        Self(Rc::new(Inner {
            store: Store { host, layout, injector: settings.injector.clone() },
            config,
            settings,
            sessions,
            registered: Registered::default(),
            own: RefCell::default(),
            idles: RefCell::default(),
            injected: RefCell::default(),
            delivering: RefCell::default(),
            sent: RefCell::default(),
            creating: Mutex::default(),
        }))
    }

    /// Makes the folders that all else is in, each its owner's alone (TEAM-CFG-04).
    pub async fn prepare(&self) -> Result<(), TeamError> {
        for folder in self.layout().base_dirs() {
            files::make_private_dir(self.host(), &folder).await?;
        }
        Ok(())
    }

    /// Hears what happens to sessions, without end, if whoever runs them tells.
    pub async fn watch(&self) {
        if let Some(watching) = self.sessions().watch(self) {
            watching.await;
        }
    }

    /// Where its files are.
    pub fn layout(&self) -> &Layout {
        &self.0.store.layout
    }

    /// The state of a run.
    pub async fn load(&self, run: &RunId) -> Result<state::RunState, TeamError> {
        self.store().load(run).await
    }

    pub(crate) fn host(&self) -> &Host {
        &self.0.store.host
    }

    /// Passes what is about to be done through an injection point. What the event means is said there.
    pub(crate) async fn decide(&self, point: Point, event: Value) -> Decided {
        self.store().decide(point, event).await
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn config(&self) -> &TeamConfig {
        &self.0.config
    }

    pub(crate) fn settings(&self) -> &TeamSettings {
        &self.0.settings
    }

    pub(crate) fn sessions(&self) -> &dyn Sessions {
        &*self.0.sessions
    }

    pub(crate) fn registered(&self) -> &Registered {
        &self.0.registered
    }

    pub(crate) fn idles(&self) -> &RefCell<Idles> {
        &self.0.idles
    }

    pub(crate) fn creating(&self) -> &Mutex<()> {
        &self.0.creating
    }

    pub(crate) fn own_runs(&self) -> &RefCell<BTreeSet<RunId>> {
        &self.0.own
    }

    pub(crate) fn delivery_turn(&self, run: &RunId, member: &MemberName) -> Turnstile {
        self.0.delivering.borrow_mut().entry((run.clone(), member.clone())).or_default().clone()
    }

    pub(crate) fn note_injected(&self, run: &RunId, member: &MemberName, id: &MessageId) {
        self.0.injected.borrow_mut().insert((run.clone(), member.clone(), id.clone()));
    }

    pub(crate) fn was_injected(&self, run: &RunId, member: &MemberName, id: &MessageId) -> bool {
        self.0.injected.borrow().contains(&(run.clone(), member.clone(), id.clone()))
    }

    /// Mail that was put away needs not be remembered.
    pub(crate) fn forget_injected(&self, run: &RunId, member: &MemberName, id: &MessageId) {
        self.0.injected.borrow_mut().remove(&(run.clone(), member.clone(), id.clone()));
    }

    pub(crate) fn messages_sent(&self, run: &RunId) -> Option<u64> {
        self.0.sent.borrow().get(run).copied()
    }

    pub(crate) fn note_messages(&self, run: &RunId, sent: u64) {
        self.0.sent.borrow_mut().insert(run.clone(), sent);
    }

    /// Forgets what is kept in memory of a run that is gone (TEAM-DEL-09).
    pub(crate) fn forget(&self, run: &RunId) {
        self.registered().remove_run(run);
        self.own_runs().borrow_mut().remove(run);
        self.0.sent.borrow_mut().remove(run);
        self.0.injected.borrow_mut().retain(|(of, ..)| of != run);
        self.0.delivering.borrow_mut().retain(|(of, _), _| of != run);
    }
}
