//! What a run of `claude -p --output-format stream-json` tells of its steps, and of what it used.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fleet::extension::usage::{Reading, Usage, Usd, cost, count};
use crate::json;
use crate::step::Step;

/// What is told of each model since the last result, by newer versions.
const SINCE: &str = "model_usage_since_last_result";

fn frames(stdout: &[u8]) -> impl Iterator<Item = (String, Value)> {
    json::objects(stdout).filter_map(|frame| Some((frame.get("type")?.as_str()?.to_owned(), frame)))
}

/// The sum over its results. In 2.1.330 `total_cost_usd` goes on over the turns of a session (recorded: 0.00007, then 0.00014),
/// and only what is told since the last result is this turn's; older versions count the process alone, and tell nothing else.
pub fn used(stdout: &[u8]) -> Reading {
    let mut total: Option<Usage> = None;
    let mut last_cost = None;
    let mut notes = Vec::new();
    for (_, frame) in frames(stdout).filter(|(kind, _)| kind == "result") {
        let mut of_frame = tokens(frame.get("usage").unwrap_or(&Value::Null), &mut notes);
        let since = frame.get(SINCE).and_then(Value::as_object);
        of_frame.cost = match since {
            Some(models) => models.values().try_fold(Usd(0), |sum, model| {
                Some(sum.plus(cost("costUSD", model.get("costUSD"), &mut notes)?))
            }),
            None => cost("total_cost_usd", frame.get("total_cost_usd"), &mut notes),
        };
        if since.is_none() {
            // It counts from the start of the process: of several the last one holds the others.
            last_cost = Some(of_frame.cost);
        }
        total = Some(total.map_or(of_frame, |so_far| so_far.plus(&of_frame)));
    }
    let mut usage = total.unwrap_or_default();
    usage.cost = last_cost.unwrap_or(usage.cost);
    Reading { usage, notes }
}

/// Tokens that were put into a cache or came from one are counted beside the others here.
fn tokens(usage: &Value, notes: &mut Vec<String>) -> Usage {
    let mut counted = |name: &str| count(name, usage.get(name), notes);
    let (read, output_tokens) = (counted("input_tokens"), counted("output_tokens"));
    let (made, cached) = (counted("cache_creation_input_tokens"), counted("cache_read_input_tokens"));
    let told = |name: &str| usage.get(name).is_some_and(|value| !value.is_null());
    let beside = |count: Option<u64>, name: &str| if told(name) { count } else { Some(0) };
    let sum = |one: Option<u64>, two: Option<u64>| Some(one?.saturating_add(two?));
    let caches = sum(beside(made, "cache_creation_input_tokens"), beside(cached, "cache_read_input_tokens"));
    let thinking = "/output_tokens_details/thinking_tokens";
    Usage {
        input_tokens: sum(read, caches),
        cached_input_tokens: cached,
        output_tokens,
        reasoning_output_tokens: count(thinking, usage.pointer(thinking), notes),
        cost: None,
    }
}

/// The last tool whose result came back.
pub fn last_step(stdout: &[u8]) -> Option<Step> {
    let mut began = BTreeMap::new();
    let (mut completed, mut last) = (0, None);
    for (kind, frame) in frames(stdout) {
        let blocks = frame.pointer("/message/content").and_then(Value::as_array).into_iter().flatten();
        for block in blocks {
            let text = |pointer: &str| block.pointer(pointer).and_then(Value::as_str);
            match (kind.as_str(), text("/type")) {
                ("assistant", Some("tool_use")) => {
                    let name = text("/input/command").or_else(|| text("/name")).unwrap_or("tool");
                    began.insert(text("/id").unwrap_or_default().to_owned(), name.to_owned());
                }
                ("user", Some("tool_result")) => {
                    let name = began.remove(text("/tool_use_id").unwrap_or_default());
                    completed += 1;
                    last = Some(Step::new(completed, name.as_deref().unwrap_or("tool")));
                }
                _ => {}
            }
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_that_goes_on_over_a_session_is_not_told_twice() {
        let line = r#"{"type":"result","total_cost_usd":0.00014,"usage":{"input_tokens":10,"output_tokens":5},
                       "model_usage_since_last_result":{"a":{"costUSD":0.00003},"b":{"costUSD":0.00004}}}"#;
        let line = line.replace('\n', " ");
        let usage = used(line.as_bytes()).usage;
        assert_eq!((usage.tokens(), usage.cost), (Some(15), Usd::from_dollars(0.000_07)));
        let old = r#"{"type":"result","total_cost_usd":0.5,"usage":{"input_tokens":1,"cache_read_input_tokens":2,"output_tokens":4}}"#;
        let both = format!("{old}\n{old}");
        let usage = used(both.as_bytes()).usage;
        assert_eq!((usage.tokens(), usage.cost), (Some(14), Usd::from_dollars(0.5)));
    }

    #[test]
    fn without_a_result_nothing_is_known_and_what_is_wrong_is_noted() {
        assert_eq!(
            used(br#"{"type":"assistant","message":{"content":[],"usage":{"input_tokens":10}}}"#),
            Reading::default()
        );
        let wrong =
            br#"{"type":"result","total_cost_usd":-1,"usage":{"input_tokens":"x","output_tokens":-2}}"#;
        let reading = used(wrong);
        assert!(reading.usage.tokens().is_none() && reading.usage.cost.is_none());
        assert_eq!(reading.notes.len(), 3);
    }

    #[test]
    fn a_tool_is_a_step_when_its_result_came_back() {
        let asked = |id: &str, line: &str| {
            format!(
                r#"{{"type":"assistant","message":{{"content":[{{"type":"tool_use","id":"{id}","name":"Bash","input":{{"command":"{line}"}}}}]}}}}"#
            )
        };
        let ended = |id: &str| {
            format!(
                r#"{{"type":"user","message":{{"content":[{{"type":"tool_result","tool_use_id":"{id}"}}]}}}}"#
            )
        };
        let lines = [asked("1", "one"), ended("1"), asked("2", "two")];
        assert_eq!(last_step(lines.join("\n").as_bytes()), Some(Step::new(1, "one")));
        assert_eq!(last_step(lines[0].as_bytes()), None);
    }
}
