//! The receiver's log: lines on standard error. No secret is ever put into one.

use serde_json::json;

use super::state::Receiver;
use gauntlet_world::injection::Point;

impl Receiver {
    pub(super) async fn log(&self, line: impl Into<String>) {
        let event = json!({ "line": line.into() });
        for event in self.pass(Point::ReceiverLog, event).await.events {
            let line = event.get("line").and_then(|line| line.as_str()).unwrap_or_default();
            let line = format!("{} {}\n", self.stamp(), line.replace(['\n', '\r'], " "));
            // A log that cannot be written is no reason to stop working.
            let _ = self.host.processes().print_error(line.as_bytes()).await;
        }
    }
}
