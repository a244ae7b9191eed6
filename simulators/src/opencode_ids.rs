//! The ids of opencode, in the recorded shape: a prefix, the time in 12 hex digits, and 14 random letters and digits.

use std::cell::Cell;

use gauntlet_world::Host;

const TIME_BITS: u64 = 0xffff_ffff_ffff;
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The ids that one process gives.
#[derive(Default)]
pub(crate) struct Ids {
    last_ms: Cell<u64>,
    /// How many ids were given in that millisecond.
    given: Cell<u64>,
}

impl Ids {
    /// An id that sorts behind earlier ones: messages and parts have these.
    pub(crate) fn ascending(&self, host: &Host, prefix: &str) -> String {
        format!("{prefix}_{:012x}{}", self.time(host), random(host))
    }

    /// An id that sorts before earlier ones: sessions have these.
    pub(crate) fn descending(&self, host: &Host, prefix: &str) -> String {
        format!("{prefix}_{:012x}{}", !self.time(host) & TIME_BITS, random(host))
    }

    /// The time with a count in its last 12 bits, cut to 48.
    fn time(&self, host: &Host) -> u64 {
        let now = u64::try_from(host.clock().wall().millis()).unwrap_or_default();
        if self.last_ms.replace(now) != now {
            self.given.set(0);
        }
        self.given.set(self.given.get() + 1);
        now.wrapping_mul(0x1000).wrapping_add(self.given.get()) & TIME_BITS
    }
}

fn random(host: &Host) -> String {
    let letter = |_| {
        let at = usize::try_from(host.entropy().below(62)).unwrap_or_default();
        char::from(LETTERS[at])
    };
    (0..14).map(letter).collect()
}
