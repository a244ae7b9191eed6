//! What a run of `codex exec --json` tells of its steps, and of what it used: totals of the whole thread, as recorded.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fleet::extension::usage::{Reading, Usage, count};
use crate::json;
use crate::step::Step;

/// What its last `turn.completed` says. Counts go on over the resumed turns of a thread (recorded: 10 and 5, then 20 and 10), so
/// this is the thread's total. Costs are never told.
pub fn thread_total(stdout: &[u8]) -> Reading {
    let completed =
        json::objects(stdout).filter(|event| event.get("type").is_some_and(|kind| kind == "turn.completed"));
    let Some(event) = completed.last() else { return Reading::default() };
    let mut notes = Vec::new();
    let mut counted =
        |name: &str| count(name, event.get("usage").and_then(|usage| usage.get(name)), &mut notes);
    let usage = Usage {
        input_tokens: counted("input_tokens"),
        cached_input_tokens: counted("cached_input_tokens"),
        output_tokens: counted("output_tokens"),
        reasoning_output_tokens: counted("reasoning_output_tokens"),
        cost: None,
    };
    Reading { usage, notes }
}

/// The last item of work that was completed: what the agent did, and not what it said or what went wrong in the CLI. Of the older
/// language, the last command that ended.
pub fn last_step(stdout: &[u8]) -> Option<Step> {
    let mut began = BTreeMap::new();
    let mut last = None;
    let mut completed = 0;
    for event in json::objects(stdout) {
        let kind = event.get("type").or_else(|| event.pointer("/msg/type")).and_then(Value::as_str);
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        let name = match kind {
            Some("item.completed") => match text("/item/type") {
                None | Some("agent_message" | "reasoning" | "error") => continue,
                Some(kind) => text("/item/command").unwrap_or(kind).to_owned(),
            },
            Some("exec_command_begin") => {
                let words = event.pointer("/msg/command").and_then(Value::as_array).into_iter().flatten();
                let line: Vec<&str> = words.filter_map(Value::as_str).collect();
                began.insert(text("/msg/call_id").unwrap_or_default().to_owned(), line.join(" "));
                continue;
            }
            Some("exec_command_end") => {
                began.remove(text("/msg/call_id").unwrap_or_default()).unwrap_or_else(|| "command".to_owned())
            }
            _ => continue,
        };
        completed += 1;
        last = Some(Step::new(completed, &name));
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_only_began_is_not_completed() {
        let lines = [
            r#"{"type":"item.completed","item":{"id":"a","type":"error","message":"x"}}"#,
            r#"{"type":"item.started","item":{"id":"b","type":"command_execution","command":"one"}}"#,
            r#"{"type":"item.completed","item":{"id":"b","type":"command_execution","command":"one"}}"#,
            r#"{"type":"item.completed","item":{"id":"c","type":"file_change"}}"#,
            r#"{"type":"item.completed","item":{"id":"d","type":"agent_message","text":"on it"}}"#,
            r#"{"type":"item.started","item":{"id":"e","type":"command_execution","command":"two"}}"#,
        ];
        let step =
            |lines: &[&str]| last_step(lines.join("\n").as_bytes()).map(|step| (step.number, step.name));
        assert_eq!(step(&lines), Some((2, "file_change".to_owned())));
        assert_eq!(step(&lines[..3]), Some((1, "one".to_owned())));
        assert_eq!(step(&lines[..2]), None);
    }

    #[test]
    fn counts_that_are_none_are_unknown_with_a_note() {
        let line = br#"{"type":"turn.completed","usage":{"input_tokens":-5,"output_tokens":"7"}}"#;
        let reading = thread_total(line);
        assert!(reading.usage.is_unknown());
        assert_eq!(reading.notes.len(), 2);
        assert_eq!(
            thread_total(br#"{"type":"turn.completed","usage":{"input_tokens":NaN}}"#),
            Reading::default()
        );
        assert_eq!(thread_total(b"{\"type\":\"turn.failed\"}\n"), Reading::default());
    }
}
