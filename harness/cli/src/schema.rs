//! `gauntlet schema`.

use std::io::Write;

use gauntlet_reports::schema as reports;

use crate::Outcome;
use crate::args::{Format, SchemaArgs};

pub(crate) fn schema(args: &SchemaArgs) -> Outcome {
    let schema = match args.format {
        Format::Scenario => gauntlet_engine::scenario::schema(),
        Format::Receiver => gauntlet_engine::certify::schema(),
        Format::Runtime => gauntlet_engine::driver::schema(),
        Format::Report => reports::report(),
        Format::Summary => reports::summary(),
        Format::Replay => reports::replay(),
        Format::Drift => reports::drift(),
        Format::ExploreCrash => reports::explore_crash(),
        Format::ExploreFaults => reports::explore_faults(),
        Format::ExploreReal => reports::explore_real(),
        Format::ResultsLine => reports::results_line(),
        Format::Trace => gauntlet_engine::saved::schema(),
        Format::Judge => reports::judge(),
        Format::QuirkCheck => reports::quirk_check(),
        Format::List => reports::list(),
        Format::Explain => reports::explain(),
        Format::Doctor => reports::doctor(),
        Format::Budget => reports::budget(),
        Format::Client => reports::client(),
        Format::Send => reports::send(),
    };
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    let _ = writeln!(std::io::stdout().lock(), "{text}");
    Ok(0)
}
