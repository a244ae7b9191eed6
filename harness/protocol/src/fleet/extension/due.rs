//! A moment until when something may take, kept so that neither a clock that jumps nor a restart moves it.

use std::time::Duration;

use serde_json::{Value, json};

/// Now, by both clocks of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment<'a> {
    /// The wall clock, in milliseconds since the epoch.
    pub wall_ms: i64,
    /// Which life of the process this is; no two have the same name.
    pub life: &'a str,
    /// Milliseconds since that life began, by a clock that never jumps.
    pub elapsed_ms: u64,
}

/// The moment at which something is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Of how many milliseconds it is the end.
    pub whole_ms: u64,
    wall_ms: i64,
    life: String,
    elapsed_ms: u64,
}

impl Due {
    /// So long after now.
    pub fn after(whole_ms: u64, now: Moment<'_>) -> Due {
        Due {
            whole_ms,
            wall_ms: now.wall_ms.saturating_add(i64::try_from(whole_ms).unwrap_or(i64::MAX)),
            life: now.life.to_owned(),
            elapsed_ms: now.elapsed_ms.saturating_add(whole_ms),
        }
    }

    /// Whether it was set by this life, which then judges by the clock that never jumps.
    pub fn is_of(&self, life: &str) -> bool {
        self.life == life
    }

    /// How long it is still to go; zero when it is over. Another life has only the wall clock, and gives it no more than the whole
    /// time, however far that clock was set back.
    pub fn left(&self, now: Moment<'_>) -> Duration {
        if self.is_of(now.life) {
            return Duration::from_millis(self.elapsed_ms.saturating_sub(now.elapsed_ms));
        }
        self.left_by_wall(now.wall_ms)
    }

    /// The same by the wall clock alone.
    pub fn left_by_wall(&self, wall_ms: i64) -> Duration {
        let left = u64::try_from(self.wall_ms.saturating_sub(wall_ms)).unwrap_or_default();
        Duration::from_millis(left.min(self.whole_ms))
    }

    /// As a member of a record.
    pub fn to_value(&self) -> Value {
        json!({"whole_ms": self.whole_ms, "wall_ms": self.wall_ms, "life": self.life, "elapsed_ms": self.elapsed_ms})
    }

    /// Reads a member of a record; nothing when it is none of these.
    pub fn from_value(value: &Value) -> Option<Due> {
        Some(Due {
            whole_ms: value.get("whole_ms")?.as_u64()?,
            wall_ms: value.get("wall_ms")?.as_i64()?,
            life: value.get("life")?.as_str()?.to_owned(),
            elapsed_ms: value.get("elapsed_ms")?.as_u64()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(life: &str, wall_ms: i64, elapsed_ms: u64) -> Moment<'_> {
        Moment { wall_ms, life, elapsed_ms }
    }

    #[test]
    fn in_the_same_life_only_the_clock_that_never_jumps_counts() {
        let due = Due::after(20_000, at("one", 1_000_000, 500));
        for wall in [0, 1_000_000, 9_000_000] {
            assert_eq!(due.left(at("one", wall, 5_500)), Duration::from_secs(15));
        }
        assert_eq!(due.left(at("one", 0, 20_500)), Duration::ZERO);
        assert_eq!(due.left(at("one", 0, u64::MAX)), Duration::ZERO);
    }

    #[test]
    fn another_life_goes_by_the_wall_and_never_gives_more_than_the_whole() {
        let due = Due::after(20_000, at("one", 1_000_000, 500));
        assert_eq!(due.left(at("two", 1_005_000, 0)), Duration::from_secs(15));
        assert_eq!(due.left(at("two", 1_020_000, 0)), Duration::ZERO);
        assert_eq!(due.left(at("two", 5_000_000, 0)), Duration::ZERO);
        assert_eq!(due.left(at("two", 0, 0)), Duration::from_secs(20), "a clock set back gives no time");
        assert_eq!(due.left(at("two", i64::MIN, 0)), Duration::from_secs(20));
    }

    #[test]
    fn it_is_written_and_read_back() {
        let due = Due::after(1, at("one", -5, 0));
        assert_eq!(Due::from_value(&due.to_value()), Some(due));
        for broken in
            [json!(null), json!({}), json!({"whole_ms": -1, "wall_ms": 0, "life": "x", "elapsed_ms": 0})]
        {
            assert_eq!(Due::from_value(&broken), None);
        }
    }
}
