//! Drift as Markdown.

use std::fmt::Write as _;

use super::escape::{code, text};
use crate::drift::{Broken, Change, Drift, DriftStep};
use crate::listing::Listing;

macro_rules! put {
    ($out:expr, $($arg:tt)*) => {
        write!($out, $($arg)*).expect("a String takes every write")
    };
}

/// The whole page, with a line end.
pub fn drift(drift: &Drift) -> String {
    let mut out =
        format!("# Versions of {} behind release {}\n\n", code(&drift.executor), code(&drift.release));
    put!(out, "**{}**\n\n", text(&drift.headline()));
    for sentence in &drift.pin.rationale {
        put!(out, "- {}\n", text(sentence));
    }
    let next = drift.pin.next.as_ref();
    if let Some(next) = next.filter(|next| !next.breaks.is_empty()) {
        put!(out, "\n## What {} breaks\n", text(&next.version));
        next.breaks.iter().for_each(|broken| evidence(&mut out, broken));
    }
    if !drift.pin.failing.is_empty() {
        out.push_str("\n## What the least bad version breaks\n");
        drift.pin.failing.iter().for_each(|broken| evidence(&mut out, broken));
    }
    out.push_str("\n## Versions\n\n| version | recorded | cells | musts kept | ruled out by |\n| --- | --- | ---: | ---: | --- |\n");
    for version in &drift.versions {
        let recorded = match (&version.recorded_from, version.recorded) {
            (Some(from), true) => text(from),
            (None, true) => "yes".to_owned(),
            (_, false) => "**unrecorded: never a pin**".to_owned(),
        };
        let breaks: Vec<String> = version.breaks.iter().map(|broken| text(&broken.requirement)).collect();
        let breaks = if breaks.is_empty() { "nothing".to_owned() } else { breaks.join(", ") };
        let name = text(&version.version);
        put!(out, "| {name} | {recorded} | {} | {} | {breaks} |\n", version.cells, version.musts_kept);
    }
    out.push_str("\n## Requirements\n\n");
    let telling = drift.telling_rows().count();
    put!(
        out,
        "{} requirements were judged; those that are kept on every version are left out.\n\n",
        drift.requirements.len()
    );
    match telling {
        0 => out.push_str("None is left.\n"),
        _ => out.push_str(&matrix(drift).markdown()),
    }
    for step in &drift.steps {
        changes(&mut out, step);
    }
    if !drift.pin.on_no_version.is_empty() {
        out.push_str("\n## What the release keeps on no version\n");
        drift.pin.on_no_version.iter().for_each(|broken| evidence(&mut out, broken));
    }
    let tool = &drift.tool;
    put!(
        out,
        "\n{} {}, catalogue {} ({}), seed {}.\n",
        text(&tool.name),
        text(&tool.version),
        text(&drift.catalogue.revision),
        text(&drift.catalogue.digest),
        drift.seed
    );
    out
}

/// Versions as columns, requirements as rows.
fn matrix(drift: &Drift) -> Listing {
    let versions = drift.versions.iter().map(|version| match version.recorded {
        true => version.version.clone(),
        false => format!("{} (unrecorded)", version.version),
    });
    let columns = ["requirement".to_owned(), "level".to_owned()].into_iter().chain(versions).collect();
    let rows = drift.telling_rows().map(|row| {
        let verdicts = drift.versions.iter().map(|version| {
            row.verdicts.get(&version.version).map_or("not judged", |verdict| verdict.label()).to_owned()
        });
        [row.id.clone(), row.level.to_string()].into_iter().chain(verdicts).collect()
    });
    Listing { columns, rows: rows.collect() }
}

fn evidence(out: &mut String, broken: &Broken) {
    put!(
        out,
        "\n### {}: {}\n\n{}\n",
        text(&broken.requirement),
        broken.verdict.label(),
        text(&broken.statement)
    );
    if let Some(known_by) = &broken.known_by {
        put!(out, "\nKnown by: {}\n", text(known_by));
    }
    put!(out, "\nSeen in {} cells:\n\n", broken.cells_in_all);
    for cell in &broken.cells {
        put!(out, "- {}\n", code(&format!("gauntlet replay '{cell}'")));
    }
    if let Some(cell) = &broken.kept_in {
        put!(out, "\nKept in {}\n", code(&format!("gauntlet replay '{cell}'")));
    }
}

fn changes(out: &mut String, step: &DriftStep) {
    put!(out, "\n## From {} to {}\n\n", text(&step.from), text(&step.to));
    for (what, ids) in [("Breaks", &step.broken), ("Mends", &step.mended)] {
        if !ids.is_empty() {
            put!(out, "{what} {}.\n\n", text(&ids.join(", ")));
        }
    }
    if step.changes.is_empty() {
        out.push_str("The profiles say the same.\n");
        return;
    }
    out.push_str("| what | where | before | after |\n| --- | --- | --- | --- |\n");
    for Change { aspect, what, before, after } in &step.changes {
        let said = |said: &Option<String>| said.as_deref().map_or("—".to_owned(), text);
        put!(out, "| {} | {} | {} | {} |\n", aspect.label(), text(what), said(before), said(after));
    }
}
