//! The handlers that the node's user registered: commands that read a text and print the answer. No shell sees anything of it.

use std::time::Duration;

use gauntlet_protocol::fleet::config::{FleetConfig, Registered};
use gauntlet_protocol::fleet::hermes::refusal;
use gauntlet_protocol::jsonrpc::RpcError;
use gauntlet_world::Host;
use gauntlet_world::process::{Child, Command, ExitStatus, Output, Signal, Stdin};
use tokio::io::AsyncReadExt;

use super::Node;
use crate::fleet::home::home;

/// What of the node's environment a command sees: no bearer is among it.
const PASSED_ON: [&str; 6] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// The variable with the mark of a command: the home of the profile whose it is.
const MARK: &str = "GAUNTLET_HANDLER_OF";
/// How often it is looked for what an earlier life left, since who dies may have started another one meanwhile.
const SWEEPS: usize = 10;
const BETWEEN_SWEEPS: Duration = Duration::from_millis(20);

fn mark(host: &Host) -> String {
    home(host).to_string_lossy().into_owned()
}

impl Node {
    /// Ends what commands of an earlier life left running, once in this one. Only what carries the mark of this profile is touched, and
    /// the process port signals no other process that was given the number since.
    pub(crate) async fn sweep(&self) {
        if self.swept.replace(true) {
            return;
        }
        let (processes, mark) = (self.fleet.host.processes(), mark(&self.fleet.host));
        for _ in 0..SWEEPS {
            let left = processes.marked(MARK, &mark).await.unwrap_or_default();
            if left.is_empty() {
                break;
            }
            for pid in left {
                if let Err(error) = processes.signal(pid, Signal::Kill).await {
                    tracing::warn!(%error, "what a registered handler left running may not have ended");
                }
            }
            self.fleet.host.clock().sleep(BETWEEN_SWEEPS).await;
        }
    }

    /// Lets a registered command answer.
    pub(super) async fn run(&self, config: &FleetConfig, name: &str, text: &str) -> Result<String, RpcError> {
        let known = || config.handler_names();
        let registered = config.handlers.get(name).ok_or_else(|| refusal::unknown_handler(name, &known()))?;
        let outcome = answer(&self.fleet.host, registered, text.to_owned()).await;
        outcome.map_err(|why| refusal::handler_failed(name, &why))
    }
}

/// What the command prints, or how it failed.
async fn answer(host: &Host, registered: &Registered, text: String) -> Result<String, String> {
    let (program, args) = registered.command.split_first().ok_or("has no program")?;
    let env = PASSED_ON.iter().filter_map(|name| Some(((*name).to_owned(), host.env(name)?.to_owned())));
    let command = Command {
        args: args.to_vec(),
        env: env.chain([(MARK.to_owned(), mark(host))]).collect(),
        stdin: Stdin::Given(text.into_bytes()),
        stderr: Output::Null,
        ..Command::new(program, home(host))
    };
    let mut child =
        host.processes().spawn(command).await.map_err(|error| format!("cannot be started: {error}"))?;
    let limit = Duration::try_from_secs_f64(registered.timeout_s).unwrap_or(Duration::MAX);
    let outcome = host.clock().within(limit, read(&mut child)).await;
    // Also what it started and left behind.
    let killed = host.processes().signal_group(child.pid, Signal::Kill).await;
    if let Err(error) = killed.and(child.wait().await.map(drop)) {
        tracing::warn!(%error, "a registered handler may not have ended");
    }
    match outcome {
        None => Err(format!("took longer than {} s and was ended", registered.timeout_s)),
        Some(Err(error)) => Err(error),
        Some(Ok((_, ExitStatus::Code(code)))) if code != 0 => Err(format!("ended with code {code}")),
        Some(Ok((_, ExitStatus::Signal(signal)))) => Err(format!("was ended by signal {signal}")),
        Some(Ok((printed, _))) => {
            let printed = String::from_utf8(printed).map_err(|_| "printed what is no UTF-8")?;
            Ok(printed.strip_suffix('\n').map(str::to_owned).unwrap_or(printed))
        }
    }
}

async fn read(child: &mut Child) -> Result<(Vec<u8>, ExitStatus), String> {
    let mut printed = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let most = u64::try_from(Registered::LONGEST_ANSWER).unwrap_or(u64::MAX);
        let read = stdout.take(most.saturating_add(1)).read_to_end(&mut printed).await;
        read.map_err(|error| format!("cannot be read: {error}"))?;
    }
    if printed.len() > Registered::LONGEST_ANSWER {
        return Err(format!("printed more than {} bytes and was ended", Registered::LONGEST_ANSWER));
    }
    let status = child.wait().await.map_err(|error| format!("cannot be waited for: {error}"))?;
    Ok((printed, status))
}
