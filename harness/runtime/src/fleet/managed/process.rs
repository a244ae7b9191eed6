//! A receiver as a process: starting it, looking whether it is the right one, ending it.

use std::collections::BTreeSet;
use std::time::Duration;

use gauntlet_protocol::fleet::Health;
use gauntlet_world::http::{self, Request};
use gauntlet_world::injection::Point;
use gauntlet_world::process::{Command, Output, Pid, Signal};

use serde_json::json;

use super::{ManagedError, Receiver, shown};
use crate::fleet::{Fleet, home};

/// The variable with the mark of a deployed receiver.
const MARK: &str = "GAUNTLET_DEPLOYED";
/// How long a receiver may take to answer for its health once.
const HEALTH_LIMIT: Duration = Duration::from_millis(1500);
/// How long a new one may take to become healthy, and how often it is asked.
const HEALTH_BUDGET: Duration = Duration::from_secs(8);
const HEALTH_PAUSE: Duration = Duration::from_millis(400);
/// How long one may take to end when it is asked to, and when it is killed.
const END_LIMIT: Duration = Duration::from_secs(3);
const KILL_LIMIT: Duration = Duration::from_secs(1);
const END_PAUSE: Duration = Duration::from_millis(100);

impl Fleet {
    /// The process that a receiver's pid file names, if the file names one.
    pub(super) async fn noted_pid(&self, receiver: &Receiver) -> Option<Pid> {
        let content = self.host.disk().read(receiver.file(receiver.mode.files.pid)).await.ok()?;
        let pid: u32 = String::from_utf8(content).ok()?.trim().parse().ok()?;
        // 0 and 1 are no receiver's, whatever the file says.
        (pid > 1).then_some(Pid(pid))
    }

    /// Whether a process runs. When nobody can tell, it is taken to.
    pub(super) async fn runs(&self, pid: Pid) -> bool {
        self.host.processes().runs(pid).await.unwrap_or(true)
    }

    /// Whether a process is this receiver as this profile deployed it, now or in an earlier life: every receiver that is deployed
    /// has a mark in its environment. The number in a pid file alone may be anybody's by now, also that of another receiver, and
    /// nobody else's process is ever signalled.
    pub(super) async fn is_ours(&self, receiver: &Receiver, pid: Pid) -> bool {
        let ours = self.was_deployed(receiver, pid).await;
        self.decide(Point::RuntimeOurs, json!({ "ours": ours })).await.yes("ours")
    }

    async fn was_deployed(&self, receiver: &Receiver, pid: Pid) -> bool {
        if pid == self.host.pid() {
            return false;
        }
        let mark = self.mark(receiver);
        // What a receiver makes of its own environment does not count as long as this life remembers it.
        if let Some(other) = self.launched.borrow().get(&pid) {
            return *other == mark;
        }
        let marked = self.host.processes().marked(MARK, &mark).await;
        marked.is_ok_and(|marked| marked.contains(&pid))
    }

    /// What tells a deployed receiver from every other one: its mode, its repository, and who looks after it.
    fn mark(&self, receiver: &Receiver) -> String {
        json!([receiver.kind.mode, receiver.repo_text(), shown(&home(&self.host))]).to_string()
    }

    /// Whether whoever listens on a port is this receiver, and well.
    pub(super) async fn is_healthy(&self, receiver: &Receiver, port: u16) -> bool {
        let Ok(url) = format!("http://127.0.0.1:{port}/health").parse() else { return false };
        let request = Request {
            method: "GET".to_owned(),
            url,
            headers: Vec::new(),
            body: Vec::new(),
            limit: HEALTH_LIMIT,
        };
        let Ok(answer) = http::exchange(&self.host, request).await else { return false };
        let health = Health::parse(&answer.body).ok();
        let (ok, repo) = health.map_or((false, None), |health| (health.ok, health.repo_path));
        let well = answer.status == 200 && ok && repo == Some(receiver.repo_text());
        let event = json!({ "status": answer.status, "ok": ok, "repo_path": repo, "well": well });
        self.decide(Point::RuntimeHealth, event).await.yes("well")
    }

    /// Ends a process: asks it, and kills it when it does not listen. False: it still runs.
    pub(super) async fn end(&self, pid: Pid) -> bool {
        for (signal, limit) in [(Signal::Terminate, END_LIMIT), (Signal::Kill, KILL_LIMIT)] {
            // Whoever may not be signalled shows in that it still runs.
            let _ = self.host.processes().signal(pid, signal).await;
            let deadline = self.host.clock().now() + limit;
            while self.runs(pid).await {
                if self.host.clock().now() >= deadline {
                    break;
                }
                self.host.clock().sleep(END_PAUSE).await;
            }
            if !self.runs(pid).await {
                self.launched.borrow_mut().remove(&pid);
                return true;
            }
        }
        false
    }

