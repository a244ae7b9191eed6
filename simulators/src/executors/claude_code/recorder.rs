//! The frames of Claude Code.

use serde_json::{Value, json};

use crate::recorder::RecordError;
use crate::recorder::Recordings;
use crate::recorder::slots::{numbered, templated};

/// What the recorder's own limit of time ends a case with.
const ENDED_FROM_OUTSIDE: i32 = 124;

/// What the recordings say of the things that templates have slots for.
struct Known {
    model: String,
    output: Option<String>,
}

/// The answer in a frame that is one.
fn reply(frame: &Value) -> Option<&str> {
    let parts = frame.pointer("/message/content")?.as_array().filter(|_| frame["type"] == "assistant")?;
    parts.iter().find_map(|part| part.get("text")?.as_str())
}

fn is_init(frame: &Value) -> bool {
    frame["subtype"] == "init"
}

fn is_result(frame: &Value) -> bool {
    frame["type"] == "result"
}

impl Known {
    /// A frame of a turn that answered so.
    fn frame(&self, frame: &Value, said: Option<&str>) -> Value {
        let of_user = frame["type"] == "user";
        templated(frame, &|name, value| {
            let slot = |slot: &str| Some(Value::from(format!("{{{slot}}}")));
            match (name, value) {
                ("session_id", Value::String(_)) => slot("session"),
                ("uuid", Value::String(_)) => slot("uuid"),
                ("timestamp", Value::String(_)) => slot("timestamp"),
                ("cwd" | "original_cwd", Value::String(_)) => slot("workdir"),
                ("model", Value::String(model)) if *model == self.model => slot("model"),
                ("text" | "result", Value::String(text)) if Some(text.as_str()) == said => slot("reply"),
                ("command", Value::String(_)) => slot("command"),
                ("id" | "tool_use_id", Value::String(text)) => numbered(text, "toolu_", "call"),
                ("content" | "stdout", Value::String(text)) if Some(text) == self.output.as_ref() => {
                    slot("output")
                }
                ("is_error", Value::Bool(_)) if of_user => slot("failed"),
                ("num_turns", Value::Number(turns)) if turns.as_u64() > Some(0) => slot("turns"),
                ("retry_delay_ms", _) => None,
                (name, Value::Number(_)) if name.ends_with("_ms") => slot("duration_ms"),
                (_, Value::String(text)) => place(text).map(Value::from),
                _ => None,
            }
        })
    }
}

/// A path below the CLI's home or the directory for temporary files, wherever those are.
fn place(text: &str) -> Option<String> {
    if let Some((_, rest)) = text.split_once("/.claude/projects/") {
        let (_, rest) = rest.split_once('/')?;
        return Some(format!("{{claude_home}}/projects/{{project}}/{rest}"));
    }
    let (_, name) = text.split_once("/socks/")?;
    let is_pid = name.strip_suffix(".sock")?.bytes().all(|byte| byte.is_ascii_digit());
    is_pid.then(|| "{temp_dir}/socks/{pid}.sock".to_owned())
}

pub(super) fn talk(recordings: &Recordings, untold: &mut Vec<String>) -> Result<Value, RecordError> {
    let mut talk = json!({ "arguments": { "options": options(recordings) } });
    untold.push("arguments: only those that receivers give; other options are refused as unknown".to_owned());
    let Some(text) = recordings.events("text")? else {
        if recordings.stderr("text").is_empty() {
            let expected = "the frames of a turn that answers, or why it was refused";
            return Err(RecordError::new("text.stdout.jsonl", expected, "neither"));
        }
        untold.push("speech: no turn came to its first frame, so none can be played".to_owned());
        return Ok(talk);
    };
    let find = |what: &str, fits: &dyn Fn(&Value) -> bool| {
        text.iter()
            .find(|frame| fits(frame))
            .ok_or_else(|| RecordError::new("text.stdout.jsonl", format!("a frame that is {what}"), "none"))
    };
    let init = find("of the subtype init", &is_init)?;
    let answer = find("an answer of the assistant", &|frame| reply(frame).is_some())?;
    let result = find("a result", &is_result)?;
    let tool = recordings.events("tool")?.unwrap_or_default();
    let outputs = ["/tool_use_result/stdout", "/message/content/0/content"];
    let output = tool.iter().filter(|frame| frame["type"] == "user").find_map(|frame| {
        outputs.iter().find_map(|pointer| frame.pointer(pointer)?.as_str().map(str::to_owned))
    });
    let model = init["model"].as_str().unwrap_or_default().to_owned();
    let known = Known { model, output };
    untold.push("models: what short names other than that of the recording stand for".to_owned());
    let turns = |case: &str| -> Result<Option<u64>, RecordError> {
        let events = recordings.events(case)?.unwrap_or_default();
        Ok(events.iter().find_map(|frame| frame.get("num_turns")?.as_u64()))
    };
    let counting = if turns("resume")? > turns("text")? { "messages" } else { "calls" };
    let said = reply(answer);
    let speech = json!({
        "models": { "sonnet": known.model, "default": known.model },
        "num_turns": counting,
        "init": known.frame(init, None),
        "command": command(&known, &tool, untold),
        "reply": known.frame(answer, said),
        "result": known.frame(result, said),
        "unknown_session": refusing(recordings, &known, "badsession", untold)?,
        "used_session": refusing(recordings, &known, "usedsession", untold)?,
        "failures": {
            "unauthorized": failure(recordings, &known, "err401", untold)?,
            "cut": failure(recordings, &known, "cut", untold)?,
            "no_provider": failure(recordings, &known, "noprovider", untold)?,
        },
    });
    talk["speech"] = speech;
    Ok(talk)
}

