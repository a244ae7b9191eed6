//! The clock port: a monotonic clock for waits, a wall clock for stamps, ids and lock ages.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the port: the ban keeps everyone else from going around it"
)]

use std::future::Future;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::Instant;

use crate::host::{Host, Mechanics, PORT};
use crate::race::{Either, race};

/// A point on the wall clock, in milliseconds since 1970 (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime(pub i64);

impl WallTime {
    /// Milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// `YYYY-MM-DD HH:MM:SS`, the product line's stamp (sheet 1.1). The zone is fixed to UTC in both mechanics, so that
    /// one stamp means one moment on every machine.
    pub fn stamp(self) -> String {
        match Timestamp::from_millisecond(self.0) {
            Ok(moment) => moment.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S").to_string(),
            Err(_) => String::from("9999-12-31 23:59:59"),
        }
    }

    /// `Sat, 21 Nov 2026 01:12:58 GMT`, as a `Date` header field has it.
    pub fn http_date(self) -> String {
        match Timestamp::from_millisecond(self.0) {
            Ok(moment) => moment.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
            Err(_) => String::from("Fri, 31 Dec 9999 23:59:59 GMT"),
        }
    }
}

/// The clock of one host.
pub struct Clock<'a>(pub(crate) &'a Host);

impl Clock<'_> {
    /// The monotonic clock, for waits and durations only.
    pub fn now(&self) -> Instant {
        Instant::now()
    }

    /// The wall clock. In the simulated mechanics it is the cell's epoch, plus the time that passed, plus the machine's jump.
    pub fn wall(&self) -> WallTime {
        tracing::trace!(target: PORT, host = self.0.name(), "clock.wall");
        match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => machine.wall(),
            Mechanics::Real(_) => real_wall(),
        }
    }

    /// Waits. A dead process waits for ever.
    pub async fn sleep(&self, duration: Duration) {
        let _call =
            tracing::trace_span!(target: PORT, "call", host = self.0.name(), op = "clock.sleep", ?duration);
        self.0.life().alive().await;
        tokio::time::sleep(duration).await;
        self.0.life().alive().await;
    }

    /// Waits until a moment of the monotonic clock.
    pub async fn sleep_until(&self, moment: Instant) {
        let _call =
            tracing::trace_span!(target: PORT, "call", host = self.0.name(), op = "clock.sleep_until");
        self.0.life().alive().await;
        tokio::time::sleep_until(moment).await;
        self.0.life().alive().await;
    }

    /// The future's output, or nothing when it is not done within the limit. A future that is done exactly at the limit
    /// counts as done.
    pub fn within<F: Future>(&self, limit: Duration, future: F) -> impl Future<Output = Option<F::Output>> {
        race(future, self.sleep(limit)).map(|outcome| match outcome {
            Either::First(output) => Some(output),
            Either::Second(()) => None,
        })
    }
}

fn real_wall() -> WallTime {
    WallTime(Timestamp::now().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_as_http_has_it() {
        assert_eq!(WallTime(1_795_223_578_400).http_date(), "Sat, 21 Nov 2026 01:12:58 GMT");
        assert_eq!(WallTime(i64::MAX).http_date(), "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn a_stamp_is_in_utc_and_whole_seconds_go_down() {
        for (millis, seconds, stamp) in [
            (0, 0, "1970-01-01 00:00:00"),
            (1_767_225_599_999, 1_767_225_599, "2025-12-31 23:59:59"),
            (-1, -1, "1969-12-31 23:59:59"),
        ] {
            assert_eq!((WallTime(millis).seconds(), WallTime(millis).stamp().as_str()), (seconds, stamp));
        }
    }
}
