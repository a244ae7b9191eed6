//! Drift: the versions of one executor's CLI behind one release of a receiver, what changed between neighbours, and which to pin.
//!
//! `facts` compares what profiles say, `tally` counts what cells found, `pin` chooses. Nothing here is written down by hand: who adds
//! a profile gets another column, and another pin when it deserves one.

mod facts;
mod pin;
mod tally;

use std::io;
use std::sync::Arc;

use gauntlet_reports::drift::{Drift, DriftRow, DriftStep, SCHEMA};
use gauntlet_reports::{Lane, Verdict};

use crate::data::{Library, nearest};
use crate::matrix::{Selection, UnknownName};
use crate::narrow::{Crossing, Narrow};
use crate::project;
use crate::record::Record;
use crate::runner::{self, Settings};

use facts::Facts;
use tally::Tally;

/// A name that a drift cannot be asked of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum AskError {
    /// There is no such executor or release.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unknown(#[from] UnknownName),
    /// The executor has no receiver in front of a CLI.
    #[error("expected an executor whose CLI is behind a receiver ({known}); found {found:?}")]
    NoVersions {
        /// What was asked for.
        found: String,
        /// What could be.
        known: String,
        /// The nearest of these.
        #[help]
        help: Option<String>,
    },
}

/// The cells that tell: every plain one of the executor, in virtual time.
pub fn selection(library: &Library, executor: &str, release: &str) -> Result<Selection, AskError> {
    let selection = Selection {
        executors: vec![executor.to_owned()],
        release: release.to_owned(),
        lanes: vec![Lane::Virtual],
        narrow: Narrow { crossing: Crossing::These(std::collections::BTreeSet::new()), ..Narrow::default() },
        ..Selection::default()
    };
    let with_receiver =
        |name: &&str| library.executors.get(*name).is_some_and(|executor| executor.files.is_some());
    let known: Vec<&str> = library.profiled().into_iter().filter(with_receiver).collect();
    if !known.contains(&executor) {
        let help = nearest(executor, known.iter().copied()).map(|name| format!("did you mean {name:?}?"));
        return Err(AskError::NoVersions { found: executor.to_owned(), known: known.join(", "), help });
    }
    selection.check(library)?;
    Ok(selection)
}

/// Runs the cells of a [`selection`] and says what they come to. `seen` is told of each record. Nothing when the run was stopped.
pub fn run(
    library: &Arc<Library>,
    selection: &Selection,
    settings: &Settings,
    seen: &mut dyn FnMut(&Record),
) -> io::Result<Option<Drift>> {
    let mut tally = Tally::default();
    let mut spoiled = None;
    let complete = runner::run(selection.plain(library), library, settings, &mut |record| {
        seen(&record);
        if record.line.verdict == Verdict::Error && spoiled.is_none() {
            let reason = record.line.reason.as_deref().unwrap_or("no reason given");
            spoiled = Some(format!("{}: {reason}", record.line.id));
        }
        tally.add(library, &record);
    });
    if let Some(reason) = spoiled {
        return Err(io::Error::other(reason));
    }
    Ok(complete.then(|| drift(library, selection, &tally)))
}

fn drift(library: &Library, selection: &Selection, tally: &Tally) -> Drift {
    let executor = selection.executors.first().map(String::as_str).unwrap_or_default();
    let profiles = library.versions(executor);
    let (versions, pin) = pin::choose(library, &selection.release, &profiles, tally);
    let facts: Vec<Facts> = profiles.iter().map(|profile| Facts::of(profile)).collect();
    let neighbours = profiles.iter().zip(&facts).zip(profiles.iter().zip(&facts).skip(1));
    let steps = neighbours.map(|((older, was), (newer, is))| {
        // What could not be judged on the older version is not broken by the newer one, and what the release keeps on none is
        // broken by neither.
        let its_own = |id: &&str| !pin.on_no_version.iter().any(|own| own.requirement == *id);
        let passed = |id: &&str| tally.verdict(&older.version, id) == Some(Verdict::Pass);
        let broken = tally.failed(&newer.version).filter(its_own).filter(passed);
        let mended = tally.failed(&older.version);
        let mended = mended.filter(|id| tally.verdict(&newer.version, id) != Some(Verdict::Fail));
        DriftStep {
            from: older.version.clone(),
            to: newer.version.clone(),
            changes: was.changes(is),
            broken: broken.map(str::to_owned).collect(),
            mended: mended.map(str::to_owned).collect(),
        }
    });
    let steps = steps.collect();
    Drift {
        schema: SCHEMA.to_owned(),
        tool: project::tool(),
        catalogue: project::catalogue(library),
        executor: executor.to_owned(),
        release: selection.release.clone(),
        seed: selection.seed,
        pin,
        versions,
        steps,
        requirements: rows(library, &profiles, tally),
    }
}

fn rows(
    library: &Library,
    profiles: &[Arc<gauntlet_simulators::cli::Profile>],
    tally: &Tally,
) -> Vec<DriftRow> {
    let versions = || profiles.iter().map(|profile| profile.version.as_str());
    let rows = library.catalogue.all().filter_map(|row| {
        let id = row.id.value.as_str();
        let verdicts =
            versions().filter_map(|version| Some((version.to_owned(), tally.verdict(version, id)?)));
        let failed_in = versions().filter_map(|version| {
            let cells = tally.cells(version, id, Verdict::Fail);
            (!cells.is_empty()).then(|| (version.to_owned(), pin::first(cells)))
        });
        let row = DriftRow {
            id: id.to_owned(),
            level: row.level,
            class: row.class,
            role: row.role.name().to_owned(),
            statement: row.statement.clone(),
            verdicts: verdicts.collect(),
            failed_in: failed_in.collect(),
        };
        (!row.verdicts.is_empty()).then_some(row)
    });
    rows.collect()
}
