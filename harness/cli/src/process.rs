//! `gauntlet serve`, `gauntlet send` and the hidden stand-in: processes of their own, over the real ports.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::rc::Rc;

use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::files;
use gauntlet_engine::watched::Watched;
use gauntlet_protocol::fleet::Mode;
use gauntlet_runtime::fleet::budget::{self, command::BudgetCommand};
use gauntlet_runtime::fleet::command::{self, SendArgs};
use gauntlet_simulators::receiver::Deviations;
use gauntlet_simulators::{control, receiver};
use gauntlet_world::injection::{Injector, Quirk};
use gauntlet_world::network::Tap;
use gauntlet_world::{Either, Host, Identity, race};
use miette::{IntoDiagnostic, miette};
use tokio::io::AsyncReadExt;

use crate::Outcome;
use crate::args::{ReceiverArgs, ServeArgs, StandInArgs};
use crate::served::{self, Played};

fn wrong(message: String) -> (miette::Report, ExitCode) {
    (miette!("{message}"), ExitCode::Usage)
}

/// This process as a host.
pub(crate) fn host(name: &str, args: Vec<String>) -> Result<Host, (miette::Report, ExitCode)> {
    tapped(name, args, None, None)
}

fn tapped(
    name: &str,
    args: Vec<String>,
    tap: Option<Rc<dyn Tap>>,
    played: Option<&Played>,
) -> Result<Host, (miette::Report, ExitCode)> {
    let cwd = std::env::current_dir().into_diagnostic().map_err(|error| (error, ExitCode::Broken))?;
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let mut env: BTreeMap<String, String> =
        std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
    if let Some(played) = played {
        let others = env.get("PATH").map(|path| format!(":{path}")).unwrap_or_default();
        env.insert("PATH".to_owned(), format!("{}{others}", played.bin().to_string_lossy()));
    }
    Ok(Host::real(Identity { name: name.to_owned(), args, env, cwd, incarnation: 0 }, tap))
}

/// Runs a process to its end and ends this one with its code. A reader of standard input can block a thread for ever, so
/// nothing is waited for.
fn live<F: Future<Output = i32>>(process: impl FnOnce() -> F) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.into_diagnostic().map_err(|error| (error, ExitCode::Broken))?;
    let local = tokio::task::LocalSet::new();
    let code = local.block_on(&runtime, process());
    std::process::exit(code)
}

fn mode(executor: &str) -> Result<&'static Mode, (miette::Report, ExitCode)> {
    Mode::named(executor).ok_or_else(|| {
        let known: Vec<&str> = gauntlet_protocol::fleet::MODES.iter().map(|mode| mode.name).collect();
        wrong(format!("expected an executor ({}); found {executor:?}", known.join(", ")))
    })
}

pub(crate) fn serve(args: &ServeArgs) -> Outcome {
    let named = args.executor.as_deref().map(mode).transpose()?;
    let Some(mode) = named.filter(|_| !args.list) else {
        served::list(args, &*crate::run::library(&args.scenarios)?);
        return Ok(ExitCode::Pass.code());
    };
    let (deviations, played) = match &args.deviations {
        Some(file) => (read_deviations(file)?, None),
        None => chosen_deviations(args, mode)?,
    };
    if args.judge {
        return judged(args, mode, deviations, played);
    }
    tell_where(mode);
    let host = tapped("receiver", Vec::new(), None, played.as_ref())?;
    let settings = deviations.settings(&host, mode);
    live(move || with_cli(played, receiver::run(host, settings)))
}

/// Says where the receiver will listen and call back, by the file of this folder that says so.
fn tell_where(mode: &'static Mode) {
    let file = Path::new(".hermes").join(mode.files.config);
    let content = std::fs::read(&file).ok();
    let config = receiver::Config::parse(mode, "", content.as_deref());
    eprintln!(
        "{} on http://{}:{}, callbacks to {}; {} says so (bind_host, bind_port, hermes_url, auth_token_env, hermes_auth_token_env)",
        mode.name,
        config.bind_host,
        config.bind_port,
        config.hermes_url,
        file.display(),
    );
}

/// Runs a receiver beside the CLI that is played for it, if one is. That is gone when the receiver has ended: later nobody looks after it.
async fn with_cli(played: Option<Played>, receiver: impl Future<Output = i32>) -> i32 {
    if let Some(Err(error)) = match &played {
        Some(played) => Some(played.put().await),
        None => None,
    } {
        eprintln!("{error}");
        return ExitCode::Broken.code().into();
    }
    receiver.await
}

/// The same, and at its end what it saw of its client.
fn judged(args: &ServeArgs, mode: &'static Mode, deviations: Deviations, played: Option<Played>) -> Outcome {
    let library = crate::run::library(&args.scenarios)?;
    let watched = Rc::new(match &args.scenario {
        None => Watched::default(),
        Some(story) => Watched::of_story(&library, story).map_err(|error| (error.into(), ExitCode::Usage))?,
    });
    tell_where(mode);
    let host = tapped("receiver", Vec::new(), Some(watched.clone()), played.as_ref())?;
    let settings = deviations.settings(&host, mode);
    let file = args.out.join("client.json");
    live(move || async move {
        let code = with_cli(played, receiver::run(host, settings)).await;
        let (report, verdict) = watched.report(&library);
        for line in watched.lines() {
            eprintln!("{line}");
        }
        if verdict == ExitCode::NothingSelected {
            eprintln!("nothing of a client was seen: no dispatch came, and no callback was due");
        }
        let text = serde_json::to_string_pretty(&report).unwrap_or_default() + "\n";
        match files::write(&file, text.as_bytes()) {
            // What kept it from being a receiver at all is worse than what its client did.
            Ok(()) if code == 0 => verdict.code().into(),
            Ok(()) => code,
            Err(error) => {
                eprintln!("{} cannot be written: {error}", file.display());
                ExitCode::Broken.code().into()
            }
        }
    })
}

