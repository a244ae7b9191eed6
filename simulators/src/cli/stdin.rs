//! Standard input: whether it was closed, as a bridge owes it, and reading it to its end.

use std::time::Duration;

use gauntlet_world::Host;
use gauntlet_world::process::Reader;
use tokio::io::AsyncReadExt as _;

/// How long an end of file may take to show. A null device and a closed pipe show it at once; this leaves room for a busy
/// computer in the real lane.
const PATIENCE: Duration = Duration::from_millis(200);

/// Standard input after the first look at it.
pub(crate) struct Input {
    /// Whether it was at its end at once.
    pub(crate) at_end: bool,
    rest: Option<Reader>,
}

/// Looks whether standard input is at its end.
pub(crate) async fn open(host: &Host) -> Input {
    let Some(mut reader) = host.processes().stdin() else {
        return Input { at_end: true, rest: None };
    };
    let mut byte = [0];
    match host.clock().within(PATIENCE, reader.read(&mut byte)).await {
        Some(Ok(0) | Err(_)) => Input { at_end: true, rest: None },
        Some(Ok(_)) | None => Input { at_end: false, rest: Some(reader) },
    }
}

impl Input {
    /// Reads to the end, however long that takes. The content is not used: no recording shows what becomes of it.
    pub(crate) async fn read_to_end(mut self) {
        let Some(mut reader) = self.rest.take() else { return };
        let mut buffer = vec![0; 4096];
        while matches!(reader.read(&mut buffer).await, Ok(length) if length > 0) {}
    }
}