/// The options that receivers give, but for one that this version refuses.
fn options(recordings: &Recordings) -> Vec<Value> {
    let options = [
        json!({ "long": "print", "short": "p" }),
        json!({ "long": "output-format", "value": "format" }),
        json!({ "long": "verbose" }),
        json!({ "long": "permission-mode", "value": "mode" }),
        json!({ "long": "setting-sources", "value": "sources" }),
        json!({ "long": "model", "value": "model" }),
        json!({ "long": "append-system-prompt", "value": "prompt" }),
        json!({ "long": "mcp-config", "value": "configs..." }),
        json!({ "long": "session-id", "value": "uuid" }),
        json!({ "long": "resume", "short": "r", "value": "sessionId" }),
    ];
    let refused = recordings.stderr("text").join("\n");
    let is_known =
        |option: &Value| !refused.contains(&format!("'--{}'", option["long"].as_str().unwrap_or_default()));
    options.into_iter().filter(is_known).collect()
}

fn command(known: &Known, tool: &[Value], untold: &mut Vec<String>) -> Value {
    let uses =
        |frame: &&Value| frame.pointer("/message/content/0/type").is_some_and(|kind| kind == "tool_use");
    let ends = |frame: &&Value| frame["type"] == "user";
    match (tool.iter().find(uses), tool.iter().find(ends)) {
        (Some(asked), Some(ended)) => {
            json!({ "asked": known.frame(asked, None), "ended": known.frame(ended, None) })
        }
        _ => {
            untold.push("command: no tool call was recorded; bare frames of one stand there".to_owned());
            json!({
                "asked": { "type": "assistant", "session_id": "{session}", "uuid": "{uuid}", "message": { "role": "assistant", "content": [{ "type": "tool_use", "id": "toolu_{call}", "name": "Bash", "input": { "command": "{command}" } }] } },
                "ended": { "type": "user", "session_id": "{session}", "uuid": "{uuid}", "message": { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "toolu_{call}", "content": "{output}", "is_error": "{failed}" }] } },
            })
        }
    }
}

/// How a session is refused. The id that was asked for stands behind the words that name it.
fn refusing(
    recordings: &Recordings,
    known: &Known,
    case: &str,
    untold: &mut Vec<String>,
) -> Result<Value, RecordError> {
    let lines = recordings.stderr(case);
    if lines.is_empty() {
        untold.push(format!("{case} was not recorded; the turn is refused without a word"));
    }
    let is_id = |word: &&str| word.len() == 36 && word.bytes().filter(|byte| *byte == b'-').count() == 4;
    let id = lines.iter().flat_map(|line| line.split_whitespace()).find(is_id).unwrap_or("\n").to_owned();
    let in_frames = |frame: Value| {
        templated(&frame, &|_, value| {
            let text = value.as_str().filter(|text| text.contains(&id))?;
            Some(Value::from(text.replace(&id, "{session}")))
        })
    };
    let frames = recordings.events(case)?.unwrap_or_default();
    let frames: Vec<Value> = frames.iter().map(|frame| in_frames(known.frame(frame, None))).collect();
    let lines: Vec<String> = lines.iter().map(|line| line.replace(&id, "{session}")).collect();
    let mut refusing = json!({});
    if !frames.is_empty() {
        refusing["stdout"] = json!(frames);
    }
    refusing["stderr"] = json!(lines);
    refusing["exit"] = json!(recordings.exit(case, 1, untold));
    Ok(refusing)
}

fn failure(
    recordings: &Recordings,
    known: &Known,
    case: &str,
    untold: &mut Vec<String>,
) -> Result<Value, RecordError> {
    let Some(frames) = recordings.events(case)? else {
        untold.push(format!("failures: {case} was not recorded; such a turn ends without a word"));
        return Ok(json!({ "fails": { "exit": 1, "steps": [] } }));
    };
    let rest: Vec<&Value> = frames.iter().filter(|frame| !is_init(frame)).collect();
    if let [again, answer, ..] = rest.as_slice()
        && let Some(said) = reply(answer)
    {
        let (again, reply) = (known.frame(again, None), known.frame(answer, Some(said)));
        return Ok(json!({ "recovers": { "again": again, "reply": reply } }));
    }
    let mut steps = Vec::new();
    for frame in rest {
        steps.push(json!({ "stdout": known.frame(frame, None) }));
        if let Some(wait) = frame.get("retry_delay_ms").and_then(Value::as_u64) {
            steps.push(json!({ "wait": format!("{wait}ms") }));
        }
    }
    let mut exit = recordings.exit(case, 1, untold);
    if exit == ENDED_FROM_OUTSIDE {
        untold.push(format!(
            "failures: {case} was ended from outside; it waits for ten minutes and ends with 1"
        ));
        steps.push(json!({ "wait": "600s" }));
        exit = 1;
    }
    Ok(json!({ "fails": { "exit": exit, "steps": steps } }))
}
