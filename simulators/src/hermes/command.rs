//! The handlers that a node's user registered, a second time: a command, its input, its output.

use std::collections::BTreeMap;
use std::time::Duration;

use gauntlet_protocol::fleet::config::{FleetConfig, Registered};
use gauntlet_protocol::fleet::hermes::refusal;
use gauntlet_protocol::jsonrpc::RpcError;
use gauntlet_world::injection::Point;
use gauntlet_world::process::{Child, Command, ExitStatus, Output, Pid, Signal, Stdin};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use super::Peer;
use super::config::home;

/// How a command ended that gave no answer: a word for it, and the same for people.
type Failure = (&'static str, String);

/// The variable by which commands are known again in a later life.
const MARK: &str = "GAUNTLET_HANDLER_OF";
/// Who dies may have started another one meanwhile.
const SWEEPS: usize = 10;
const BETWEEN_SWEEPS: Duration = Duration::from_millis(20);
/// How much is read at once.
const CHUNK: usize = 16 * 1024;

impl Peer {
    pub(super) async fn by_command(
        &self,
        config: &FleetConfig,
        name: &str,
        text: &str,
    ) -> Result<String, RpcError> {
        let Some(registered) = config.handlers.get(name) else {
            return Err(refusal::unknown_handler(name, &config.handler_names()));
        };
        let event = json!({
            "handler": name, "args": registered.command.get(1..), "stdin": text, "seconds": registered.timeout_s,
        });
        let event = self.pass(Point::HermesHandler, event).await.unwrap_or_default();
        let task = {
            let (peer, registered, name) = (self.clone(), registered.clone(), name.to_owned());
            let (said, told) = tokio::sync::oneshot::channel();
            // It goes on when its connection breaks, and is ended like any other.
            self.0
                .host
                .spawn(async move { drop(said.send(peer.carry_out(&registered, &name, &event).await)) });
            told
        };
        let (printed, failure) =
            task.await.unwrap_or_else(|_| (String::new(), Some(("start", "is gone".to_owned()))));
        let because = failure.as_ref().map(|(word, _)| *word);
        let event = json!({ "handler": name, "because": because, "fails": failure.is_some() });
        let event = self.pass(Point::HermesHandlerEnd, event).await.unwrap_or_default();
        match failure {
            Some((_, why)) if event["fails"] != false => Err(refusal::handler_failed(name, &why)),
            _ => Ok(printed),
        }
    }

    /// What a command printed, and what was wrong with it.
    async fn carry_out(
        &self,
        registered: &Registered,
        name: &str,
        event: &Value,
    ) -> (String, Option<Failure>) {
        let host = &self.0.host;
        let args = event["args"].as_array().into_iter().flatten();
        // Bearers are in the node's environment: nothing is passed on but what programs need to run at all.
        let is_harmless = |name: &str| matches!(name, "PATH" | "HOME" | "LANG" | "LC_ALL" | "TZ" | "TMPDIR");
        let mut env: BTreeMap<String, String> = host
            .environment()
            .iter()
            .filter(|(name, _)| is_harmless(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        env.insert(MARK.to_owned(), self.command_mark());
        let program = registered.command.first().cloned().unwrap_or_default();
        let mut command = Command::new(program, home(host));
        command.args = args.filter_map(Value::as_str).map(str::to_owned).collect();
        command.env = env;
        command.stdin = Stdin::Given(event["stdin"].as_str().unwrap_or_default().as_bytes().to_vec());
        command.stderr = Output::Null;
        let mut child = match host.processes().spawn(command).await {
            Ok(child) => child,
            Err(error) => return (String::new(), Some(("start", format!("cannot be started: {error}")))),
        };
        let mut printed = Vec::new();
        let seconds = event["seconds"].as_f64().unwrap_or(registered.timeout_s);
        let time = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        let ended = host.clock().within(time, listen(&mut child, &mut printed)).await;
        self.end(name, child.pid, &mut child).await;
        let failure = match ended {
            None => Some(("time", format!("took longer than {seconds} s and was ended"))),
            Some(Err(failure)) => Some(failure),
            Some(Ok(ExitStatus::Code(0))) => None,
            Some(Ok(ExitStatus::Code(code))) => Some(("code", format!("ended with code {code}"))),
            Some(Ok(ExitStatus::Signal(signal))) => Some(("code", format!("was ended by signal {signal}"))),
        };
        match String::from_utf8(printed) {
            Err(_) if failure.is_none() => {
                (String::new(), Some(("text", "printed what is no UTF-8".to_owned())))
            }
            Err(_) => (String::new(), failure),
            Ok(mut text) => {
                if text.ends_with('\n') {
                    text.pop();
                }
                (text, failure)
            }
        }
    }

    async fn end(&self, name: &str, leader: Pid, child: &mut Child) {
        let event = json!({ "handler": name, "group": true });
        let Some(event) = self.pass(Point::HermesHandlerKill, event).await else { return };
        let processes = self.0.host.processes();
        let ended = match event["group"] == true {
            true => processes.signal_group(leader, Signal::Kill).await,
            false => processes.signal(leader, Signal::Kill).await,
        };
        if let Err(error) = ended {
            tracing::warn!(%error, "a command could not be ended");
        }
        drop(child.wait().await);
    }

    /// Ends what commands of an earlier life left running: the processes that carry this profile's mark, and no others.
    pub(super) async fn sweep_commands(&self) {
        let (processes, mark) = (self.0.host.processes(), self.command_mark());
        for _ in 0..SWEEPS {
            let left = processes.marked(MARK, &mark).await.unwrap_or_default();
            if left.is_empty() {
                return;
            }
            if self.pass(Point::HermesHandlerSweep, json!({ "earlier": left.len() })).await.is_none() {
                return;
            }
            for pid in left {
                drop(processes.signal(pid, Signal::Kill).await);
            }
            self.0.host.clock().sleep(BETWEEN_SWEEPS).await;
        }
    }

    fn command_mark(&self) -> String {
        home(&self.0.host).to_string_lossy().into_owned()
    }
}

/// Reads until the end of its output, and waits for the end of the process.
async fn listen(child: &mut Child, printed: &mut Vec<u8>) -> Result<ExitStatus, Failure> {
    let wrong = |error: std::io::Error| ("start", format!("cannot be read: {error}"));
    let mut chunk = vec![0; CHUNK];
    if let Some(mut stdout) = child.stdout.take() {
        loop {
            let read = stdout.read(&mut chunk).await.map_err(wrong)?;
            if read == 0 {
                break;
            }
            printed.extend_from_slice(&chunk[..read]);
            if printed.len() > Registered::LONGEST_ANSWER {
                let why = format!("printed more than {} bytes and was ended", Registered::LONGEST_ANSWER);
                return Err(("length", why));
            }
        }
    }
    child.wait().await.map_err(wrong)
}
