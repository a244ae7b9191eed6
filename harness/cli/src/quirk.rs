//! `gauntlet quirk check`.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use gauntlet_engine::data::{Library, Source};
use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::files;
use gauntlet_engine::narrow::Crossing;
use gauntlet_engine::quirk_check::{self, Checked, Missed, OverProcesses, Unnamed};
use gauntlet_engine::runner::Settings;
use gauntlet_reports::escape::{lines, one_line};
use gauntlet_reports::json;
use gauntlet_reports::printed::{
    CheckedQuirk, FailedRow, MissedRow, OverProcessesRow, QUIRK_CHECK, QuirkCheck, RealCellRow,
};
use miette::{IntoDiagnostic, Report, WrapErr, miette};

use crate::Outcome;
use crate::args::{LaneChoice, QuirkCheckArgs, TextOrJson};
use crate::interrupt;
use crate::run::library;

pub(crate) fn check(args: &QuirkCheckArgs) -> Outcome {
    let library = library(&args.scenarios)?;
    let ids = asked(&library, &args.ids)?;
    let binary = std::env::current_exe().into_diagnostic().wrap_err("the own binary cannot be found");
    let settings = Settings {
        binary: Some(binary.map_err(|error| (error, ExitCode::Broken))?),
        folders: args.scenarios.clone(),
        traces: 0,
        ..Settings::default()
    };
    interrupt::watch(&settings.stop, || {});
    let over_processes = args.lane != LaneChoice::Virtual;
    let Some(checked) = quirk_check::check(&library, &ids, &settings, over_processes) else {
        return Err((miette!("the check was interrupted"), ExitCode::Broken));
    };
    let texts = texts(args)?;
    let mut code = ExitCode::Pass;
    let mut told_of = Vec::new();
    // For programs only all of it together is a document.
    let mut out: Box<dyn Write> = match args.format {
        TextOrJson::Text => Box::new(std::io::stdout().lock()),
        TextOrJson::Json => Box::new(std::io::sink()),
    };
    for checked in &checked {
        let text = texts.iter().find(|(name, _)| *name == checked.place.file);
        let text = text.map(|(_, text)| text.as_str()).unwrap_or_default();
        let mut row = row(checked);
        if let Some(idle) = checked.idle(text) {
            eprintln!("{:?}", Report::new(idle));
            code = code.max(ExitCode::Usage);
            told_of.push(row);
            continue;
        }
        if let Some(real) = &checked.real {
            let _ = out.write_all(told_of_real(&checked.quirk.id, real).as_bytes());
            if !real.agrees() {
                code = code.max(ExitCode::Nonconformance);
            }
        }
        if args.lane == LaneChoice::Real {
            told_of.push(row);
            continue;
        }
        let _ = out.write_all(told(checked).as_bytes());
        let mended = if checked.is_exact() { None } else { checked.mended(text) };
        if let Some(mended) = &mended {
            let patch = quirk_check::patch(&checked.place.file, text, mended);
            let _ = out.write_all(lines(&patch).as_bytes());
            row.patch = Some(patch);
            if args.fix {
                fix(checked, text, mended)?;
                let _ = writeln!(out, "written");
                row.written = true;
            }
        }
        if !checked.is_exact() && (!row.written || !checked.hurt.is_empty()) {
            code = code.max(ExitCode::Nonconformance);
        }
        told_of.push(row);
    }
    if args.lane != LaneChoice::Virtual {
        let told: Vec<&OverProcesses> = checked.iter().filter_map(|checked| checked.real.as_ref()).collect();
        let agree = told.iter().filter(|real| !real.cells.is_empty() && real.agrees()).count();
        let none = told.iter().filter(|real| real.cells.is_empty()).count();
        let _ = writeln!(
            out,
            "{agree} of {} quirks do the same in both lanes, {none} were not told over real processes",
            told.len()
        );
    }
    let exact = checked.iter().filter(|checked| checked.is_exact()).count();
    let mended = told_of.iter().filter(|row| row.written).count();
    let were_mended = if mended > 0 { format!(", {mended} were mended") } else { String::new() };
    if args.lane != LaneChoice::Real {
        let _ = writeln!(out, "{exact} of {} quirks are exact{were_mended}", checked.len());
    }
    if args.format == TextOrJson::Json {
        let told = QuirkCheck { schema: QUIRK_CHECK.to_owned(), exact, mended, quirks: told_of };
        let _ = std::io::stdout().lock().write_all(json::quirk_check_json(&told).as_bytes());
    }
    Ok(code.code())
}

/// What programs are told of a quirk.
fn row(checked: &Checked) -> CheckedQuirk {
    let missed = |missed: &Missed| MissedRow {
        requirement: missed.requirement.clone(),
        because: missed.because.clone(),
    };
    let because = |(requirement, because): &(String, String)| MissedRow {
        requirement: requirement.clone(),
        because: because.clone(),
    };
    let failed = |failed: &Unnamed| FailedRow {
        requirement: failed.requirement.clone(),
        cells: failed.cells,
        cell: failed.cell.clone(),
        expected: failed.finding.as_ref().map(|finding| finding.expected.clone()),
        observed: failed.finding.as_ref().map(|finding| finding.observed.clone()),
    };
    CheckedQuirk {
        id: checked.quirk.id.clone(),
        place: checked.place.to_string(),
        role: checked.quirk.role.clone(),
        cells: checked.cells,
        exact: checked.is_exact(),
        violates: checked.should_be(),
        missed: checked.missed.iter().map(missed).collect(),
        unnamed: checked.unnamed.iter().map(failed).collect(),
        hurt: checked.hurt.iter().map(failed).collect(),
        real: checked.real.as_ref().map(|real| OverProcessesRow {
            cells: real
                .cells
                .iter()
                .map(|cell| RealCellRow {
                    id: cell.id.clone(),
                    agreed: cell.agreed.clone(),
                    not_here: cell.not_here.iter().map(because).collect(),
                    only_here: cell.only_here.iter().map(failed).collect(),
                })
                .collect(),
            left_out: real.left_out.iter().map(because).collect(),
        }),
        patch: None,
        written: false,
    }
}

