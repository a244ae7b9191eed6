//! The events of opencode.

use serde_json::{Value, json};

use crate::recorder::RecordError;
use crate::recorder::Recordings;
use crate::recorder::slots::{numbered, templated};

/// What a turn of text can be called: with the receivers' arguments, and without the one that an old version does not know.
const TEXTS: [&str; 2] = ["text", "text-no-skip-permissions"];

fn event(event: &Value) -> Value {
    let is_text = event["type"] == "text";
    let is_tool = event["type"] == "tool_use";
    templated(event, &|name, value| {
        let slot = |slot: &str| Some(Value::from(format!("{{{slot}}}")));
        match (name, value) {
            ("timestamp" | "start" | "end", Value::Number(_)) => slot("now_ms"),
            ("sessionID", Value::String(_)) => slot("session"),
            ("messageID", Value::String(_)) => slot("message"),
            ("snapshot", Value::String(_)) => slot("snapshot"),
            ("id", Value::String(text)) if text.starts_with("prt_") => slot("part"),
            ("text", Value::String(_)) if is_text => slot("reply"),
            ("reason", Value::String(text)) if text == "stop" || text == "tool-calls" => slot("reason"),
            ("callID", Value::String(text)) => numbered(text, "call_", "call"),
            ("command" | "title", Value::String(_)) if is_tool => slot("command"),
            ("output", Value::String(_)) if is_tool => slot("output"),
            ("exit", Value::Number(_)) if is_tool => slot("exit_code"),
            ("date", Value::String(_)) => slot("http_date"),
            _ => None,
        }
    })
}

fn of_type<'e>(events: &'e [Value], kind: &str) -> Option<&'e Value> {
    events.iter().find(|event| event["type"] == kind)
}

pub(super) fn talk(recordings: &Recordings, untold: &mut Vec<String>) -> Result<Value, RecordError> {
    let spoken = TEXTS.iter().find_map(|case| match recordings.events(case) {
        Ok(Some(events)) if of_type(&events, "text").is_some() => Some((*case, events)),
        _ => None,
    });
    let mut talk = json!({ "arguments": arguments(recordings, untold)? });
    untold.push("reads_stdin: whether standard input is read to its end; it is not".to_owned());
    let Some((case, text)) = spoken else {
        talk["turn"] = breaks(recordings, untold)?;
        return Ok(talk);
    };
    let first = TEXTS.iter().map(|case| recordings.stderr(case)).find(|lines| !lines.is_empty());
    if let Some(lines) = first {
        talk["first_turn"] = json!(lines);
    }
    let at = |kind: &str| {
        of_type(&text, kind).map(event).ok_or_else(|| {
            RecordError::new(format!("{case}.stdout.jsonl"), format!("an event of type {kind}"), "none")
        })
    };
    let tool = recordings.events("tool")?.unwrap_or_default();
    let tool_use = of_type(&tool, "tool_use").map(event).unwrap_or_else(|| {
        untold.push(
            "tool_use: no tool call was recorded; one that newer versions print stands there".to_owned(),
        );
        usual_tool_use()
    });
    let mut speech = json!({ "step_start": at("step_start")?, "tool_use": tool_use, "text": at("text")? });
    speech["step_finish"] = at("step_finish")?;
    speech["unknown_session"] = unknown_session(recordings, untold);
    speech["failures"] = failures(recordings, untold)?;
    talk["turn"] = json!({ "speaks": speech });
    Ok(talk)
}

/// The arguments by which the recorder called, as receivers do; or what the help says with which they were refused.
fn arguments(recordings: &Recordings, untold: &mut Vec<String>) -> Result<Value, RecordError> {
    let text = recordings.stdout("text").unwrap_or_default();
    if text.trim().is_empty() || text.trim_start().starts_with('{') {
        untold.push(
            "arguments: only those that receivers give; other options are refused as unknown".to_owned(),
        );
        return Ok(json!({ "options": [
            { "long": "session", "short": "s", "value": "string" },
            { "long": "format", "value": "string", "values": ["default", "json"] },
            { "long": "dangerously-skip-permissions" },
            { "long": "agent", "value": "string" },
            { "long": "model", "short": "m", "value": "string" },
        ] }));
    }
    if !text.contains("Options:") {
        let found: String = text.chars().take(60).collect();
        return Err(RecordError::new("text.stdout.jsonl", "events, or the help", format!("{found:?}")));
    }
    untold.push(
        "arguments: which options of the help the stand-in does not play; all but a few are marked so"
            .to_owned(),
    );
    let options: Vec<Value> = text.lines().filter_map(option).collect();
    Ok(json!({ "options": options, "help": text }))
}

