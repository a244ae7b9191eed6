//! `gauntlet profile record`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::files;
use gauntlet_simulators::recorder::{self, Made, Recordings};
use miette::{IntoDiagnostic, WrapErr, miette};

use crate::Outcome;
use crate::args::RecordArgs;

/// The exit codes of several versions, in the folder above theirs.
const EXIT_CODES: &str = "exit-codes.txt";

pub(crate) fn record(args: &RecordArgs) -> Outcome {
    let usage = |report: miette::Report| (report, ExitCode::Usage);
    let folder = std::path::absolute(&args.dir).unwrap_or_else(|_| args.dir.clone());
    let name = |path: Option<&Path>| {
        path.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    };
    let version = name(Some(&folder));
    let executor = args.executor.clone().unwrap_or_else(|| name(folder.parent()));
    let from = args.dir.to_string_lossy().trim_end_matches('/').to_owned();
    let files = read(&folder).map_err(usage)?;
    let made = recorder::record(&executor, &version, &from, &Recordings::new(&version, files));
    let made = made.into_diagnostic().wrap_err_with(|| format!("no profile can be made of {from}"));
    let made = made.map_err(usage)?;
    for line in &made.untold {
        eprintln!("not told: {line}");
    }
    let text = yaml(&executor, &version, &made).map_err(|report| (report, ExitCode::Broken))?;
    let written = match &args.out {
        Some(file) => files::write(file, text.as_bytes())
            .into_diagnostic()
            .wrap_err_with(|| format!("the profile cannot be written to {}", file.display())),
        None => std::io::stdout().lock().write_all(text.as_bytes()).into_diagnostic(),
    };
    written.map(|()| ExitCode::Pass.code()).map_err(|report| (report, ExitCode::Broken))
}

/// The texts of a folder's recordings, by name.
fn read(folder: &Path) -> miette::Result<BTreeMap<String, String>> {
    let mut texts = BTreeMap::new();
    let mut add = |name: String, path: &Path| {
        let Some(content) = files::read(path) else { return Ok(()) };
        let text = String::from_utf8(content).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            miette!("{}, byte {at}: expected text in UTF-8; found another byte", path.display())
        })?;
        texts.insert(name, text);
        Ok::<(), miette::Report>(())
    };
    if let Some(above) = folder.parent() {
        add(EXIT_CODES.to_owned(), &above.join(EXIT_CODES))?;
    }
    for name in files::names_in(folder) {
        if name == EXIT_CODES || name.ends_with(".stdout.jsonl") || name.ends_with(".stderr.txt") {
            let path = folder.join(&name);
            add(name, &path)?;
        }
    }
    if !texts.keys().any(|name| name != EXIT_CODES) {
        let folder = folder.display();
        return Err(miette!(
            "{folder}: expected recordings (CASE.stdout.jsonl, CASE.stderr.txt); found none"
        ));
    }
    Ok(texts)
}

/// The profile as a file, with what needs a hand at its head.
fn yaml(executor: &str, version: &str, made: &Made) -> miette::Result<String> {
    let mut text =
        format!("# {executor} {version}, made by `gauntlet profile record`. The recordings do not tell:\n");
    for line in &made.untold {
        text.push_str(&format!("# - {}\n", line.replace('\n', " ")));
    }
    let profile = serde_saphyr::to_string(&made.value).into_diagnostic();
    text.push_str(&profile.wrap_err("the profile cannot be written as YAML")?);
    Ok(text)
}