fn read_deviations(file: &Path) -> Result<Deviations, (miette::Report, ExitCode)> {
    let text = std::fs::read(file).into_diagnostic();
    let deviations = text.and_then(|text| serde_json::from_slice(&text).into_diagnostic());
    deviations.map_err(|error| (error, ExitCode::Broken))
}

/// Those of a release, and the quirks that are named besides.
fn chosen_deviations(
    args: &ServeArgs,
    mode: &Mode,
) -> Result<(Deviations, Option<Played>), (miette::Report, ExitCode)> {
    let library = crate::run::library(&args.scenarios)?;
    let release = library.releases.get(&args.release).ok_or_else(|| {
        let known: Vec<&str> = library.releases.keys().map(String::as_str).collect();
        wrong(format!("expected a release ({}); found {:?}", known.join(", "), args.release))
    })?;
    let executor = library.executors.get(mode.name).ok_or_else(|| {
        wrong(format!("expected an executor with words; there are none for {:?}", mode.name))
    })?;
    let (mut quirks, mut of_cli) = (Vec::new(), Vec::new());
    for id in release.quirks_before(mode.name).map(|id| &id.value).chain(&args.quirk) {
        let of_receivers = || library.quirks.values().filter(|quirk| quirk.role == "receiver");
        match library.quirks.get(id) {
            Some(quirk) if quirk.role == "receiver" => quirks.push(executor.quirk(quirk)),
            Some(quirk) if quirk.role == "cli" && args.version.is_some() => {
                of_cli.push(Quirk::clone(quirk));
            }
            Some(quirk) if quirk.role == "cli" => {
                let message = format!(
                    "expected --version beside {id:?}, which is a quirk of the CLI that is played then"
                );
                return Err(wrong(message));
            }
            Some(quirk) => {
                let message =
                    format!("expected a quirk of the receiver; {id:?} is one of the {}", quirk.role);
                return Err(wrong(message));
            }
            None => {
                let known: Vec<&str> = of_receivers().map(|quirk| quirk.id.as_str()).collect();
                return Err(wrong(format!("expected a quirk ({}); found {id:?}", known.join(", "))));
            }
        }
    }
    let declares = release.declares.iter().map(|uri| uri.value.clone()).collect();
    let played = Played::of(args, mode.name, &library, of_cli)?;
    Ok((Deviations { framing: release.framing.clone(), quirks, declares }, played))
}

/// A receiver of the real lane. It ends with the harness, however that ends.
pub(crate) fn receiver(args: &ReceiverArgs) -> Outcome {
    let mode = mode(&args.executor)?;
    let deviations = read_deviations(&args.deviations)?;
    let host = host("receiver", Vec::new())?;
    let settings = deviations.settings(&host, mode);
    live(move || async move {
        let stdin = host.processes().stdin();
        let ended = async {
            let Some(mut stdin) = stdin else { return std::future::pending().await };
            let mut scrap = [0; 64];
            while stdin.read(&mut scrap).await.is_ok_and(|read| read > 0) {}
        };
        match race(receiver::run(host.clone(), settings), ended).await {
            Either::First(code) => code,
            Either::Second(()) => {
                receiver::abandon(&host, mode).await;
                ExitCode::Broken.code().into()
            }
        }
    })
}

/// What goes wrong is told as the fleet's users know it (FLEET-CLI-12), and not as a mistake of this command.
pub(crate) fn send(args: &SendArgs) -> Outcome {
    let host = host("send", Vec::new())?;
    let args = args.clone();
    live(move || async move {
        let code = if command::send(&host, &args, &Injector::default()).await {
            ExitCode::Pass
        } else {
            ExitCode::Unanswered
        };
        code.code().into()
    })
}

pub(crate) fn budget(command: &BudgetCommand) -> Outcome {
    let host = host("budget", Vec::new())?;
    let command = command.clone();
    live(move || async move {
        let code = match budget::command::run(&host, &command, &Injector::default()).await {
            Ok(true) => ExitCode::Pass,
            Ok(false) => ExitCode::NothingSelected,
            Err(error) => {
                let _ = host.processes().print_error(format!("error: {error}\n").as_bytes()).await;
                if error.is_of_its_user() { ExitCode::Usage } else { ExitCode::Broken }
            }
        };
        code.code().into()
    })
}

pub(crate) fn stand_in(args: &StandInArgs) -> Outcome {
    let control = args.control.parse().map_err(|error| (miette!("{error}"), ExitCode::Usage))?;
    let key_file = args.key_file.clone();
    let host = host(&args.executor, args.args.clone())?;
    live(move || async move { control::stand_in(host, &control, &key_file).await })
}
