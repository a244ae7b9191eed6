//! `gauntlet list`.

use std::io::Write;

use gauntlet_engine::coverage::Reached;
use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::runner::Settings;
use gauntlet_engine::{cells, coverage, listing};
use miette::miette;

use crate::Outcome;
use crate::args::{ListArgs, ListFormat, Things};
use crate::explain::results;
use crate::narrow;
use crate::run::{library, selection};
use crate::terminal;

pub(crate) fn list(args: &ListArgs) -> Outcome {
    let library = library(&args.scenarios)?;
    let (listing, code) = if args.uncovered {
        let reached = Reached::by_probing(&library, &Settings::default());
        let (listing, is_missing) = coverage::uncovered(&library, &reached);
        (listing, if is_missing { ExitCode::Nonconformance } else { ExitCode::Pass })
    } else if args.roadmap {
        let results = results(&args.results, &library)?;
        (listing::roadmap(&library, results.as_ref()), ExitCode::Pass)
    } else {
        let of = match args.what {
            Some(Things::Requirements) => listing::requirements,
            Some(Things::Scenarios) => listing::scenarios,
            Some(Things::Quirks) => listing::quirks,
            Some(Things::Profiles) => listing::profiles,
            Some(Things::Releases) => listing::releases,
            Some(Things::Faults) => listing::faults,
            Some(Things::Cells) => return list_cells(args, &library),
            None => {
                let report =
                    miette!(help = "gauntlet list requirements", "nothing was named that could be listed");
                return Err((report, ExitCode::Usage));
            }
        };
        (of(&library), ExitCode::Pass)
    };
    print(args, &listing);
    Ok(code.code())
}

fn list_cells(args: &ListArgs, library: &std::sync::Arc<gauntlet_engine::data::Library>) -> Outcome {
    let selection = selection(library, &args.select)?;
    let planned = cells::planned(library, &selection, &Settings::default());
    if planned.is_empty() {
        let report = narrow::nothing(library, &selection, &args.select.narrow);
        return Err((report, ExitCode::NothingSelected));
    }
    print(args, &cells::listing(library, &planned));
    Ok(ExitCode::Pass.code())
}

fn print(args: &ListArgs, listing: &gauntlet_reports::Listing) {
    let text = match args.format {
        ListFormat::Text => listing.text(terminal::width()),
        ListFormat::Md => listing.markdown(),
        ListFormat::Json => listing.json(),
    };
    // A reader that has seen enough is no reason to fail.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
