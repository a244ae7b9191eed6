//! `gauntlet doctor`.

use std::io::Write;

use gauntlet_engine::doctor;
use gauntlet_engine::exit::ExitCode;
use miette::IntoDiagnostic;

use crate::Outcome;
use crate::args::{DoctorArgs, TextOrJson};
use crate::process::host;
use crate::run::library;
use crate::terminal;

pub(crate) fn doctor(args: &DoctorArgs) -> Outcome {
    let library = library(&[])?;
    let host = host("doctor", Vec::new())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.into_diagnostic().map_err(|error| (error, ExitCode::Broken))?;
    let local = tokio::task::LocalSet::new();
    let diagnosis = local.block_on(&runtime, doctor::examine(&host, &library));
    let text = match args.format {
        TextOrJson::Text => {
            let verdict = match diagnosis.exit() {
                ExitCode::Pass => "`gauntlet run` works here",
                _ => "`gauntlet run` would not work here",
            };
            format!("{}{verdict}\n", diagnosis.listing().text(terminal::width()))
        }
        TextOrJson::Json => format!("{:#}\n", diagnosis.json()),
    };
    // A reader that has seen enough is no reason to fail.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    Ok(diagnosis.exit().code())
}
