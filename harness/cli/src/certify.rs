//! `gauntlet certify`.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gauntlet_engine::certify::{Errand, Foreign, ForeignError, Source, first_look, never_ready};
use gauntlet_engine::data::{Library, Source as Data};
use gauntlet_engine::driver::{self, ForeignRuntime};
use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::narrow::{AskedRows, Crossing, FailedIn, Narrow, Rows};
use gauntlet_engine::pattern::Pattern;
use gauntlet_engine::runner::Settings;
use gauntlet_engine::session::{self, Finished};
use gauntlet_engine::stop::Stop;
use gauntlet_reports::Lane;
use gauntlet_world::process::{Command, ExitStatus, Output};
use gauntlet_world::{Either, race};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use miette::{IntoDiagnostic, Report, WrapErr, miette};
use tokio::sync::Notify;

use crate::Outcome;
use crate::args::CertifyArgs;
use crate::progress::Bar;
use crate::{interrupt, process, step_summary};

type Failure = (Report, ExitCode);

fn usage<E: miette::Diagnostic + Send + Sync + 'static>(error: E) -> Failure {
    (Report::new(error), ExitCode::Usage)
}

pub(crate) fn certify(args: &CertifyArgs) -> Outcome {
    let mut library = crate::run::library(&[])?;
    if let Some(path) = args.manifest.as_deref().filter(|path| driver::is_manifest(path)) {
        return certify_runtime(&library, path, args);
    }
    let foreign = Arc::new(foreign(&library, args).map_err(usage)?);
    if args.slow {
        // The stories are told anew, with the limits that this receiver has.
        let told = Library::load_with(&[Data::Embedded], foreign.limits());
        library = Arc::new(told.map_err(usage)?);
    }
    let selection = selection(&library, &foreign, args)?;
    let settings = settings(&foreign, args)?;
    let asked = Arc::new(Notify::new());
    let asks = asked.clone();
    interrupt::watch(&settings.stop, move || asks.notify_one());
    let run_errands = |list: &[Errand], when: &str| {
        interrupt::during(Some(when));
        let done = errands(list, &foreign.here, when, &settings.stop, &asked);
        interrupt::during(None);
        done
    };
    let set_up = run_errands(&foreign.manifest.setup, "setup").and_then(|()| is_built(&foreign));
    if let Err(failure) = set_up {
        // What was set up before it failed is taken down all the same.
        if let Err((further, _)) = run_errands(&foreign.manifest.teardown, "teardown") {
            eprintln!("{further}");
        }
        return Err(failure);
    }
    // One that never becomes ready is judged by the story that says so, and not waited for in all others.
    let mut selection = selection;
    let why = if foreign.runs_already() { None } else { never_ready(&library, &foreign, &settings) };
    if let Some(why) = why.filter(|_| !settings.stop.is_asked()) {
        let within = foreign.manifest.ready.within.get_ref();
        let path = foreign.manifest.ready.path.get_ref();
        eprintln!(
            "{} does not become ready: GET {path} on its port is not answered 200 within {within} s; only that is judged. \
             Start it by hand with the command of its manifest, and look at the evidence in the report; {why}",
            foreign.name()
        );
        selection.only = first_look().into_iter().collect();
        (selection.narrow, selection.seeds) = (Narrow { failed_in: None, ..selection.narrow }, 1);
    }
    let finished = tell(&library, &selection, &settings, args);
    run_errands(&foreign.manifest.teardown, "teardown")?;
    show(finished, args)
}

/// The same of a runtime, which a driver speaks for.
fn certify_runtime(library: &Arc<Library>, path: &Path, args: &CertifyArgs) -> Outcome {
    let runtime = Arc::new(ForeignRuntime::read(library, path).map_err(usage)?);
    let executor = runtime.manifest.executor.get_ref().clone();
    let selection = Selection {
        runtime: Some(runtime.clone()),
        ..stories(library, executor, &|rows| rows.of_runtimes(library), args)?
    };
    let jobs = runtime.parallel();
    let settings =
        Settings { known: runtime.challenged(today()), ..at_once(jobs, runtime.watchdog(), args)? };
    interrupt::watch(&settings.stop, || {});
    show(tell(library, &selection, &settings, args), args)
}

fn tell(
    library: &Arc<Library>,
    selection: &Selection,
    settings: &Settings,
    args: &CertifyArgs,
) -> io::Result<Option<Finished>> {
    let bar = io::stderr().is_terminal() && !args.output.quiet && !args.output.verbose;
    let mut bar = Bar::new(bar, args.output.verbose);
    let finished = session::run(library, selection, settings, &args.out, &mut |news| bar.show(&news));
    bar.finish();
    finished
}

fn show(finished: io::Result<Option<Finished>>, args: &CertifyArgs) -> Outcome {
    let finished = finished
        .into_diagnostic()
        .wrap_err_with(|| format!("the reports cannot be written below {}", args.out.display()));
    let Some(Finished { reports, written, known: _ }) =
        finished.map_err(|error| (error, ExitCode::Broken))?
    else {
        let help = "`gauntlet list scenarios` shows the stories; --only takes patterns such as 'fleet/busy*'";
        return Err((miette!(help = help, "nothing was selected"), ExitCode::NothingSelected));
    };
    step_summary::append(args.output.step_summary.as_deref(), &reports.summary)?;
    crate::run::show(&reports, &written, &args.output, &args.out)
}

