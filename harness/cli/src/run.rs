//! `gauntlet run`.

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use gauntlet_engine::data::{Library, Source};
use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::runner::Settings;
use gauntlet_engine::session::{self, Finished};
use gauntlet_reports::{Lane, terminal};
use miette::{IntoDiagnostic, Report, WrapErr, miette};

use crate::Outcome;
use crate::args::{LaneChoice, RunArgs, SelectArgs};
use crate::interrupt;
use crate::progress::Bar;

/// Reads the embedded data and that of the folders.
pub(crate) fn library(folders: &[std::path::PathBuf]) -> Result<Arc<Library>, (Report, ExitCode)> {
    let mut sources = vec![Source::Embedded];
    sources.extend(folders.iter().cloned().map(Source::Folder));
    Library::load(&sources).map(Arc::new).map_err(|error| (Report::new(error), ExitCode::Usage))
}

/// What the flags select, as `run` and `list cells` understand them.
pub(crate) fn selection(args: &SelectArgs) -> Selection {
    Selection {
        executors: args.executor.clone(),
        versions: args.version.clone(),
        only: args.only.clone(),
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
    }
}

pub(crate) fn run(args: &RunArgs) -> Outcome {
    let mut library = library(&args.scenarios)?;
    if let Some(revision) = &args.catalogue {
        let judged = Library::clone(&library).judged_by(revision);
        library = Arc::new(judged.map_err(|error| (Report::new(error), ExitCode::Usage))?);
    }
    let selection = selection(&args.select);
    selection.check(&library).map_err(|error| (Report::new(error), ExitCode::Usage))?;
    let binary = std::env::current_exe().into_diagnostic().wrap_err("the own binary cannot be found");
    let mut settings = Settings {
        binary: Some(binary.map_err(|error| (error, ExitCode::Broken))?),
        folders: args.scenarios.clone(),
        shuffle: args.shuffle,
        ..Settings::default()
    };
    if let Some(jobs) = args.jobs {
        settings.jobs = usize::from(jobs);
        settings.real_jobs = usize::from(jobs);
    }
    interrupt::watch(&settings.stop, || {});
    let mut bar = Bar::new(std::io::stderr().is_terminal());
    let finished = session::run(&library, &selection, &settings, &args.out, &mut |news| bar.show(&news));
    bar.finish();
    let finished = finished
        .into_diagnostic()
        .wrap_err_with(|| format!("the reports cannot be written below {}", args.out.display()));
    let Some(Finished { reports, written }) = finished.map_err(|error| (error, ExitCode::Broken))? else {
        let report = miette!(
            help = "`*` stands for anything: --only 'fleet/*'",
            "nothing was selected: no cell's id matches"
        );
        return Err((report, ExitCode::NothingSelected));
    };
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut out = std::io::stdout().lock();
    let table = terminal::table(&reports.executors, &reports.summary, 80, colour);
    let written = writeln!(out, "{table}{} reports below {}", written.len(), args.out.display());
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