/// The quirks that were asked for, by ids or globs; all when none was.
fn asked(library: &Library, asked: &[String]) -> Result<BTreeSet<String>, (Report, ExitCode)> {
    let crossing = Crossing::of(library, asked).map_err(|error| (Report::new(error), ExitCode::Usage))?;
    let ids: BTreeSet<String> = library.quirks.keys().filter(|id| crossing.takes(id)).cloned().collect();
    if ids.is_empty() {
        let help = "faults violate nothing by themselves: only what holds in every cell is judged under one";
        return Err((miette!(help = help, "expected a quirk; found {}", asked.join(", ")), ExitCode::Usage));
    }
    Ok(ids)
}

/// The quirk files, by the names that mistakes have for them.
fn texts(args: &QuirkCheckArgs) -> Result<Vec<(String, String)>, (Report, ExitCode)> {
    let mut texts = Vec::new();
    let folders = args.scenarios.iter().cloned().map(Source::Folder);
    for source in std::iter::once(Source::Embedded).chain(folders) {
        let files = source.files().into_diagnostic().map_err(|error| (error, ExitCode::Usage))?;
        texts.extend(
            files.into_iter().filter(|file| file.kind == "quirks").map(|file| (file.name, file.text)),
        );
    }
    Ok(texts)
}

/// Writes the file. What the binary carries is written where it comes from, when this is run there.
fn fix(checked: &Checked, text: &str, mended: &str) -> Result<(), (Report, ExitCode)> {
    let path = Path::new(&checked.place.file);
    if files::read(path).as_deref() != Some(text.as_bytes()) {
        let help = "run it where the sources are, built from them; or give your folder with --scenarios";
        let message = format!("expected {} as it was read; found another file there or none", path.display());
        return Err((miette!(help = help, "{message}"), ExitCode::Usage));
    }
    let written = files::write(path, mended.as_bytes()).into_diagnostic();
    let written = written.wrap_err_with(|| format!("{} cannot be written", path.display()));
    written.map_err(|error| (error, ExitCode::Broken))
}

/// What the cells over real processes say, and where that is something else than the same cells say in virtual time.
fn told_of_real(quirk: &str, real: &OverProcesses) -> String {
    let mut text = String::new();
    let mut say = |line: String| {
        text.push_str(&one_line(&line));
        text.push('\n');
    };
    let verdict = match (real.cells.is_empty(), real.agrees()) {
        (true, _) => "is not told over real processes",
        (false, true) => "does the same over real processes",
        (false, false) => "does something else over real processes",
    };
    say(format!("{quirk} {verdict} ({} cells)", real.cells.len()));
    for cell in &real.cells {
        let agreed = match cell.agreed.is_empty() {
            true => "nothing that it names".to_owned(),
            false => cell.agreed.join(", "),
        };
        say(format!("  {} fails {agreed}", cell.id));
        for (id, said) in &cell.not_here {
            say(format!("    {id} fails in virtual time alone; here it is {said}"));
        }
        for only in &cell.only_here {
            say(format!("    {} fails here alone", only.requirement));
            if let Some(finding) = &only.finding {
                say(format!("      expected {}", finding.expected));
                say(format!("      observed {}", finding.observed));
            }
        }
    }
    for (id, why) in &real.left_out {
        say(format!("  {id} is seen in virtual time alone: {why}"));
    }
    text
}

fn told(checked: &Checked) -> String {
    let quirk = &checked.quirk;
    let mut text = String::new();
    let mut say = |line: String| {
        text.push_str(&one_line(&line));
        text.push('\n');
    };
    let verdict = if checked.is_exact() { "exact" } else { "wrong" };
    say(format!("{} {verdict} ({}, role {}, {} cells)", quirk.id, checked.place, quirk.role, checked.cells));
    for missed in &checked.missed {
        say(format!("  {} is named and fails in no cell: {}", missed.requirement, missed.because));
    }
    for (unnamed, what) in checked.unnamed.iter().map(|unnamed| (unnamed, "is not named and fails")).chain(
        checked
            .hurt
            .iter()
            .map(|hurt| (hurt, "is of another role and fails, which is a defect of that role")),
    ) {
        say(format!("  {} {what} in {} cells, such as {}", unnamed.requirement, unnamed.cells, unnamed.cell));
        if let Some(finding) = &unnamed.finding {
            say(format!("    expected {}", finding.expected));
            say(format!("    observed {}", finding.observed));
        }
    }
    if !checked.is_exact() && checked.should_be().is_empty() {
        say("  it breaks nothing of its role, so that it is no quirk: `do` or `at` is another than meant, or no story looks".to_owned());
    }
    text
}
