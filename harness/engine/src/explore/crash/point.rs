//! Where a process dies, and how, as people write it: `17`, `17:kill`, `17:cut:after`, and with a second crash
//! `17:kill:before,receiver:88:cut:after`.

use std::fmt;
use std::str::FromStr;

use gauntlet_world::fault::Moment;

/// The process that dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The runtime that dispatches.
    Runtime,
    /// The receiver.
    Receiver,
}

impl Subject {
    /// Both.
    pub const ALL: [Self; 2] = [Subject::Runtime, Subject::Receiver];

    /// Its name in the log of port calls.
    pub fn name(self) -> &'static str {
        match self {
            Subject::Runtime => "runtime",
            Subject::Receiver => "receiver",
        }
    }
}

/// What happens there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Crash {
    /// The process alone dies.
    Kill,
    /// The machine loses its power.
    Cut,
}

impl Crash {
    pub(super) const ALL: [Self; 2] = [Crash::Kill, Crash::Cut];
}

/// One crash of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    /// The how-manieth port call of its host, counted from 1 over all kinds.
    pub(super) number: u32,
    pub(super) crash: Crash,
    pub(super) moment: Moment,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let crash = match self.crash {
            Crash::Kill => "kill",
            Crash::Cut => "cut",
        };
        let moment = match self.moment {
            Moment::Before => "before",
            Moment::After => "after",
        };
        write!(f, "{}:{crash}:{moment}", self.number)
    }
}

/// A point that was asked for. What it does not say can be anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub(super) number: u32,
    crash: Option<Crash>,
    moment: Option<Moment>,
    /// The crash of what came back, and whose it is.
    pub(super) then: Option<(Subject, Point)>,
}

/// What was asked for is no point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error(
    "expected a point: the number of a port call, then kill or cut, then before or after; found {found:?}"
)]
#[diagnostic(help(
    "for instance 17, 17:kill, or 17:cut:after; with a second crash 17:kill:before,receiver:88:cut:after"
))]
pub struct AskedError {
    found: String,
}

impl Asked {
    /// The points that it can be.
    pub(super) fn points(&self) -> Vec<Point> {
        let crashes = Crash::ALL.into_iter().filter(|crash| self.crash.is_none_or(|asked| asked == *crash));
        let moments = [Moment::Before, Moment::After].into_iter();
        let moments = moments.filter(|moment| self.moment.is_none_or(|asked| asked == *moment));
        crashes
            .flat_map(|crash| moments.clone().map(move |moment| Point { number: self.number, crash, moment }))
            .collect()
    }

    fn read(text: &str) -> Option<Self> {
        let (first, then) = match text.split_once(',') {
            Some((first, then)) => (first, Some(then)),
            None => (text, None),
        };
        let mut asked = Self::read_one(first)?;
        if let Some(then) = then {
            let (host, point) = then.split_once(':')?;
            let subject = Subject::ALL.into_iter().find(|subject| subject.name() == host)?;
            let second = Self::read_one(point)?;
            // Of two crashes everything is said.
            let point =
                |one: &Self| Some(Point { number: one.number, crash: one.crash?, moment: one.moment? });
            point(&asked)?;
            asked.then = Some((subject, point(&second)?));
        }
        Some(asked)
    }

    fn read_one(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let number = parts.next()?.parse().ok().filter(|number| *number > 0)?;
        let mut asked = Self { number, crash: None, moment: None, then: None };
        for part in parts {
            let (crash, moment) = (&mut asked.crash, &mut asked.moment);
            match part {
                "kill" if crash.is_none() => *crash = Some(Crash::Kill),
                "cut" if crash.is_none() => *crash = Some(Crash::Cut),
                "before" if moment.is_none() => *moment = Some(Moment::Before),
                "after" if moment.is_none() => *moment = Some(Moment::After),
                _ => return None,
            }
        }
        Some(asked)
    }
}

impl FromStr for Asked {
    type Err = AskedError;

    fn from_str(text: &str) -> Result<Self, AskedError> {
        Self::read(text).ok_or_else(|| AskedError { found: text.to_owned() })
    }
}
