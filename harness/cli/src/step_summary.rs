//! The summary of a step, for the page of a CI.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use gauntlet_engine::exit::ExitCode;
use gauntlet_reports::{Summary, markdown};
use miette::{IntoDiagnostic, Report, WrapErr};

/// Appends the summary to the file that was named, and to that of the CI: other steps write there too.
pub(crate) fn append(named: Option<&Path>, summary: &Summary) -> Result<(), (Report, ExitCode)> {
    let of_ci = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()).map(PathBuf::from);
    let of_ci = of_ci.filter(|path| Some(path.as_path()) != named);
    for path in named.into_iter().chain(of_ci.as_deref()) {
        let text = markdown::step_summary(summary);
        let written = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .into_diagnostic()
            .wrap_err_with(|| format!("the step summary cannot be written to {}", path.display()));
        written.map_err(|error| (error, ExitCode::Broken))?;
    }
    Ok(())
}