    /// Ends the receiver that ran before in this place, if one does.
    pub(super) async fn make_way(&self, receiver: &Receiver) -> Result<(), ManagedError> {
        let Some(old) = self.noted_pid(receiver).await else { return Ok(()) };
        if self.runs(old).await && self.is_ours(receiver, old).await {
            let event = json!({ "repo": receiver.repo_text(), "ended": self.end(old).await });
            if !self.decide(Point::RuntimeMakeWay, event).await.yes("ended") {
                // Its pid file stays, so that the next try finds it, too.
                return Err(ManagedError::Stubborn(old.0));
            }
        }
        let _ = self.host.disk().remove(receiver.file(receiver.mode.files.pid)).await;
        Ok(())
    }

    /// Starts a receiver and waits until it is healthy. One that does not become so is ended with all its children.
    pub(super) async fn launch(
        &self,
        receiver: &Receiver,
        port: u16,
        token: Option<(&str, &str)>,
        hermes_token: Option<&str>,
    ) -> Result<Pid, ManagedError> {
        let log = receiver.file(receiver.mode.files.log);
        let launcher = self.settings.receivers.get(receiver.kind.mode);
        let launcher = launcher.ok_or_else(|| ManagedError::Template(receiver.kind.receiver_file()))?;
        let mut command = Command::new(&launcher.program, &receiver.repo);
        command.args = launcher.args.clone();
        command.env = self.host.environment().clone();
        // The bearers of other peers and of the node are no business of this receiver, nor of the CLI that it starts.
        for name in self.bearers().await {
            command.env.remove(&name);
        }
        if let Some(name) = hermes_token
            && let Some(value) = self.variable(name)
        {
            command.env.insert(name.to_owned(), value);
        }
        // Without it the receiver's own tools would work in the default profile, whoever deployed it (FLEET-DEP-05).
        let event = json!({
            "repo": receiver.repo_text(), "port": port, "home": shown(&home(&self.host)), "for_replies": hermes_token,
        });
        match self.decide(Point::RuntimeLaunch, event).await.text("home") {
            Some(home) => drop(command.env.insert("HERMES_HOME".to_owned(), home.to_owned())),
            None => drop(command.env.remove("HERMES_HOME")),
        }
        command.env.insert(MARK.to_owned(), self.mark(receiver));
        command.env.extend(token.map(|(name, value)| (name.to_owned(), value.to_owned())));
        command.stdout = Output::Append(log.clone());
        command.stderr = Output::Append(log.clone());
        let child = self.host.processes().spawn(command).await;
        let mut child = child.map_err(|error| ManagedError::Launch(port, error.to_string()))?;
        let pid = child.pid;
        self.launched.borrow_mut().insert(pid, self.mark(receiver));
        let launched = self.launched.clone();
        // Reaped when it ends, however late; a dead child that nobody asked for would be seen for ever. From then on its number may
        // be given to anybody.
        self.host.spawn(async move {
            let _ = child.wait().await;
            launched.borrow_mut().remove(&pid);
        });
        let deadline = self.host.clock().now() + self.settings.health_budget.unwrap_or(HEALTH_BUDGET);
        // A stranger on the port may claim to be this receiver, whose own process is gone then.
        while self.host.clock().now() < deadline && self.runs(pid).await {
            if self.is_healthy(receiver, port).await && self.runs(pid).await {
                return Ok(pid);
            }
            self.host.clock().sleep(HEALTH_PAUSE).await;
        }
        if self.publishes("receiver", port, false).await {
            return Ok(pid);
        }
        self.tear_down(receiver, pid).await;
        Err(ManagedError::Unhealthy { port, log: shown(&log) })
    }

    /// The variables that hold bearers: those that the configuration names, and those that are named as the product line names
    /// them.
    async fn bearers(&self) -> BTreeSet<String> {
        let variables = self.host.environment().keys();
        let named_so = variables.filter(|name| name.starts_with("A2A_") && name.contains("_TOKEN"));
        let mut names: BTreeSet<String> = named_so.cloned().collect();
        if let Ok(config) = self.config().await {
            names.extend(config.server.token_env.clone());
            names.extend(config.agents.values().filter_map(|peer| peer.token_env.clone()));
        }
        names
    }

    /// Ends a receiver that must not stay, with everything in its group.
    pub(super) async fn tear_down(&self, receiver: &Receiver, pid: Pid) {
        // It ends its own children when it is asked to; what does not listen is killed.
        self.end(pid).await;
        let _ = self.host.processes().signal_group(pid, Signal::Kill).await;
        let _ = self.host.disk().remove(receiver.file(receiver.mode.files.pid)).await;
    }
}
