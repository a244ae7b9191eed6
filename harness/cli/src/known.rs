//! The flags for lists of known failures.

use gauntlet_engine::data::Library;
use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::known::{List, Tally, update};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use miette::Report;

use crate::args::KnownArgs;

/// The lists that are named. The date comes from here, and no cell sees it; the day begins and ends in UTC, on every computer.
pub(crate) fn list(library: &Library, args: &KnownArgs) -> Result<List, (Report, ExitCode)> {
    if args.known_failures.is_empty() && args.known_flaky.is_empty() {
        return Ok(List::default());
    }
    let today = args.today.unwrap_or_else(|| Timestamp::now().to_zoned(TimeZone::UTC).date());
    List::read(library, &args.known_failures, &args.known_flaky, today, args.update_known_failures)
        .map_err(|error| (Report::new(error), ExitCode::Usage))
}

/// Writes the lists anew when that was asked for, and says what was done.
pub(crate) fn write(
    tally: &Tally,
    args: &KnownArgs,
    is_complete: bool,
) -> Result<Vec<String>, (Report, ExitCode)> {
    let Some(first) = args.known_failures.first().filter(|_| args.update_known_failures) else {
        return Ok(Vec::new());
    };
    if !is_complete {
        return Ok(vec![
            "the lists of known failures are left as they are: the run was interrupted".to_owned(),
        ]);
    }
    let updated = update::update(tally, first).map_err(|error| (Report::new(error), ExitCode::Broken))?;
    let mut lines: Vec<String> = updated.pruned.iter().map(|entry| format!("taken out: {entry}")).collect();
    lines.push(format!("known failures: {} written, {} taken out", updated.written, updated.pruned.len()));
    if updated.to_fill_in > 0 {
        lines.push(format!(
            "{} wait for a reason and an owner in {}; the next run refuses the list until they are filled in",
            updated.to_fill_in,
            first.display()
        ));
    }
    Ok(lines)
}
