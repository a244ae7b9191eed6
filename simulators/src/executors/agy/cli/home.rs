//! Where the CLI keeps its conversations, and the file that names the last one of each directory.

use std::path::{Path, PathBuf};

use gauntlet_world::Host;
use serde_json::{Map, Value, json};

use crate::cli::console::Console;
use crate::cli::session::Session;
use crate::cli::stop::Stop;
use gauntlet_world::injection::Point;

/// The CLI's home.
fn agy_home(host: &Host) -> PathBuf {
    host.home().join(".gemini/antigravity-cli")
}

/// The folder of conversations. How the real one keeps them nobody knows, and nobody but itself reads them.
pub(super) fn conversations(host: &Host) -> PathBuf {
    agy_home(host).join("conversations")
}

/// A conversation with a new id.
pub(super) fn new_conversation(host: &Host) -> Session {
    let mut random = [0; 16];
    host.entropy().fill(&mut random);
    let id = uuid::Builder::from_random_bytes(random).into_uuid();
    Session::new(id.to_string(), conversations(host))
}

/// Writes down that a directory had this conversation last. A file that cannot be written is no reason to fail.
pub(super) async fn record(
    host: &Host,
    console: &Console<'_>,
    workdir: &Path,
    session: &str,
) -> Result<(), Stop> {
    let path = agy_home(host).join("cache/last_conversations.json");
    let content = host.disk().read_if_present(&path).await.ok().flatten().unwrap_or_default();
    let mut known: Map<String, Value> = serde_json::from_slice(&content).unwrap_or_default();
    // The directory as the system names it, whatever the links by which one came there.
    let workdir = host.disk().canonical(workdir).await.unwrap_or_else(|_| workdir.to_path_buf());
    known.insert(workdir.to_string_lossy().into_owned(), json!(session));
    let event = json!({ "conversations": known });
    let passed = console.injector().pass(host, Point::CliRecord, event).await;
    if let Some(code) = passed.exit {
        return Err(Stop::Exit(code));
    }
    if let Some(conversations) = passed.events.first().and_then(|event| event.get("conversations")) {
        let bytes = passed.mangle.apply(conversations.to_string().into_bytes());
        if let Some(folder) = path.parent() {
            let _ = host.disk().make_dir(folder).await;
        }
        let _ = host.disk().replace(&path, &bytes).await;
    }
    Ok(())
}
