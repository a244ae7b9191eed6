//! The recorded files of one version.

use std::collections::BTreeMap;

use serde_json::Value;

use super::RecordError;

/// The files of a folder of recordings, by name: `<case>.stdout.jsonl`, `<case>.stderr.txt`, and perhaps `exit-codes.txt`, whose
/// lines are `[<version>] <case> rc=<code>`.
#[derive(Debug, Clone, Default)]
pub struct Recordings {
    files: BTreeMap<String, String>,
    exits: BTreeMap<String, i32>,
}

impl Recordings {
    /// Reads the texts of the files of a version.
    pub fn new(version: &str, files: BTreeMap<String, String>) -> Self {
        let lines = files.get("exit-codes.txt").map(String::as_str).unwrap_or_default().lines();
        let exits = lines.filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (case, code) = match words.as_slice() {
                [of, case, code] if *of == version => (case, code),
                [case, code] => (case, code),
                _ => return None,
            };
            Some(((*case).to_owned(), code.strip_prefix("rc=")?.parse().ok()?))
        });
        Self { exits: exits.collect(), files }
    }

    /// What a case printed on standard output, if it was recorded.
    pub(crate) fn stdout(&self, case: &str) -> Option<&str> {
        self.files.get(&format!("{case}.stdout.jsonl")).map(String::as_str)
    }

    /// The lines that a case printed on standard error; none when nothing was recorded.
    pub(crate) fn stderr(&self, case: &str) -> Vec<&str> {
        self.files.get(&format!("{case}.stderr.txt")).map(|text| text.lines().collect()).unwrap_or_default()
    }

    /// The events of a case: none when it was not recorded or printed nothing.
    pub(crate) fn events(&self, case: &str) -> Result<Option<Vec<Value>>, RecordError> {
        let Some(text) = self.stdout(case).filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let events = lines.map(|(number, line)| match serde_json::from_str(line) {
            Ok(event @ Value::Object(_)) => Ok(event),
            _ => {
                let found: String = line.chars().take(60).collect();
                let at = format!("{case}.stdout.jsonl, line {}", number + 1);
                Err(RecordError::new(at, "an event, which is a JSON object", format!("{found:?}")))
            }
        });
        events.collect::<Result<Vec<_>, _>>().map(Some)
    }

    /// The exit code of a case, if it was recorded; else the usual one, and that it is not told.
    pub(crate) fn exit(&self, case: &str, usual: i32, untold: &mut Vec<String>) -> i32 {
        self.exits.get(case).copied().unwrap_or_else(|| {
            untold.push(format!("the exit code of {case}: no exit-codes.txt says it; {usual} stands there"));
            usual
        })
    }
}
