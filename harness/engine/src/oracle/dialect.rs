//! What an executor's CLI prints, as far as oracles look at it: read anew, and not with the parsers that receivers use.
//!
//! A new executor is a new entry in [`of`].

use serde_json::Value;

use super::view::json_lines;

/// How to read the output of one executor's CLI.
pub(super) struct Dialect {
    /// The sessions that it names, in order; once, what it names in one line after the other.
    pub(super) sessions: fn(&str) -> Vec<String>,
    /// The answers that it gives, in order. Second comes what the session that it ran on had printed before, for a CLI that prints
    /// that once more.
    pub(super) messages: fn(&str, &str) -> Vec<String>,
}

/// The dialect of an executor. What is not known says nothing.
pub(super) fn of(executor: &str) -> Dialect {
    match executor {
        "agy" => Dialect { sessions: |_| Vec::new(), messages: agy_messages },
        "claude_code" => Dialect { sessions: claude_sessions, messages: claude_messages },
        "codex" => Dialect { sessions: codex_threads, messages: codex_messages },
        "opencode" => Dialect { sessions: opencode_sessions, messages: opencode_messages },
        _ => Dialect { sessions: |_| Vec::new(), messages: |_, _| Vec::new() },
    }
}

fn codex_threads(stdout: &str) -> Vec<String> {
    let lines = json_lines(stdout.as_bytes()).into_iter();
    lines
        .filter(|line| line["type"] == "thread.started")
        .filter_map(|line| line["thread_id"].as_str().map(str::to_owned))
        .collect()
}

/// In the stream of 0.36.0 and in that of later versions.
fn codex_messages(stdout: &str, _: &str) -> Vec<String> {
    let lines = json_lines(stdout.as_bytes()).into_iter();
    lines
        .filter_map(|line| {
            let item = &line["item"];
            if line["type"] == "item.completed" && item["type"] == "agent_message" {
                return item["text"].as_str().map(str::to_owned);
            }
            let message = &line["msg"];
            (message["type"] == "agent_message")
                .then(|| message["message"].as_str().map(str::to_owned))
                .flatten()
        })
        .collect()
}

/// Every frame about the session names it.
fn claude_sessions(stdout: &str) -> Vec<String> {
    let lines = json_lines(stdout.as_bytes()).into_iter().filter(|line| line["type"] == "system");
    let mut sessions: Vec<String> =
        lines.filter_map(|line| line["session_id"].as_str().map(str::to_owned)).collect();
    sessions.dedup();
    sessions
}

/// What the agent said, frame by frame; a frame that only uses a tool says nothing.
fn claude_messages(stdout: &str, _: &str) -> Vec<String> {
    let lines = json_lines(stdout.as_bytes()).into_iter().filter(|line| line["type"] == "assistant");
    let said = |line: Value| -> String {
        let blocks = line["message"]["content"].as_array().cloned().unwrap_or_default();
        let texts = blocks.iter().filter(|block| block["type"] == "text");
        texts.filter_map(|block| block["text"].as_str()).collect()
    };
    lines.map(said).filter(|text| !text.trim().is_empty()).collect()
}

/// Every event names its session; a turn that runs on one session names one.
fn opencode_sessions(stdout: &str) -> Vec<String> {
    let lines = json_lines(stdout.as_bytes()).into_iter();
    let named = |line: &Value| {
        line["sessionID"].as_str().or_else(|| line["part"]["sessionID"].as_str()).map(str::to_owned)
    };
    let mut sessions: Vec<String> =
        lines.filter_map(|line| named(&line)).filter(|id| !id.trim().is_empty()).collect();
    sessions.dedup();
    sessions
}

/// The texts of a turn are pieces of one answer.
fn opencode_messages(stdout: &str, _: &str) -> Vec<String> {
    let lines = json_lines(stdout.as_bytes()).into_iter().filter(|line| line["type"] == "text");
    let answer: String = lines.filter_map(|line| line["part"]["text"].as_str().map(str::to_owned)).collect();
    if answer.trim().is_empty() { Vec::new() } else { vec![answer] }
}

/// Plain text: what comes behind that which was printed before, and behind the line that tells of a conversation which is gone. Where
/// the one does not begin with the other, all of it is the answer.
fn agy_messages(stdout: &str, before: &str) -> Vec<String> {
    let all = stdout.trim_start();
    let tells = |line: &str| {
        let line = line.to_lowercase();
        line.starts_with("warning: conversation \"") && line.trim_end().ends_with("\" not found.")
    };
    let answer = match (before.is_empty(), stdout.strip_prefix(before)) {
        (false, Some(new)) => new,
        _ if tells(all.lines().next().unwrap_or_default()) => {
            all.split_once('\n').map_or("", |(_, rest)| rest)
        }
        _ => stdout,
    };
    let answer = answer.trim();
    if answer.is_empty() { Vec::new() } else { vec![answer.to_owned()] }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!((claude.messages)(stdout, ""), ["one two"]);
        assert_eq!((claude.sessions)(stdout), ["s1"]);
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
        assert_eq!((opencode.messages)(stdout, ""), ["one two"]);
        assert_eq!((opencode.sessions)(stdout), ["s1"]);
        let none = r#"{"type":"text","sessionID":"s1","part":{"text":" "}}"#;
        assert_eq!((opencode.messages)(none, ""), Vec::<String>::new());
        let two = "{\"type\":\"a\",\"sessionID\":\"s1\"}\n{\"type\":\"a\",\"sessionID\":\"s2\"}\n";
        assert_eq!((opencode.sessions)(two), ["s1", "s2"]);
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
            ("Warning: the disk is full.\n", "", Some("Warning: the disk is full.")),
        ] {
            let answers: Vec<String> = answer.into_iter().map(str::to_owned).collect();
            assert_eq!((agy.messages)(stdout, before), answers, "{stdout:?} after {before:?}");
        }
    }
}