/// The options that the stand-in plays, or that do nothing which a turn would show.
const PLAYED: [&str; 6] = ["session", "format", "agent", "model", "title", "dangerously-skip-permissions"];

/// A line of the help that names an option: `  -s, --session     session id to continue    [string]`.
fn option(line: &str) -> Option<Value> {
    let line = line.trim_start();
    let (short, rest) = match line.split_once(", --") {
        Some((short, rest)) => (short.strip_prefix('-').filter(|short| short.len() == 1), rest),
        None => (None, line.strip_prefix("--")?),
    };
    let long = rest.split_whitespace().next()?;
    if ["help", "version"].contains(&long) {
        return None;
    }
    let mut option = json!({ "long": long });
    if let Some(short) = short {
        option["short"] = json!(short);
    }
    // What is long is told on the next line, and a value either way.
    if !line.ends_with("[boolean]") {
        option["value"] = json!(if line.ends_with("[array]") { "array" } else { "string" });
    }
    if line.ends_with("[array]") {
        option["repeatable"] = json!(true);
    }
    if !PLAYED.contains(&long) {
        option["unplayed"] = json!(true);
    }
    Some(option)
}

/// A version of which no turn came to its first event.
fn breaks(recordings: &Recordings, untold: &mut Vec<String>) -> Result<Value, RecordError> {
    let failed = TEXTS.iter().find(|case| !recordings.stderr(case).is_empty());
    let Some(case) = failed else {
        let expected = "the events of a turn that answers, or what it said on standard error";
        return Err(RecordError::new("text.stdout.jsonl", expected, "neither"));
    };
    let steps: Vec<Value> =
        recordings.stderr(case).iter().map(|line| json!({ "stderr": log_file(line) })).collect();
    Ok(json!({ "breaks": { "exit": recordings.exit(case, 1, untold), "steps": steps } }))
}

/// A line that names a file of the log: the place and the time in it are the recorder's.
fn log_file(line: &str) -> String {
    let named = line.split_whitespace().find_map(|word| {
        let (home, name) = word.strip_suffix(".log")?.rsplit_once("/log/")?;
        Some((format!("{home}/log/{name}.log"), "{data_home}/log/{log_name}.log"))
    });
    named.map_or_else(|| line.to_owned(), |(named, slots)| line.replace(&named, slots))
}

fn unknown_session(recordings: &Recordings, untold: &mut Vec<String>) -> Value {
    let lines = recordings.stderr("badsession");
    if lines.is_empty() {
        untold.push(
            "unknown_session: no badsession says what becomes of one; it is refused without a word"
                .to_owned(),
        );
    }
    json!({ "stderr": lines, "exit": recordings.exit("badsession", 1, untold) })
}

fn failures(recordings: &Recordings, untold: &mut Vec<String>) -> Result<Value, RecordError> {
    let mut failures = json!({});
    for (name, cases) in
        [("unauthorized", &["err401", "err500"][..]), ("cut", &["cut"]), ("no_provider", &["noprovider"])]
    {
        let mut recorded = None;
        for case in cases {
            if let Some(events) = recordings.events(case)? {
                recorded = recorded.or(Some((*case, events)));
            }
        }
        failures[name] = match recorded {
            None => {
                untold.push(format!(
                    "failures: {} was not recorded; such a turn ends without a word",
                    cases[0]
                ));
                json!({ "fails": { "exit": 1, "steps": [] } })
            }
            Some((case, events)) if of_type(&events, "text").is_some() => {
                let finished = events.iter().filter(|event| event["type"] == "step_finish");
                let finish = of_type(&events, "step_finish").map(event).ok_or_else(|| {
                    let expected = "an event of type step_finish behind each text";
                    RecordError::new(format!("{case}.stdout.jsonl"), expected, "none")
                })?;
                let exit = recordings.exit(case, 0, untold);
                json!({ "asks_again": { "times": finished.count(), "step_finish": finish, "exit": exit } })
            }
            Some((case, events)) => {
                let steps: Vec<Value> = events.iter().map(|said| json!({ "stdout": event(said) })).collect();
                json!({ "fails": { "exit": recordings.exit(case, 1, untold), "steps": steps } })
            }
        };
    }
    Ok(failures)
}

fn usual_tool_use() -> Value {
    json!({
        "type": "tool_use", "timestamp": "{now_ms}", "sessionID": "{session}",
        "part": {
            "type": "tool", "tool": "bash", "callID": "call_{call}",
            "state": {
                "status": "completed", "input": { "command": "{command}" }, "output": "{output}",
                "metadata": { "output": "{output}", "exit": "{exit_code}", "truncated": false },
                "title": "{command}", "time": { "start": "{now_ms}", "end": "{now_ms}" },
            },
            "id": "{part}", "sessionID": "{session}", "messageID": "{message}",
        },
    })
}
