//! What exploration found, as the reports tell it.

use gauntlet_reports::Failure;
use gauntlet_reports::explore::Finding;

/// A failure of an explored cell.
pub(super) fn finding(cell: &str, point: &str, at: &str, failure: Failure) -> Finding {
    Finding {
        requirement: failure.requirement,
        role: failure.guilty,
        statement: failure.statement,
        cell: cell.to_owned(),
        point: point.to_owned(),
        at: at.to_owned(),
        expected: failure.expected,
        observed: failure.observed,
        replay: failure.reproduce,
        trace: failure.trace,
    }
}
