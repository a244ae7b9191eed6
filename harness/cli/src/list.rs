//! `gauntlet list`.

use std::io::Write;

use gauntlet_engine::coverage::Reached;
use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::runner::Settings;
use gauntlet_engine::{coverage, listing};
use miette::miette;

use crate::Outcome;
use crate::args::{ListArgs, ListFormat, Things};
use crate::run::library;

pub(crate) fn list(args: &ListArgs) -> Outcome {
    let library = library(&args.scenarios)?;
    let (listing, code) = match (args.what, args.uncovered) {
        (_, true) => {
            let reached = Reached::by_probing(&library, &Settings::default());
            let (listing, is_missing) = coverage::uncovered(&library, &reached);
            (listing, if is_missing { ExitCode::Nonconformance } else { ExitCode::Pass })
        }
        (Some(what), false) => {
            let of = match what {
                Things::Requirements => listing::requirements,
                Things::Scenarios => listing::scenarios,
                Things::Quirks => listing::quirks,
                Things::Profiles => listing::profiles,
                Things::Releases => listing::releases,
                Things::Faults => listing::faults,
            };
            (of(&library), ExitCode::Pass)
        }
        (None, false) => {
            let report =
                miette!(help = "gauntlet list requirements", "nothing was named that could be listed");
            return Err((report, ExitCode::Usage));
        }
    };
    let text = match args.format {
        ListFormat::Text => listing.text(),
        ListFormat::Md => listing.markdown(),
        ListFormat::Json => listing.json(),
    };
    // A reader that has seen enough is no reason to fail.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    Ok(code.code())
}
