//! `gauntlet explore`.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::explore::crash::{self, News, Request, Subject};
use gauntlet_engine::explore::{faults, real};
use gauntlet_engine::files;
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::pattern::Pattern;
use gauntlet_engine::runner::Settings;
use gauntlet_reports::{Lane, json, terminal};
use indicatif::{ProgressBar, ProgressStyle};
use miette::{IntoDiagnostic, Report, WrapErr, miette};

use crate::Outcome;
use crate::args::{ExploreCrashArgs, ExploreFaultsArgs, ExploreRealArgs, HostChoice, TextOrJson};
use crate::interrupt;
use crate::run::library;

pub(crate) fn crash(args: &ExploreCrashArgs) -> Outcome {
    let library = library(&args.scenarios)?;
    let only: Result<Vec<Pattern>, _> = args.only.iter().map(|only| Pattern::parse(only)).collect();
    let selection = Selection {
        executors: args.executor.clone(),
        versions: args.version.clone(),
        only: only.map_err(|error| (Report::new(error), ExitCode::Usage))?,
        lanes: vec![Lane::Virtual],
        seed: args.seed,
        ..Selection::default()
    };
    selection.check(&library).map_err(|error| (Report::new(error), ExitCode::Usage))?;
    let request = Request {
        thorough: args.thorough,
        hosts: match args.host {
            None => Subject::ALL.to_vec(),
            Some(HostChoice::Runtime) => vec![Subject::Runtime],
            Some(HostChoice::Receiver) => vec![Subject::Receiver],
        },
        asked: args.point.clone(),
        twice: args.twice,
        limit: args.limit.map(Duration::from_secs),
        slips: Vec::new(),
        out: args.out.clone(),
        selection,
    };
    let mut settings = Settings { folders: args.scenarios.clone(), traces: 0, ..Settings::default() };
    if let Some(jobs) = args.jobs {
        settings.jobs = usize::from(jobs);
    }
    interrupt::watch(&settings.stop, || {});
    let bar = bar();
    let found = crash::explore(&library, &request, &settings, &mut |news| match news {
        News::Planned(cells) => bar.inc_length(cells),
        News::Done(record) => {
            bar.inc(1);
            if !record.failures.is_empty() {
                bar.set_message("found something");
            }
        }
    });
    bar.finish_and_clear();
    let found = found.into_diagnostic().wrap_err("a trace cannot be written");
    let Some(found) = found.map_err(|error| (error, ExitCode::Broken))? else {
        let help =
            "a story of the fleet in the virtual lane is meant, for instance --only 'fleet/busy-context'";
        return Err((
            miette!(help = help, "nothing was selected: no cell to explore"),
            ExitCode::NothingSelected,
        ));
    };
    if let Some(out) = &args.out {
        write(out, "explore-crash.json", &json::crashes_json(&found))?;
    }
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let text = match args.format {
        TextOrJson::Json => json::crashes_json(&found),
        TextOrJson::Text => terminal::crashes(&found, crate::terminal::width(), colour),
    };
    // A reader that has seen enough is no reason to fail.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    Ok(found.exit_code)
}

/// So many cells are run at most to make one finding smaller.
const ATTEMPTS: usize = 600;

pub(crate) fn faults(args: &ExploreFaultsArgs) -> Outcome {
    let library = library(&args.scenarios)?;
    let request = faults::Request {
        cells: args.cells,
        seed: args.seed,
        most: usize::from(args.most),
        attempts: ATTEMPTS,
        out: args.out.clone(),
        ..faults::Request::default()
    };
    let mut settings = Settings { folders: args.scenarios.clone(), traces: 0, ..Settings::default() };
    if let Some(jobs) = args.jobs {
        settings.jobs = usize::from(jobs);
    }
    interrupt::watch(&settings.stop, || {});
    let bar = bar();
    bar.inc_length(args.cells);
    let found = faults::explore(&library, &request, &settings, &mut |news| match news {
        faults::News::Done => bar.inc(1),
        faults::News::Found(requirement) => bar.set_message(format!("making {requirement} smaller")),
    });
    bar.finish_and_clear();
    let found = found.into_diagnostic().wrap_err("a story cannot be written");
    let found = found.map_err(|error| (error, ExitCode::Broken))?;
    if let Some(out) = &args.out {
        write(out, "explore-faults.json", &json::fault_search_json(&found))?;
    }
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let text = match args.format {
        TextOrJson::Json => json::fault_search_json(&found),
        TextOrJson::Text => terminal::fault_search(&found, crate::terminal::width(), colour),
    };
    // A reader that has seen enough is no reason to fail.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    Ok(found.exit_code)
}

/// Most of a story is waiting.
const STORIES_A_PROCESSOR: usize = 4;

pub(crate) fn real(args: &ExploreRealArgs) -> Outcome {
    let library = library(&args.scenarios)?;
    let selection = Selection { executors: args.executor.clone(), ..Selection::default() };
    selection.check(&library).map_err(|error| (Report::new(error), ExitCode::Usage))?;
    let time = Duration::from_secs_f64(args.minutes * 60.0);
    let request = real::Request {
        time,
        seed: args.seed,
        executors: args.executor.clone(),
        most: usize::from(args.most),
        out: args.out.clone(),
    };
    let binary = std::env::current_exe().into_diagnostic().wrap_err("the own binary cannot be found");
    let mut settings = Settings {
        binary: Some(binary.map_err(|error| (error, ExitCode::Broken))?),
        folders: args.scenarios.clone(),
        traces: 0,
        ..Settings::default()
    };
    settings.real_jobs = args.jobs.map_or(STORIES_A_PROCESSOR * settings.jobs, usize::from);
    interrupt::watch(&settings.stop, || {});
    let bar = time_bar(time);
    let mut stories = 0_u64;
    let found = real::explore(&library, &request, &settings, &mut |news| {
        match news {
            real::News::Done => {
                stories += 1;
                bar.set_message(format!("{stories} stories"));
            }
            real::News::Found(requirement) => bar.set_message(format!("telling {requirement} again")),
        }
        bar.set_position(bar.elapsed().as_secs().min(time.as_secs()));
    });
    bar.finish_and_clear();
    let found = found.into_diagnostic().wrap_err("a story cannot be written");
    let found = found.map_err(|error| (error, ExitCode::Broken))?;
    if let Some(out) = &args.out {
        write(out, "explore-real.json", &json::soak_json(&found))?;
    }
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let text = match args.format {
        TextOrJson::Json => json::soak_json(&found),
        TextOrJson::Text => terminal::soak(&found, crate::terminal::width(), colour),
    };
    // A reader that has seen enough is no reason to fail.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    Ok(found.exit_code)
}

/// A bar of time on standard error; nothing when that is no terminal.
fn time_bar(time: Duration) -> ProgressBar {
    let is_seen = std::io::stderr().is_terminal();
    let bar = if is_seen { ProgressBar::new(time.as_secs()) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} s {msg}") {
        bar.set_style(style);
    }
    bar
}

fn write(out: &Path, name: &str, text: &str) -> Result<(), (Report, ExitCode)> {
    let path = out.join(name);
    let written = files::write(&path, text.as_bytes()).into_diagnostic();
    let written = written.wrap_err_with(|| format!("{} cannot be written", path.display()));
    written.map_err(|error| (error, ExitCode::Broken))
}

/// A bar on standard error; nothing when that is no terminal. What is left is estimated by what all of it took so far.
fn bar() -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} cells {per_sec} {msg} {eta}") {
        bar.set_style(style);
    }
    bar
}
