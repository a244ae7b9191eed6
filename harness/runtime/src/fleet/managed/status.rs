//! How a deployed receiver is, and ending it (fleet sheet 5.4 and 6.7).

use gauntlet_world::injection::Point;
use gauntlet_world::process::Pid;
use serde_json::{Value, json};

use super::{ManagedError, Receiver};
use crate::fleet::Fleet;

impl Fleet {
    /// How a receiver is. It runs when its process does and whoever listens on its port is this receiver: neither a process
    /// that has its old number nor a stranger on its port is one.
    pub(in crate::fleet) async fn status(&self, receiver: &Receiver) -> Value {
        let port = self.configured_port(receiver).await;
        let (pid, healthy) = self.seen(receiver, port).await;
        let alive = match pid {
            Some(pid) => self.runs(pid).await,
            None => false,
        };
        let event = json!({ "alive": alive, "healthy": healthy, "running": alive && healthy });
        let told = self.decide(Point::RuntimeStatus, event).await;
        json!({
            "running": told.value("running"),
            "pid": pid.map(|pid| pid.0),
            "port": port,
            "healthy": told.value("healthy"),
            "repo_path": receiver.repo_text(),
        })
    }

    /// The process that is noted, and whether the port is this receiver's.
    pub(super) async fn seen(&self, receiver: &Receiver, port: Option<u16>) -> (Option<Pid>, bool) {
        let healthy = match port {
            Some(port) => self.is_healthy(receiver, port).await,
            None => false,
        };
        (self.noted_pid(receiver).await, healthy)
    }

    /// Ends a receiver.
    pub(in crate::fleet) async fn stop(&self, receiver: &Receiver) -> Result<Value, ManagedError> {
        let _alone = self.managing.lock().await;
        let Some(pid) = self.noted_pid(receiver).await else {
            return Ok(self.stopped("none", None, "no PID file").await);
        };
        if !self.runs(pid).await {
            let _ = self.host.disk().remove(receiver.file(receiver.mode.files.pid)).await;
            return Ok(self.stopped("dead", Some(pid), "process not running").await);
        }
        if !self.is_ours(receiver, pid).await {
            let detail = "the process is not one that was deployed from here";
            return Ok(self.stopped("foreign", Some(pid), detail).await);
        }
        if !self.end(pid).await {
            return Ok(self.stopped("stubborn", Some(pid), "process does not end").await);
        }
        let _ = self.host.disk().remove(receiver.file(receiver.mode.files.pid)).await;
        Ok(self.stopped("running", Some(pid), "").await)
    }

    /// What is told of an end, with what is in its way as the detail.
    async fn stopped(&self, found: &str, pid: Option<Pid>, detail: &str) -> Value {
        let event = json!({ "found": found, "stopped": detail.is_empty() });
        let told = self.decide(Point::RuntimeStop, event).await;
        let mut result = json!({ "stopped": told.value("stopped"), "pid": pid.map(|pid| pid.0) });
        if !detail.is_empty() {
            result["detail"] = json!(detail);
        }
        result
    }
}
