//! Holding a cell of the real lane, so that somebody can look at its files and processes, or put a debugger to them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

use crate::cell::key;
use crate::data::nearest;
use crate::scenario::Scenario;

/// Where a cell is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// Before this step, a number from 1 or a name.
    Step(String),
    /// When something failed that a scenario expects or that holds in every cell.
    Failure,
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("expected a step, by its number or its name, or `failure`; found nothing".to_owned()),
            "failure" => Ok(At::Failure),
            step => Ok(At::Step(step.to_owned())),
        }
    }
}

/// A step that the scenario does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("--hold: expected a step of {scenario} ({known}) or `failure`; found {found:?}")]
pub struct UnknownStep {
    scenario: String,
    known: String,
    found: String,
    #[help]
    help: Option<String>,
}

impl At {
    /// Whether it is before this step.
    fn is_step(&self, number: usize, key: &str) -> bool {
        matches!(self, At::Step(step) if step == key || step.parse() == Ok(number + 1))
    }

    /// A step must be one of the scenario's.
    pub fn check(&self, scenario: &Scenario) -> Result<(), UnknownStep> {
        let At::Step(found) = self else { return Ok(()) };
        let keys: Vec<String> =
            scenario.steps.iter().enumerate().map(|(number, step)| key(number, step)).collect();
        if keys.iter().enumerate().any(|(number, key)| self.is_step(number, key)) {
            return Ok(());
        }
        let known = keys.iter().enumerate().map(|(number, key)| match key.starts_with("step ") {
            true => format!("{}", number + 1),
            false => format!("{} {key}", number + 1),
        });
        let names = keys.iter().map(String::as_str).chain(["failure"]);
        Err(UnknownStep {
            scenario: scenario.id.value.clone(),
            known: known.collect::<Vec<_>>().join(", "),
            found: found.clone(),
            help: nearest(found, names).map(|name| format!("did you mean {name:?}?")),
        })
    }
}

/// What is told of a cell that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Why now.
    pub why: String,
    /// The cell's folder.
    pub root: PathBuf,
    /// Where the subject works.
    pub workdir: String,
    /// Where the receiver listens.
    pub port: u16,
    /// The processes, by id and name; the receiver is the first when it runs.
    pub processes: Vec<(u32, String)>,
}

/// A cell is to be held, once.
pub struct Hold {
    at: At,
    held: AtomicBool,
    tell: Box<dyn Fn(&Held) + Send + Sync>,
    go_on: Notify,
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Hold {
    /// A cell is to be held there; `tell` is called when it is.
    pub fn new(at: At, tell: impl Fn(&Held) + Send + Sync + 'static) -> Self {
        Self { at, held: AtomicBool::new(false), tell: Box::new(tell), go_on: Notify::new() }
    }

    /// The cell goes on.
    pub fn go_on(&self) {
        self.go_on.notify_one();
    }

    /// Whether it is to be held before this step.
    pub(crate) fn is_before(&self, number: usize, key: &str) -> bool {
        self.at.is_step(number, key) && !self.was_held()
    }

    /// Whether it is still to be held at a failure.
    pub(crate) fn waits_for_failure(&self) -> bool {
        self.at == At::Failure && !self.was_held()
    }

    fn was_held(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }

    /// Holds the cell until it is to go on.
    pub(crate) async fn hold(&self, held: &Held) {
        self.held.store(true, Ordering::Relaxed);
        (self.tell)(held);
        self.go_on.notified().await;
    }
}
