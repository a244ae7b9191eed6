//! What all machines of a cell share: the guards, the armed faults, the log of touches, and exploration.
#![expect(clippy::disallowed_methods, reason = "the scheduler point is below the clock port")]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::entropy::Entropy;
use crate::fault::{Armed, Errno, Happening, Moment, Rule};
use crate::simulated::slip::{Mistake, Slip};
use crate::touch::{Op, Touch};

/// What a cell's world is made with.
#[derive(Debug, Clone)]
pub struct WorldSettings {
    /// The root of all random numbers: usually a hash of the root seed and the cell's id.
    pub seed: [u8; 32],
    /// The wall clock at the start, in milliseconds since 1970.
    pub epoch_ms: i64,
    /// How many touches are allowed before the cell counts as running in circles.
    pub touch_budget: u64,
    /// Whether the scheduler point shakes the order of tasks.
    pub exploration: Exploration,
    /// The faults that wait for their touch.
    pub faults: Vec<Rule>,
    /// Mistakes that programs make.
    pub slips: Vec<Slip>,
    /// Whether every touch is kept in the log. The count is kept always.
    pub log_touches: bool,
}

impl Default for WorldSettings {
    fn default() -> Self {
        Self {
            seed: [0; 32],
            epoch_ms: 1_767_225_600_000,
            touch_budget: 200_000,
            exploration: Exploration::Off,
            faults: Vec::new(),
            slips: Vec::new(),
            log_touches: true,
        }
    }
}

/// What the scheduler point does beside counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exploration {
    /// Every call goes through at once.
    Off,
    /// Before half of the calls, as the seed draws it, one or two yields or a wait of one or two virtual milliseconds.
    Shake,
    /// The same, drawn by this number beside the seed: the order of tasks can change while all else stays.
    ShakeBy(u64),
}

/// Something that a fault did to a process or a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Crash {
    /// This process was killed.
    Killed {
        /// The host's name.
        host: String,
    },
    /// The machine lost power: every process is gone.
    PowerCut {
        /// The machine's name.
        machine: String,
    },
}

/// The world of one cell. Cloning gives another handle.
#[derive(Clone)]
pub struct World(Rc<Shared>);

struct Shared {
    settings: WorldSettings,
    began: Instant,
    touches: Cell<u64>,
    exhausted: Cell<bool>,
    armed: RefCell<Vec<Armed>>,
    log: RefCell<Vec<Touch>>,
    crashes: RefCell<VecDeque<Crash>>,
    news: Notify,
    panics: RefCell<Vec<String>>,
    scheduler: Option<Entropy>,
    choices: RefCell<Vec<u8>>,
}

pub(crate) enum Decision {
    Proceed,
    Fail(Errno),
    Torn(Errno),
    Dead,
}

impl World {
    /// A world that begins now, on the runtime's (paused) clock.
    pub fn new(settings: WorldSettings) -> Self {
        let scheduler = match settings.exploration {
            Exploration::Off => None,
            Exploration::Shake => Some(Entropy::seeded(&[&settings.seed, b"scheduler"])),
            Exploration::ShakeBy(number) => {
                Some(Entropy::seeded(&[&settings.seed, b"scheduler", &number.to_le_bytes()]))
            }
        };
        let armed = settings.faults.iter().cloned().map(Armed::new).collect();
        Self(Rc::new(Shared {
            settings,
            began: Instant::now(),
            touches: Cell::new(0),
            exhausted: Cell::new(false),
            armed: RefCell::new(armed),
            log: RefCell::default(),
            crashes: RefCell::default(),
            news: Notify::new(),
            panics: RefCell::default(),
            scheduler,
            choices: RefCell::default(),
        }))
    }

    /// What it was made with.
    pub fn settings(&self) -> &WorldSettings {
        &self.0.settings
    }

    /// Time since the cell began.
    pub fn elapsed(&self) -> Duration {
        Instant::now() - self.0.began
    }

