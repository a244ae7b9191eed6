//! The limits of a subject, by which scenarios measure time: long in the virtual lane, where time is free, and short in the
//! real one.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Lane;

/// The limits that a lane gives to its subjects. `{turn_cap}` and the like in a scenario stand for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The cap of one turn.
    pub turn_cap: Duration,
    /// How long a turn waits for a slot, and for its context.
    pub lock_wait: Duration,
    /// The idle time after which a receiver ends.
    pub idle: Duration,
    /// The rhythm in which a receiver looks at its inbox.
    pub poll: Duration,
}

impl Limits {
    /// The limits of a lane.
    pub fn of(lane: Lane) -> Self {
        let millis = Duration::from_millis;
        match lane {
            Lane::Virtual => Self {
                turn_cap: millis(300_000),
                lock_wait: millis(600_000),
                idle: millis(1_800_000),
                poll: millis(2_000),
            },
            Lane::Real => Self {
                turn_cap: millis(2_000),
                lock_wait: millis(4_000),
                idle: millis(4_000),
                poll: millis(50),
            },
        }
    }

    /// How long a lane gives a cell, whatever its steps wait for.
    pub fn horizon(lane: Lane) -> Duration {
        match lane {
            Lane::Virtual => Duration::from_secs(24 * 3600),
            Lane::Real => Duration::from_secs(60),
        }
    }

    /// What braces around them stand for.
    pub(super) const NAMES: [&str; 5] = ["turn_cap", "lock_wait", "idle", "poll", "turn_cap.seconds"];

    /// The limits that a text speaks of, by their names.
    pub(super) fn named_in(text: &str) -> BTreeSet<&'static str> {
        let spoken_of = |name: &&&str| text.contains(&format!("{{{name}}}"));
        let named = Self::NAMES.iter().filter(spoken_of);
        named.map(|name| name.trim_end_matches(".seconds")).collect()
    }

    fn named(&self, name: &str) -> Option<Duration> {
        Some(match name {
            "turn_cap" => self.turn_cap,
            "lock_wait" => self.lock_wait,
            "idle" => self.idle,
            "poll" => self.poll,
            _ => return None,
        })
    }

    /// Puts durations in the place of `{turn_cap}`, `{turn_cap}+1s`, `{turn_cap}-500ms`, and seconds as Python prints them
    /// (`300.0`) in the place of `{turn_cap.seconds}`. Everything else in braces stays.
    pub fn fill(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find('{') {
            let (before, from) = rest.split_at(start);
            filled.push_str(before);
            rest = from;
            let Some(end) = from.find('}') else { break };
            let name = &from[1..end];
            let after = &from[end + 1..];
            if let Some(duration) = name.strip_suffix(".seconds").and_then(|name| self.named(name)) {
                filled.push_str(&format!("{:?}", duration.as_secs_f64()));
                rest = after;
            } else if let Some(base) = self.named(name) {
                let (shift, length) = offset(after);
                let millis = i64::try_from(base.as_millis()).unwrap_or(i64::MAX).saturating_add(shift).max(0);
                filled.push_str(&format!("{millis}ms"));
                rest = &after[length..];
            } else {
                filled.push('{');
                rest = &from[1..];
            }
        }
        filled.push_str(rest);
        filled
    }
}

/// A signed duration at the beginning of a text, in milliseconds, and how long it is written.
fn offset(text: &str) -> (i64, usize) {
    let sign = match text.as_bytes().first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return (0, 0),
    };
    let length = 1 + text[1..].bytes().take_while(u8::is_ascii_alphanumeric).count();
    match text[1..length].parse::<gauntlet_world::injection::Millis>() {
        Ok(millis) => (sign * i64::try_from(millis.0).unwrap_or(i64::MAX), length),
        Err(_) => (0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_relative_to_the_limits_of_the_lane() {
        let text = "within: \"{turn_cap}+1s\", text: \"after {turn_cap.seconds}s\", name: {other}, just: {poll}-500ms {";
        let long = Limits::of(Lane::Virtual).fill(text);
        assert_eq!(long, "within: \"301000ms\", text: \"after 300.0s\", name: {other}, just: 1500ms {");
        assert!(Limits::of(Lane::Real).fill(text).starts_with("within: \"3000ms\", text: \"after 2.0s\""));
    }
}
