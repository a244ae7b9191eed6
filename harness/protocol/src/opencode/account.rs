//! What a run of `opencode run --format json` tells of its steps, and of what they used.

use serde_json::Value;

use crate::fleet::extension::usage::{Reading, Usage, cost, count};
use crate::json;
use crate::step::Step;

fn steps(stdout: &[u8]) -> impl Iterator<Item = (String, Value)> {
    json::objects(stdout).filter_map(|event| Some((event.get("type")?.as_str()?.to_owned(), event)))
}

/// The sum over all steps. A step of which something is not told makes the sum unknown, and so does one that began and did not
/// come to its end; without any step nothing is known.
pub fn used(stdout: &[u8]) -> Reading {
    let mut total: Option<Usage> = None;
    let mut notes = Vec::new();
    let mut open = false;
    for (kind, event) in steps(stdout) {
        open = match kind.as_str() {
            "step_start" => true,
            "step_finish" => false,
            _ => continue,
        };
        if !open {
            let step = of_step(event.get("part").unwrap_or(&Value::Null), &mut notes);
            total = Some(total.map_or(step, |so_far| so_far.plus(&step)));
        }
    }
    Reading { usage: total.filter(|_| !open).unwrap_or_default(), notes }
}

/// What one step used. Tokens of a cache and of reasoning are counted beside the others here, and may not be told at all.
fn of_step(part: &Value, notes: &mut Vec<String>) -> Usage {
    let mut counted = |pointer: &str| count(pointer, part.pointer(pointer), notes);
    let (read, cached) = (counted("/tokens/input"), counted("/tokens/cache/read"));
    let written_to_cache = counted("/tokens/cache/write");
    let (written, reasoned) = (counted("/tokens/output"), counted("/tokens/reasoning"));
    let told = |pointer: &str| part.pointer(pointer).is_some_and(|value| !value.is_null());
    // What is not told apart is in the rest; what is told and is no count is unknown.
    let beside = |count: Option<u64>, pointer: &str| if told(pointer) { count } else { Some(0) };
    let sum = |one: Option<u64>, two: Option<u64>| Some(one?.saturating_add(two?));
    let caches = sum(beside(cached, "/tokens/cache/read"), beside(written_to_cache, "/tokens/cache/write"));
    Usage {
        input_tokens: sum(read, caches),
        cached_input_tokens: cached,
        output_tokens: sum(written, beside(reasoned, "/tokens/reasoning")),
        reasoning_output_tokens: reasoned,
        cost: cost("/cost", part.get("cost"), notes),
    }
}

/// The last step that came to its end, by the last tool that it used.
pub fn last_step(stdout: &[u8]) -> Option<Step> {
    let (mut tool, mut completed, mut last) = (None, 0, None);
    for (kind, event) in steps(stdout) {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        match kind.as_str() {
            "step_start" => tool = None,
            "tool_use" => {
                let name = text("/part/state/input/command").or_else(|| text("/part/state/title"));
                tool = name.or_else(|| text("/part/tool")).map(str::to_owned);
            }
            "step_finish" => {
                completed += 1;
                last = Some(Step::new(completed, tool.as_deref().unwrap_or("answer")));
            }
            _ => {}
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finish(tokens: &str, cost: &str) -> String {
        format!(r#"{{"type":"step_finish","part":{{"reason":"stop","tokens":{tokens},"cost":{cost}}}}}"#)
    }

    #[test]
    fn steps_are_added_up_with_their_caches_and_their_reasoning() {
        let one = finish(r#"{"input":10,"output":5,"reasoning":2,"cache":{"read":3,"write":4}}"#, "0.01");
        let two = finish(r#"{"input":1,"output":1,"reasoning":0,"cache":{"read":0,"write":0}}"#, "0.02");
        let Reading { usage, notes } = used(format!("{one}\n{two}").as_bytes());
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(18), Some(8)));
        assert_eq!((usage.cached_input_tokens, usage.reasoning_output_tokens), (Some(3), Some(2)));
        assert_eq!(usage.cost.map(|cost| cost.0), Some(30_000_000));
        assert!(notes.is_empty());
    }

    #[test]
    fn a_step_without_its_count_or_without_its_end_makes_the_sum_unknown() {
        let (good, bare) = (finish(r#"{"input":1,"output":1}"#, "0"), finish("null", "null"));
        assert_eq!(used(good.as_bytes()).usage.tokens(), Some(2));
        assert_eq!(used(format!("{good}\n{bare}").as_bytes()).usage.tokens(), None);
        assert!(used(format!("{good}\n{{\"type\":\"step_start\"}}").as_bytes()).usage.is_unknown());
        let wrong = finish(r#"{"input":-1,"output":1,"cache":{"read":"x"}}"#, "-1");
        assert_eq!(used(wrong.as_bytes()).notes.len(), 3);
        assert_eq!(used(b""), Reading::default());
    }

    #[test]
    fn a_step_is_completed_by_its_end_and_named_by_its_tool() {
        let tool = |line: &str| {
            serde_json::json!({"type": "tool_use", "part": {"tool": "bash", "state": {"input": {"command": line}}}})
                .to_string()
        };
        let start = r#"{"type":"step_start"}"#.to_owned();
        let end = finish("{}", "0");
        let lines = [start.clone(), tool("one"), end, start, tool("two")];
        assert_eq!(last_step(lines.join("\n").as_bytes()), Some(Step::new(1, "one")));
        assert_eq!(last_step(lines[..2].join("\n").as_bytes()), None);
    }
}
