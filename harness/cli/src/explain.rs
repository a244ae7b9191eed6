//! `gauntlet explain`.

use std::io::Write;
use std::path::Path;

use gauntlet_engine::data::Library;
use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::explain::Explainer;
use gauntlet_engine::files;
use gauntlet_engine::results::{Results, USUAL};
use miette::Report;

use crate::Outcome;
use crate::args::{ExplainArgs, ResultsArgs, TextOrJson};
use crate::run::library;
use crate::terminal;

/// The last results: those that were asked for, or those at the usual place when there are some. What cannot be read there is no
/// mistake of whoever did not ask for it.
pub(crate) fn results(args: &ResultsArgs, library: &Library) -> Result<Option<Results>, (Report, ExitCode)> {
    match &args.results {
        Some(path) => {
            let results = Results::read(path, library);
            results.map(Some).map_err(|error| (Report::new(error), ExitCode::Usage))
        }
        None => {
            let usual = Some(Path::new(USUAL)).filter(|path| files::exists(path));
            Ok(usual.and_then(|path| Results::read(path, library).ok()))
        }
    }
}

pub(crate) fn explain(args: &ExplainArgs) -> Outcome {
    let library = library(&args.scenarios)?;
    let results = results(&args.results, &library)?;
    let found = Explainer::new(&library, results.as_ref()).explain(&args.id);
    let found = found.map_err(|error| (Report::new(error), ExitCode::Usage))?;
    let text = match args.format {
        TextOrJson::Text => {
            let width = terminal::width();
            found.iter().map(|one| one.text(width)).collect::<Vec<_>>().join("\n")
        }
        // A name of several kinds of things is a list, as every name is: who reads it needs one shape.
        TextOrJson::Json => {
            let list: Vec<_> = found.iter().map(|one| one.json()).collect();
            format!("{:#}\n", serde_json::Value::from(list))
        }
    };
    // A reader that has seen enough is no reason to fail.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    Ok(ExitCode::Pass.code())
}
