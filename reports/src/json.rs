//! The model as JSON: `report.json`, `summary.json` and the lines of `results.jsonl`.
//!
//! Same value, same bytes: fields in the order of the model, maps by key, two spaces of indentation.

use std::fmt::Write as _;

use serde::Serialize;

use crate::cell::CellLine;
use crate::drift::Drift;
use crate::escape;
use crate::explore::{Crashes, FaultSearch, Soak};
use crate::printed::{JudgedAgain, QuirkCheck};
use crate::replay::Replay;
use crate::report::ExecutorReport;
use crate::summary::Summary;

/// The content of `report.json`, with a line end.
pub fn report_json(report: &ExecutorReport) -> String {
    file(report)
}

/// The content of `summary.json`, with a line end.
pub fn summary_json(summary: &Summary) -> String {
    file(summary)
}

/// A cell that was run again, with a line end.
pub fn replay_json(replay: &Replay) -> String {
    file(replay)
}

/// What changed from version to version, with a line end.
pub fn drift_json(drift: &Drift) -> String {
    file(drift)
}

/// A trace that was judged again, with a line end.
pub fn judge_json(judged: &JudgedAgain) -> String {
    file(judged)
}

/// What quirks violate, with a line end.
pub fn quirk_check_json(checked: &QuirkCheck) -> String {
    file(checked)
}

/// What came of killing processes at every point, with a line end.
pub fn crashes_json(crashes: &Crashes) -> String {
    file(crashes)
}

/// What came of worlds that nobody thought of, with a line end.
pub fn fault_search_json(search: &FaultSearch) -> String {
    file(search)
}

/// What came of work under disturbance over real processes, with a line end.
pub fn soak_json(soak: &Soak) -> String {
    file(soak)
}

/// One line of `results.jsonl`, without its line end.
pub fn results_line(line: &CellLine) -> String {
    harmless(&serde_json::to_string(line).expect("the model has only string keys and no custom errors"))
}

/// A value of the model or a schema as a file.
pub(crate) fn file<T: Serialize>(value: &T) -> String {
    let json =
        serde_json::to_string_pretty(value).expect("the model has only string keys and no custom errors");
    harmless(&json) + "\n"
}

/// Escapes what `cat` should not send to a terminal. Such characters stand inside JSON strings only, where the escape
/// means the same text.
fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && escape::is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}").expect("a String takes every write");
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::verdict::{Lane, Verdict};

    fn line(reason: Option<&str>) -> CellLine {
        CellLine {
            id: "fleet/busy@codex-0.44.0#7".to_owned(),
            lane: Lane::Virtual,
            verdict: Verdict::Pass,
            counts: BTreeMap::from([("pass".to_owned(), 3)]),
            digest: "ab".to_owned(),
            failed: Vec::new(),
            known: Vec::new(),
            reason: reason.map(str::to_owned),
            trace: None,
        }
    }

    #[test]
    fn a_passing_cell_is_one_short_line() {
        assert_eq!(
            results_line(&line(None)),
            r#"{"id":"fleet/busy@codex-0.44.0#7","lane":"virtual","verdict":"pass","counts":{"pass":3},"digest":"ab"}"#
        );
    }

    #[test]
    fn hidden_characters_are_escaped_and_read_back_as_the_same_text() {
        let written = line(Some("a\u{1b}b\u{9b}c\u{202e}d\u{e0041}e\nf\u{2028}"));
        let json = results_line(&written);
        assert!(!json.chars().any(escape::is_hidden), "{json}");
        assert_eq!(serde_json::from_str::<CellLine>(&json).unwrap(), written);
    }

    #[test]
    fn a_reason_without_end_is_cut() {
        let json = results_line(&line(Some(&"x".repeat(100_000))));
        assert!(json.len() < 4_200);
        assert!(json.contains(" more\""), "{json}");
    }

    #[test]
    fn a_line_with_an_unknown_field_is_refused() {
        let json = results_line(&line(None)).replace("\"digest\"", "\"digset\"");
        let error = serde_json::from_str::<CellLine>(&json).unwrap_err().to_string();
        assert!(error.contains("digset"), "{error}");
    }
}
