//! How a deployed receiver is, and ending it (fleet sheet 5.4 and 6.7).

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
        json!({
            "running": alive && healthy,
            "pid": pid.map(|pid| pid.0),
            "port": port,
            "healthy": healthy,
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
            return Ok(json!({ "stopped": false, "pid": null, "detail": "no PID file" }));
        };
        if !self.runs(pid).await {
            let _ = self.host.disk().remove(receiver.file(receiver.mode.files.pid)).await;
            return Ok(json!({ "stopped": false, "pid": pid.0, "detail": "process not running" }));
        }
        if !self.is_ours(pid).await {
            let detail = "the process is not one that was deployed from here";
            return Ok(json!({ "stopped": false, "pid": pid.0, "detail": detail }));
        }
        if !self.end(pid).await {
            return Ok(json!({ "stopped": false, "pid": pid.0, "detail": "process does not end" }));
        }
        let _ = self.host.disk().remove(receiver.file(receiver.mode.files.pid)).await;
        Ok(json!({ "stopped": true, "pid": pid.0 }))
    }
}
