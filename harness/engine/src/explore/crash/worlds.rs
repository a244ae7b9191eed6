//! Which points are one and the same.
//!
//! Who dies takes along what it had in memory. So two of its points differ only by the world that it leaves: the disk, the
//! connections, the other processes. Between a call that has happened and the next one of the same host nothing has changed as long as
//! nobody else called a port and no time passed, and a call that only looks changes nothing. Of such points one is tried.

use std::collections::BTreeMap;

use gauntlet_world::fault::Moment;
use gauntlet_world::touch::{Op, Touch};

use super::point::{Crash, Point};

/// A point, whatever the crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The how-manieth port call of its host.
    pub(super) number: u32,
    pub(super) op: Op,
    /// The how-manieth of this kind.
    pub(super) nth: u32,
    pub(super) moment: Moment,
}

impl Place {
    pub(super) fn point(self, crash: Crash) -> Point {
        Point { number: self.number, crash, moment: self.moment }
    }

    /// The place with this number; nothing when the host makes fewer calls.
    pub(super) fn find(log: &[Touch], host: &str, number: u32, moment: Moment) -> Option<Self> {
        let own = || log.iter().filter(|touch| touch.host == host);
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        let op = own().nth(place)?.op;
        let nth = own().take(place + 1).filter(|touch| touch.op == op).count();
        Some(Self { number, op, nth: u32::try_from(nth).ok()?, moment })
    }
}

/// The points of one host in a plain cell.
#[derive(Debug, Default)]
pub(super) struct Worlds {
    /// How many there are of each kind of call.
    pub(super) all: Vec<Op>,
    /// Those that are tried, each with all the kinds whose points it stands for, once for each point.
    pub(super) tried: Vec<(Place, Vec<Op>)>,
}

/// Sorts the points of a host by the world that they leave.
pub(super) fn worlds(log: &[Touch], host: &str) -> Worlds {
    let mut worlds = Worlds::default();
    let mut kinds: BTreeMap<Op, u32> = BTreeMap::new();
    // Whether the world is still the one that the last point that is tried leaves, and when that was.
    let mut same_since: Option<u64> = None;
    let mut number = 0;
    for touch in log {
        if touch.host != host {
            same_since = None;
            continue;
        }
        number += 1;
        worlds.all.extend([touch.op, touch.op]);
        // The first call of each kind is tried by itself, so that no kind rests on this reasoning alone.
        let nth = kinds.entry(touch.op).or_default();
        *nth += 1;
        let is_first = *nth == 1;
        let before = Place { number, op: touch.op, nth: *nth, moment: Moment::Before };
        match worlds.tried.last_mut().filter(|_| same_since == Some(touch.at_ms) && !is_first) {
            Some((_, stands_for)) => stands_for.push(touch.op),
            None => worlds.tried.push((before, vec![touch.op])),
        }
        let after = Place { moment: Moment::After, ..before };
        match worlds.tried.last_mut().filter(|_| touch.op.only_looks() && !is_first) {
            Some((_, stands_for)) => stands_for.push(touch.op),
            None => worlds.tried.push((after, vec![touch.op])),
        }
        // When the effect of a call that waits comes about, the log does not say.
        same_since = (!touch.op.waits()).then_some(touch.at_ms);
    }
    worlds
}