    /// Virtual milliseconds since the cell began.
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A stream of random numbers of its own for each name.
    pub fn entropy(&self, name: &[u8]) -> Entropy {
        Entropy::seeded(&[&self.0.settings.seed, name])
    }

    /// Arms one more fault.
    pub fn arm(&self, rule: Rule) {
        self.0.armed.borrow_mut().push(Armed::new(rule));
    }

    /// Forgets every fault that was armed since the world was made and has not bitten yet.
    pub fn disarm(&self) {
        self.0.armed.borrow_mut().truncate(self.0.settings.faults.len());
    }

    /// What a host does wrong on a path.
    pub(crate) fn mistakes<'w>(
        &'w self,
        host: &'w str,
        target: &'w str,
    ) -> impl Iterator<Item = Mistake> + 'w {
        self.0.settings.slips.iter().filter_map(move |slip| slip.of(host, target))
    }

    /// How many of the first so many faults have bitten with which the world was made.
    pub fn bitten(&self, first: usize) -> usize {
        let made_with = first.min(self.0.settings.faults.len());
        self.0.armed.borrow().iter().take(made_with).filter(|fault| fault.is_done()).count()
    }

    /// How many port calls were made.
    pub fn touches(&self) -> u64 {
        self.0.touches.get()
    }

    /// Whether the budget of touches ran out: from then on no port call completes.
    pub fn is_exhausted(&self) -> bool {
        self.0.exhausted.get()
    }

    /// The log of touches so far.
    pub fn log(&self) -> Vec<Touch> {
        self.0.log.borrow().clone()
    }

    /// What exploration drew, in order.
    pub fn choices(&self) -> Vec<u8> {
        self.0.choices.borrow().clone()
    }

    /// Panics of tasks in this cell: each is a bug of ours.
    pub fn panics(&self) -> Vec<String> {
        self.0.panics.borrow().clone()
    }

    /// Waits for the next crash that a fault caused.
    pub async fn next_crash(&self) -> Crash {
        loop {
            let next = self.0.crashes.borrow_mut().pop_front();
            match next {
                Some(crash) => return crash,
                None => self.0.news.notified().await,
            }
        }
    }

    pub(crate) fn note_crash(&self, crash: Crash) {
        self.0.crashes.borrow_mut().push_back(crash);
        self.0.news.notify_one();
    }

    pub(crate) fn note_panic(&self, text: String) {
        self.0.panics.borrow_mut().push(text);
    }

    /// Counts a touch, once, before its effect. The first touch beyond the budget is neither counted nor logged.
    pub(crate) fn count(&self, host: &str, op: Op, target: &str, moment: Moment) {
        let shared = &self.0;
        if moment == Moment::After {
            return;
        }
        if shared.touches.get() >= shared.settings.touch_budget {
            shared.exhausted.set(true);
            return;
        }
        shared.touches.set(shared.touches.get() + 1);
        if shared.settings.log_touches {
            let touch =
                Touch { at_ms: self.elapsed_ms(), host: host.to_owned(), op, target: target.to_owned() };
            shared.log.borrow_mut().push(touch);
        }
    }

    /// Asks the armed faults.
    pub(crate) fn bites(&self, host: &str, op: Op, target: &str, moment: Moment) -> Option<Happening> {
        let mut armed = self.0.armed.borrow_mut();
        let mut happening = None;
        for fault in armed.iter_mut() {
            // Every rule counts every touch, also one at which another rule bites first.
            let bites = fault.decide(host, op, target, moment);
            happening = happening.or(bites);
        }
        happening
    }

    pub(crate) async fn yield_point(&self) {
        if self.0.exhausted.get() {
            std::future::pending::<()>().await;
        }
        let Some(scheduler) = &self.0.scheduler else { return };
        let choice = scheduler.below(8) as u8;
        self.0.choices.borrow_mut().push(choice);
        match choice {
            0..=3 => {}
            4..=5 => {
                for _ in 4..=choice {
                    tokio::task::yield_now().await;
                }
            }
            _ => wait_ms(u64::from(choice - 5)).await,
        }
    }
}

async fn wait_ms(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}
