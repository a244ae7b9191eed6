//! `gauntlet drift`.

use std::io::{IsTerminal, Write};

use gauntlet_engine::drift;
use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::runner::Settings;
use gauntlet_reports::{json, markdown, terminal};
use miette::{IntoDiagnostic, Report, miette};

use crate::Outcome;
use crate::args::{DriftArgs, ListFormat};
use crate::interrupt;
use crate::run::library;

pub(crate) fn drift(args: &DriftArgs) -> Outcome {
    let library = library(&args.scenarios)?;
    let selection = drift::selection(&library, &args.executor, &args.release);
    let selection = selection.map_err(|error| (Report::new(error), ExitCode::Usage))?;
    let mut settings = Settings { folders: args.scenarios.clone(), traces: 0, ..Settings::default() };
    if let Some(jobs) = args.jobs {
        settings.jobs = usize::from(jobs);
    }
    interrupt::watch(&settings.stop, || {});
    let drift = drift::run(&library, &selection, &settings, &mut |_| {}).into_diagnostic();
    let drift = drift.map_err(|error| (error, ExitCode::Broken))?;
    let Some(drift) = drift else {
        return Err((
            miette!("the run was interrupted: nothing can be said of all versions"),
            ExitCode::Broken,
        ));
    };
    let text = match args.format {
        ListFormat::Text => {
            let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            terminal::drift(&drift, crate::terminal::width(), colour)
        }
        ListFormat::Md => markdown::drift(&drift),
        ListFormat::Json => json::drift_json(&drift),
    };
    // A reader that has seen enough is no reason to fail.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    let code = if drift.pin.version.is_some() { ExitCode::Pass } else { ExitCode::Nonconformance };
    Ok(code.code())
}
