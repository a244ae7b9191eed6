//! What an executor's CLI prints, as far as oracles look at it: read by what the executor's data says, and not with the parsers that
//! receivers use.

use std::collections::BTreeMap;

use serde_json::Value;

use super::view::json_lines;
use crate::data::output::{Notice, Output, Pointer, Reading, Text};

/// The sessions that an output names, in order; once, what it names in one event after the other.
pub(super) fn sessions(output: Option<&Output>, stdout: &str) -> Vec<String> {
    let Some(Output::Events(events)) = output else { return Vec::new() };
    let mut sessions = said(read(&events.sessions, stdout));
    sessions.dedup();
    sessions
}

/// The answers in an output, in order. `before` is what the session that it ran on had printed before, for a CLI that prints that once
/// more.
pub(super) fn messages(output: Option<&Output>, stdout: &str, before: &str) -> Vec<String> {
    match output {
        None => Vec::new(),
        Some(Output::Events(events)) if events.in_pieces => {
            said(vec![read(&events.messages, stdout).concat()])
        }
        Some(Output::Events(events)) => said(read(&events.messages, stdout)),
        Some(Output::Text(text)) => answer(text, stdout, before),
    }
}

/// Blanks say nothing.
fn said(mut texts: Vec<String>) -> Vec<String> {
    texts.retain(|text| !text.trim().is_empty());
    texts
}

/// What is read of each event.
fn read(readings: &[Reading], stdout: &str) -> Vec<String> {
    let events = json_lines(stdout.as_bytes()).into_iter();
    let texts = events.filter_map(|event| {
        let reading = readings.iter().find(|reading| fits(&reading.when, &event))?;
        let Some(items) = &reading.items else { return text(reading, &event) };
        let list = items.at.of(&event).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let list = list.iter().filter(|item| fits(&items.when, item));
        Some(list.filter_map(|item| text(reading, item)).collect())
    });
    texts.collect()
}

fn fits(when: &BTreeMap<Pointer, Value>, value: &Value) -> bool {
    when.iter().all(|(at, is)| at.of(value) == Some(is))
}

fn text(reading: &Reading, value: &Value) -> Option<String> {
    reading.text.iter().find_map(|at| at.of(value)?.as_str().map(str::to_owned))
}

/// What comes behind that which was printed before, and behind the line that is no part of it. Where the one does not begin with the
/// other, all of it is the answer.
fn answer(text: &Text, stdout: &str, before: &str) -> Vec<String> {
    // The notice of an earlier turn is no part of what is printed once more.
    let before = behind_notice(text, before).unwrap_or(before);
    let answer = match (before.is_empty(), stdout.strip_prefix(before)) {
        (false, Some(new)) => new,
        _ => behind_notice(text, stdout).unwrap_or(stdout),
    };
    said(vec![answer.trim().to_owned()])
}

/// What comes behind the line that is no part of an answer; nothing when there is no such line.
fn behind_notice<'a>(text: &Text, printed: &'a str) -> Option<&'a str> {
    let Notice { begins, ends } = text.notice.as_ref()?;
    let all = printed.trim_start();
    let line = all.lines().next().unwrap_or_default().to_lowercase();
    let is_one = line.starts_with(begins) && line.trim_end().ends_with(ends);
    is_one.then(|| all.split_once('\n').map_or("", |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::LIBRARY;

    fn of(executor: &str) -> Output {
        LIBRARY.executors[executor].output.clone().expect("it prints something")
    }

    #[test]
    fn what_claude_says_is_read_frame_by_frame_and_its_session_is_named_once() {
        let stdout = r#"noise
{"type":"system","subtype":"init","session_id":"s1"}
{"type":"system","subtype":"api_retry","session_id":"s1"}
{"type":"assistant","message":{"content":[{"type":"text","text":"one "},{"type":"text","text":"two"}]}}
{"type":"assistant","message":{"content":[{"type":"tool_use","text":"no"}]}}
{"type":"result","result":"one two","session_id":"s1"}
"#;
        let claude = of("claude_code");
        assert_eq!(messages(Some(&claude), stdout, ""), ["one two"]);
        assert_eq!(sessions(Some(&claude), stdout), ["s1"]);
    }

    #[test]
    fn an_answer_of_opencode_is_one_however_it_is_split_and_its_session_is_named_once() {
        let stdout = r#"noise
{"type":"step_start","sessionID":"s1","part":{"sessionID":"s1"}}
{"type":"text","sessionID":" ","part":{"text":"one "}}
{"type":"text","part":{"text":"two","sessionID":"s1"}}
{"type":"tool_use","sessionID":"s1","part":{"text":"no"}}
"#;
        let opencode = of("opencode");
        assert_eq!(messages(Some(&opencode), stdout, ""), ["one two"]);
        assert_eq!(sessions(Some(&opencode), stdout), ["s1"]);
        let none = r#"{"type":"text","sessionID":"s1","part":{"text":" "}}"#;
        assert_eq!(messages(Some(&opencode), none, ""), Vec::<String>::new());
        let two = "{\"type\":\"a\",\"sessionID\":\"s1\"}\n{\"type\":\"a\",\"sessionID\":\"s2\"}\n";
        assert_eq!(sessions(Some(&opencode), two), ["s1", "s2"]);
    }

    #[test]
    fn an_answer_of_agy_is_what_it_did_not_print_before() {
        let agy = of("agy");
        for (stdout, before, answer) in [
            (" PONG\n", "", Some("PONG")),
            ("PONG\nPONG2\n", "PONG\n", Some("PONG2")),
            ("PONG\n", "PONG\n", None),
            ("pong\nPONG2\n", "PONG\n", Some("pong\nPONG2")),
            ("\nWarning: conversation \"u\" not found.\nfresh\n", "", Some("fresh")),
            ("Warning: conversation \"u\" not found.", "", None),
            ("fresh\nmore\n", "Warning: conversation \"u\" not found.\nfresh\n", Some("more")),
            ("Warning: the disk is full.\n", "", Some("Warning: the disk is full.")),
        ] {
            let answers: Vec<String> = answer.into_iter().map(str::to_owned).collect();
            assert_eq!(messages(Some(&agy), stdout, before), answers, "{stdout:?} after {before:?}");
        }
    }

    #[test]
    fn what_codex_says_is_read_in_its_older_stream_and_in_its_newer_one() {
        let codex = of("codex");
        let stdout = r#"{"type":"thread.started","thread_id":"t1"}
{"type":"item.completed","item":{"type":"reasoning","text":"hm"}}
{"type":"item.completed","item":{"type":"agent_message","text":"one"}}
{"id":"0","msg":{"type":"agent_message","message":"two"}}
"#;
        assert_eq!(messages(Some(&codex), stdout, ""), ["one", "two"]);
        assert_eq!(sessions(Some(&codex), stdout), ["t1"]);
        assert_eq!(messages(None, stdout, ""), Vec::<String>::new());
    }
}
