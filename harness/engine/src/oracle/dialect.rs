//! What an executor's CLI prints, as far as oracles look at it: read anew, and not with the parsers that receivers use.
//!
//! A new executor is a new entry in [`of`].

use super::view::json_lines;

/// How to read the output of one executor's CLI.
pub(super) struct Dialect {
    /// The sessions that it names, in order.
    pub(super) sessions: fn(&str) -> Vec<String>,
    /// The answers that it gives, in order.
    pub(super) messages: fn(&str) -> Vec<String>,
}

/// The dialect of an executor. What is not known says nothing.
pub(super) fn of(executor: &str) -> Dialect {
    match executor {
        "codex" => Dialect { sessions: codex_threads, messages: codex_messages },
        _ => Dialect { sessions: |_| Vec::new(), messages: |_| Vec::new() },
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
fn codex_messages(stdout: &str) -> Vec<String> {
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
