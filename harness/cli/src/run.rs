//! `gauntlet run`.

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use gauntlet_engine::data::{Library, Source};
use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::pattern::Pattern;
use gauntlet_engine::project::Reports;
use gauntlet_engine::runner::Settings;
use gauntlet_engine::session::{self, Finished};
use gauntlet_reports::escape::one_line;
use gauntlet_reports::{Lane, json, terminal};
use miette::{IntoDiagnostic, Report, WrapErr};

use crate::Outcome;
use crate::args::{LaneChoice, OutputArgs, RunArgs, SelectArgs, TextOrJson};
use crate::progress::Bar;
use crate::{interrupt, known, narrow, step_summary};

/// Reads the embedded data and that of the folders.
pub(crate) fn library(folders: &[std::path::PathBuf]) -> Result<Arc<Library>, (Report, ExitCode)> {
    let mut sources = vec![Source::Embedded];
    sources.extend(folders.iter().cloned().map(Source::Folder));
    Library::load(&sources).map(Arc::new).map_err(|error| (Report::new(error), ExitCode::Usage))
}

/// What the flags select, as `run` and `list cells` understand them. Names that nothing has, and patterns that are none, are
/// mistakes.
pub(crate) fn selection(library: &Library, args: &SelectArgs) -> Result<Selection, (Report, ExitCode)> {
    let only: Result<Vec<Pattern>, _> = args.only.iter().map(|only| Pattern::parse(only)).collect();
    let selection = Selection {
        executors: args.executor.clone(),
        versions: args.version.clone(),
        only: only.map_err(|error| (Report::new(error), ExitCode::Usage))?,
        release: args.release.clone(),
        lanes: match args.lane {
            LaneChoice::Virtual => vec![Lane::Virtual],
            LaneChoice::Real => vec![Lane::Real],
            LaneChoice::Both => vec![Lane::Virtual, Lane::Real],
        },
        // Whoever asks for real processes alone wants all of them.
        thorough: args.thorough || args.lane == LaneChoice::Real,
        seed: args.seed,
        seeds: usize::from(args.seeds),
        narrow: narrow::narrow(library, &args.narrow)?,
        foreign: None,
        runtime: None,
    };
    selection.check(library).map_err(|error| (Report::new(error), ExitCode::Usage))?;
    Ok(selection)
}

pub(crate) fn run(args: &RunArgs) -> Outcome {
    let mut library = library(&args.scenarios)?;
    if let Some(revision) = &args.catalogue {
        let judged = Library::clone(&library).judged_by(revision);
        library = Arc::new(judged.map_err(|error| (Report::new(error), ExitCode::Usage))?);
    }
    let selection = selection(&library, &args.select)?;
    let binary = std::env::current_exe().into_diagnostic().wrap_err("the own binary cannot be found");
    let mut settings = Settings {
        binary: Some(binary.map_err(|error| (error, ExitCode::Broken))?),
        folders: args.scenarios.clone(),
        shuffle: args.shuffle,
        known: known::list(&library, &args.known)?,
        ..Settings::default()
    };
    if let Some(jobs) = args.jobs {
        settings.jobs = usize::from(jobs);
        settings.real_jobs = usize::from(jobs);
    }
    interrupt::watch(&settings.stop, || {});
    let bar = std::io::stderr().is_terminal() && !args.output.quiet && !args.output.verbose;
    let mut bar = Bar::new(bar, args.output.verbose);
    let finished = session::run(&library, &selection, &settings, &args.out, &mut |news| bar.show(&news));
    bar.finish();
    let finished = finished
        .into_diagnostic()
        .wrap_err_with(|| format!("the reports cannot be written below {}", args.out.display()));
    let Some(Finished { reports, written, known: tally }) =
        finished.map_err(|error| (error, ExitCode::Broken))?
    else {
        let report = narrow::nothing(&library, &selection, &args.select.narrow);
        return Err((report, ExitCode::NothingSelected));
    };
    step_summary::append(args.output.step_summary.as_deref(), &reports.summary)?;
    for line in known::write(&tally, &args.known, reports.summary.complete)? {
        eprintln!("{line}");
    }
    show(&reports, &written, &args.output, &args.out)
}

/// Prints what came out, and gives the exit code.
pub(crate) fn show(
    reports: &Reports,
    written: &[std::path::PathBuf],
    output: &OutputArgs,
    folder: &std::path::Path,
) -> Outcome {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut out = std::io::stdout().lock();
    let text = match output.format {
        TextOrJson::Json => json::summary_json(&reports.summary),
        TextOrJson::Text if output.quiet => String::new(),
        TextOrJson::Text => {
            let table = terminal::table(&reports.executors, &reports.summary, 80, colour);
            // The path stands alone, so that it can be copied whatever its length.
            format!("{table}{} reports below\n{}\n", written.len(), folder.display())
        }
    };
    if output.quiet && output.format == TextOrJson::Text {
        for problem in &reports.summary.problems {
            eprintln!("{}", one_line(problem));
        }
    }
    let written = out.write_all(text.as_bytes());
    match written.and_then(|()| out.flush()) {
        // A reader that has seen enough is no reason to fail: the reports are on disk.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let printed = Err::<(), _>(error).into_diagnostic().wrap_err("the table cannot be printed");
            return printed.map_err(|error| (error, ExitCode::Broken)).map(|()| 0);
        }
        _ => {}
    }
    Ok(reports.summary.exit_code)
}
