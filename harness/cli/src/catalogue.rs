//! `gauntlet catalogue`.

use std::io::Write;

use gauntlet_engine::data::revision;
use gauntlet_engine::exit::ExitCode;
use miette::miette;

use crate::Outcome;
use crate::args::FreezeArgs;
use crate::run::library;

pub(crate) fn freeze(args: &FreezeArgs) -> Outcome {
    let library = library(&[])?;
    let wrong = |message: String| Err((miette!("{message}"), ExitCode::Usage));
    let plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    if args.revision.is_empty() || !args.revision.chars().all(plain) {
        return wrong(format!("expected a name such as 2026-12; found {:?}", args.revision));
    }
    if library.revisions.contains_key(&args.revision) {
        return wrong(format!(
            "expected a new name; the revision {} is frozen already, and is not changed",
            args.revision
        ));
    }
    let shape: String = args.date.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape != "0000-00-00" {
        return wrong(format!("expected a day such as 2026-12-24; found {:?}", args.date));
    }
    print(&revision::freeze(&library, &args.revision, &args.date))
}

pub(crate) fn unreleased() -> Outcome {
    let library = library(&[])?;
    match library.newest_revision() {
        Some(newest) => print(&newest.difference(&library).yaml()),
        None => Err((miette!("there is no revision yet"), ExitCode::NothingSelected)),
    }
}

fn print(text: &str) -> Outcome {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    Ok(ExitCode::Pass.code())
}
