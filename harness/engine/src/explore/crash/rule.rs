//! The fault that a point is.

use gauntlet_world::fault::{Happening, Rule, Unsynced};

use super::point::{Crash, Point, Subject};
use super::worlds::Place;

/// The fault: it counts the calls of one kind, and points count those of all kinds. `salt` draws what a power cut leaves of what was not on
/// the disk.
pub(super) fn rule(host: Subject, place: Place, crash: Crash, salt: &str) -> Rule {
    Rule {
        host: host.name().to_owned(),
        at: place.op,
        target: None,
        nth: place.nth,
        moment: place.moment,
        happening: match crash {
            Crash::Kill => Happening::Kill,
            Crash::Cut => Happening::PowerCut(fate(salt, place.point(crash))),
        },
    }
}

/// What becomes of what was not synced: half of the time it is lost, since that is what breaks most.
fn fate(salt: &str, point: Point) -> Unsynced {
    match drawn(&format!("{salt} {point}")) % 8 {
        0 | 1 => Unsynced::Torn,
        2 | 3 => Unsynced::Drawn,
        4 => Unsynced::Kept,
        _ => Unsynced::Lost,
    }
}

/// A number that depends on nothing but a text.
pub(super) fn drawn(text: &str) -> u64 {
    blake3::hash(text.as_bytes()).as_bytes().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}