/// The receiver that is meant.
fn foreign(library: &Library, args: &CertifyArgs) -> Result<Foreign, ForeignError> {
    if let Some(path) = &args.manifest {
        return Foreign::read(library, path, args.slow);
    }
    let (url, executor) =
        (args.url.as_deref().unwrap_or_default(), args.executor.as_deref().unwrap_or_default());
    let mut manifest = toml::Table::new();
    let mut flags = format!("--url {url} --executor {executor}");
    for (key, value) in [("name", url), ("executor", executor), ("url", url)] {
        manifest.insert(key.to_owned(), value.into());
    }
    if let Some(variable) = &args.token_env {
        manifest.insert("token_env".to_owned(), variable.as_str().into());
        flags.push_str(&format!(" --token-env {variable}"));
    }
    Foreign::of(library, Source::Flags(flags), &manifest.to_string(), PathBuf::from("."), args.slow)
}

fn selection(library: &Library, foreign: &Arc<Foreign>, args: &CertifyArgs) -> Result<Selection, Failure> {
    let executor = foreign.manifest.executor.get_ref().clone();
    let stories = stories(library, executor, &|rows| rows.of_receivers(library), args)?;
    Ok(Selection { foreign: Some(foreign.clone()), ..stories })
}

/// What is told of a subject: `of_subject` leaves of the rows that were asked for those that it owes.
fn stories(
    library: &Library,
    executor: String,
    of_subject: &dyn Fn(&Rows) -> Rows,
    args: &CertifyArgs,
) -> Result<Selection, Failure> {
    let only: Result<Vec<Pattern>, _> = args.only.iter().map(|only| Pattern::parse(only)).collect();
    let asked = AskedRows { requirements: args.requirement.clone(), ..AskedRows::default() };
    let failed_in = args.failed_in.as_ref().map(|path| FailedIn::read(library, path)).transpose();
    Ok(Selection {
        executors: vec![executor],
        only: only.map_err(usage)?,
        lanes: vec![Lane::Real],
        seeds: usize::from(args.repeat),
        narrow: Narrow {
            rows: of_subject(&Rows::of(library, &asked).map_err(usage)?),
            failed_in: failed_in.map_err(usage)?.map(Into::into),
            crossing: Crossing::These([].into()),
            shard: None,
        },
        ..Selection::default()
    })
}

fn today() -> jiff::civil::Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

fn settings(foreign: &Foreign, args: &CertifyArgs) -> Result<Settings, Failure> {
    let at_once = at_once(foreign.parallel(), foreign.watchdog(), args)?;
    Ok(Settings { known: foreign.challenged(today()), ..at_once })
}

/// At most so many cells at once, each for so long.
fn at_once(most: usize, watchdog: Duration, args: &CertifyArgs) -> Result<Settings, Failure> {
    let binary = std::env::current_exe().into_diagnostic().wrap_err("the own binary cannot be found");
    Ok(Settings {
        binary: Some(binary.map_err(|error| (error, ExitCode::Broken))?),
        real_jobs: args.jobs.map_or(most, |jobs| most.min(usize::from(jobs))),
        watchdog,
        // Whoever certifies shows what was seen, also of what was kept.
        traces: usize::MAX,
        ..Settings::default()
    })
}

/// Runs what the manifest wants run before or after everything. What it prints on its standard error is shown. Whoever asks for an end
/// while one of them runs ends it.
fn errands(errands: &[Errand], here: &Path, when: &str, stop: &Stop, asked: &Notify) -> Result<(), Failure> {
    // To have asked for the end of what came before says nothing of these.
    let before = stop.times();
    let broken = |message: String| (miette!("{message}"), ExitCode::Broken);
    for errand in errands {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.into_diagnostic().map_err(|error| (error, ExitCode::Broken))?;
        let host = process::host(when, Vec::new())?;
        let mut command = Command::new(&errand.command, here);
        command.args.clone_from(&errand.args);
        command.env = host.environment().clone();
        (command.stdout, command.stderr) = (Output::Null, Output::Inherit);
        let limit = Duration::from_secs(errand.within.into());
        let run = async {
            let mut child = host.processes().spawn(command).await?;
            let interrupted = async {
                while stop.times() == before {
                    asked.notified().await;
                }
            };
            let pid = child.pid;
            let ended = match host.clock().within(limit, race(interrupted, child.wait())).await {
                Some(Either::Second(ended)) => Ended::ByItself(ended?),
                Some(Either::First(())) => Ended::Interrupted,
                None => Ended::Late,
            };
            if !matches!(ended, Ended::ByItself(_)) {
                host.processes().signal_group(pid, gauntlet_world::process::Signal::Kill).await?;
            }
            io::Result::Ok(ended)
        };
        let name = &errand.command;
        match tokio::task::LocalSet::new().block_on(&runtime, run) {
            Ok(Ended::ByItself(status)) if status.return_code() == 0 => {}
            Ok(Ended::ByItself(status)) => {
                let code = status.return_code();
                return Err(broken(format!("{when}: expected {name} to end with 0; it ended with {code}")));
            }
            Ok(Ended::Interrupted) => return Err(broken(format!("{when}: {name} was interrupted"))),
            Ok(Ended::Late) => {
                return Err(broken(format!("{when}: expected {name} to end within {limit:?}; it did not")));
            }
            Err(error) => return Err(broken(format!("{when}: {name} cannot be started: {error}"))),
        }
    }
    Ok(())
}

/// What is started may be what the setup has built.
fn is_built(foreign: &Foreign) -> Result<(), Failure> {
    let Some(program) = foreign.missing_program() else { return Ok(()) };
    let help = "[[setup]] is there to build it, and ran in the folder of the manifest";
    let program = program.display();
    let message = miette!(help = help, "setup: expected the program of [start], {program}; it is not there");
    Err((message, ExitCode::Broken))
}

/// How an errand ended.
enum Ended {
    ByItself(ExitStatus),
    Interrupted,
    Late,
}
