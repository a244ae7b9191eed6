//! When a budget begins anew: by the wall clock in UTC.

use gauntlet_protocol::fleet::config::Period;
use gauntlet_world::clock::WallTime;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// The period that a moment is in: when it began, and when the next one begins. Nothing: it has no such end.
pub(super) fn around(period: Period, at_ms: i64) -> (Option<WallTime>, Option<WallTime>) {
    let Ok(moment) = Timestamp::from_millisecond(at_ms) else { return (None, None) };
    let day = moment.to_zoned(TimeZone::UTC).date();
    let (first, next) = match period {
        Period::Never => return (None, None),
        Period::Day => (Some(day), day.tomorrow().ok()),
        Period::Week => {
            let since = i64::from(day.weekday().since(Weekday::Monday));
            let monday = day.checked_sub(since.days()).ok();
            (monday, monday.and_then(|monday| monday.checked_add(7.days()).ok()))
        }
        Period::Month => {
            let first = day.first_of_month();
            (Some(first), first.checked_add(1.month()).ok())
        }
    };
    (first.and_then(midnight), next.and_then(midnight))
}

fn midnight(day: Date) -> Option<WallTime> {
    let moment = day.to_zoned(TimeZone::UTC).ok()?;
    Some(WallTime(moment.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamps(period: Period, at: &str) -> (String, String) {
        let at: Timestamp = at.parse().expect("a moment");
        let (from, until) = around(period, at.as_millisecond());
        let stamp = |time: Option<WallTime>| time.map_or_else(|| "never".to_owned(), WallTime::stamp);
        (stamp(from), stamp(until))
    }

    #[test]
    fn periods_begin_at_midnight_of_their_first_day() {
        for (period, at, from, until) in [
            (Period::Day, "2026-11-21T23:59:59.999Z", "2026-11-21", "2026-11-22"),
            (Period::Day, "2026-11-22T00:00:00Z", "2026-11-22", "2026-11-23"),
            (Period::Week, "2026-11-22T12:00:00Z", "2026-11-16", "2026-11-23"),
            (Period::Week, "2026-11-23T00:00:00Z", "2026-11-23", "2026-11-30"),
            (Period::Month, "2026-12-31T23:00:00Z", "2026-12-01", "2027-01-01"),
            (Period::Month, "2028-02-29T00:00:00Z", "2028-02-01", "2028-03-01"),
        ] {
            let expected = (format!("{from} 00:00:00"), format!("{until} 00:00:00"));
            assert_eq!(stamps(period, at), expected, "{at}");
        }
        assert_eq!(stamps(Period::Never, "2026-11-21T00:00:00Z"), ("never".to_owned(), "never".to_owned()));
        assert_eq!(around(Period::Day, i64::MAX), (None, None), "no moment is no reason to fail");
    }
}
