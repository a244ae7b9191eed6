//! `gauntlet quirk check`.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use gauntlet_engine::data::{Library, Source};
use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::files;
use gauntlet_engine::narrow::Crossing;
use gauntlet_engine::quirk_check::{self, Checked, OverProcesses};
use gauntlet_engine::runner::Settings;
use gauntlet_reports::escape::{lines, one_line};
use miette::{IntoDiagnostic, Report, WrapErr, miette};

use crate::Outcome;
use crate::args::{LaneChoice, QuirkCheckArgs};
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
    let mut mended_files = 0;
    let mut out = std::io::stdout().lock();
    for checked in &checked {
        let text = texts.iter().find(|(name, _)| *name == checked.place.file);
        let text = text.map(|(_, text)| text.as_str()).unwrap_or_default();
        if let Some(idle) = checked.idle(text) {
            eprintln!("{:?}", Report::new(idle));
            code = code.max(ExitCode::Usage);
            continue;
        }
        if let Some(real) = &checked.real {
            let _ = out.write_all(told_of_real(&checked.quirk.id, real).as_bytes());
            if !real.agrees() {
                code = code.max(ExitCode::Nonconformance);
            }
        }
        if args.lane == LaneChoice::Real {
            continue;
        }
        let _ = out.write_all(told(checked).as_bytes());
        if checked.is_exact() {
            continue;
        }
        let Some(mended) = checked.mended(text) else {
            code = code.max(ExitCode::Nonconformance);
            continue;
        };
        let _ = out.write_all(lines(&quirk_check::patch(&checked.place.file, text, &mended)).as_bytes());
        if args.fix {
            fix(checked, text, &mended)?;
            let _ = writeln!(out, "written");
            mended_files += 1;
        }
        if !args.fix || !checked.hurt.is_empty() {
            code = code.max(ExitCode::Nonconformance);
        }
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
        if args.lane == LaneChoice::Real {
            return Ok(code.code());
        }
    }
    let exact = checked.iter().filter(|checked| checked.is_exact()).count();
    let mended = if mended_files > 0 { format!(", {mended_files} were mended") } else { String::new() };
    let _ = writeln!(out, "{exact} of {} quirks are exact{mended}", checked.len());
    Ok(code.code())
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
