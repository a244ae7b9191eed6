//! A story that was found, as a file of scenarios.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::record::quoted;

/// The text of the file. Its id follows from what is in it, so that the same story has the same cell wherever it is read.
pub(super) fn text(scenario: &Value) -> (String, String) {
    let digest = blake3::hash(scenario.to_string().as_bytes()).to_hex();
    let id = format!("explored/{}", &digest[..12]);
    let mut text = member("id", &json!(id));
    for name in ["title", "subject", "executors", "given", "steps"] {
        text.push_str(&member(name, scenario.get(name).unwrap_or(&Value::Null)));
    }
    (id, text)
}

/// The command that runs a cell of such a story alone: it reads all that the search read, and the folder in which the story is.
pub(super) fn replay(cell: &str, read: &[PathBuf], out: Option<&Path>) -> String {
    let mut command = format!("gauntlet replay {}", quoted(cell));
    let out = out.unwrap_or(Path::new("DIR"));
    let others = read.iter().map(PathBuf::as_path).filter(|folder| *folder != out);
    for folder in others.chain([out]) {
        command.push_str(&format!(" --scenarios {}", quoted(&folder.to_string_lossy())));
    }
    command
}

/// One member of the outermost map.
fn member(name: &str, value: &Value) -> String {
    let one: serde_json::Map<String, Value> = [(name.to_owned(), value.clone())].into_iter().collect();
    // Whatever cannot be written so is written as JSON, which YAML reads alike.
    let mut text = serde_saphyr::to_string(&one).unwrap_or_else(|_| format!("{name}: {value}\n"));
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
