//! `gauntlet schema`.

use std::io::Write;

use gauntlet_reports::schema as reports;

use crate::Outcome;
use crate::args::{Format, SchemaArgs};

pub(crate) fn schema(args: &SchemaArgs) -> Outcome {
    let schema = match args.format {
        Format::Scenario => gauntlet_engine::scenario::schema(),
        Format::Report => reports::report(),
        Format::Summary => reports::summary(),
        Format::Replay => reports::replay(),
        Format::Drift => reports::drift(),
        Format::ExploreCrash => reports::explore_crash(),
        Format::ExploreFaults => reports::explore_faults(),
        Format::ResultsLine => reports::results_line(),
    };
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    let _ = writeln!(std::io::stdout().lock(), "{text}");
    Ok(0)
}
