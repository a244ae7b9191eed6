//! The events of codex, in the newer stream (`thread.started`, `item.completed`) and in the older one (`{"id", "msg"}`).

use serde_json::{Value, json};

use crate::recorder::RecordError;
use crate::recorder::Recordings;
use crate::recorder::slots::{between, numbered, stamped, templated};

/// What the recordings say of the things that templates have slots for.
#[derive(Default)]
struct Known {
    model: Option<String>,
    sandbox: Option<String>,
    /// The shell, the switch, and the command itself.
    shell: Vec<String>,
    output: Option<String>,
}

/// The answer in an event that is one.
fn reply(event: &Value) -> Option<&str> {
    let item = event.get("item").filter(|item| item["type"] == "agent_message");
    let message = event.get("msg").filter(|msg| msg["type"] == "agent_message");
    item.and_then(|item| item.get("text")).or(message.and_then(|message| message.get("message")))?.as_str()
}

/// Whether an event is about a command.
fn is_of_command(event: &Value) -> bool {
    let kind = |value: &Value| value.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    kind(&event["item"]) == "command_execution" || kind(&event["msg"]).starts_with("exec_command")
}

impl Known {
    fn of(text: &[Value], tool: &[Value]) -> Self {
        let find = |events: &[Value], pointer: &str| {
            events.iter().find_map(|event| event.pointer(pointer)?.as_str().map(str::to_owned))
        };
        let named = text.iter().find_map(|event| {
            let message = event.pointer("/item/message")?.as_str()?;
            between(message, "metadata for `", "`").map(str::to_owned)
        });
        let argv = tool.iter().find_map(|event| event.pointer("/msg/command")?.as_array().cloned());
        let shell = match argv {
            Some(argv) => argv.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect(),
            None => find(tool, "/item/command").map(|line| words(&line)).unwrap_or_default(),
        };
        let outputs = ["/item/aggregated_output", "/msg/aggregated_output"];
        let output = tool.iter().rev().find_map(|event| {
            let outputs = outputs.iter().filter_map(|pointer| event.pointer(pointer)?.as_str());
            outputs.into_iter().find(|output| !output.is_empty()).map(str::to_owned)
        });
        Self { model: find(text, "/model").or(named), sandbox: find(text, "/sandbox"), shell, output }
    }

    fn event(&self, event: &Value) -> Value {
        let said = reply(event);
        templated(event, &|name, value| {
            let slot = |slot: &str| Some(Value::from(format!("{{{slot}}}")));
            let is = |known: &Option<String>| known.is_some() && value.as_str() == known.as_deref();
            match (name, value) {
                ("thread_id", Value::String(_)) => slot("thread"),
                ("id", Value::String(text)) => numbered(text, "item_", "item"),
                ("call_id", Value::String(text)) => numbered(text, "call_", "call"),
                ("workdir" | "cwd", Value::String(_)) => slot("workdir"),
                ("prompt", Value::String(_)) => slot("prompt"),
                ("sandbox", Value::String(_)) => slot("sandbox"),
                ("model", _) if is(&self.model) => slot("model"),
                ("text" | "message", Value::String(text)) if Some(text.as_str()) == said => slot("reply"),
                ("message", Value::String(text)) => {
                    let model = self.model.as_ref()?;
                    let quoted = format!("`{model}`");
                    text.contains(&quoted).then(|| Value::from(text.replace(&quoted, "`{model}`")))
                }
                ("command", Value::Array(_)) => slot("command_argv"),
                ("command", Value::String(_)) => slot("command_line"),
                ("cmd", Value::String(_)) => slot("command"),
                ("aggregated_output" | "stdout" | "formatted_output", _) if is(&self.output) => {
                    slot("output")
                }
                ("chunk", Value::String(_)) => slot("output_base64"),
                ("exit_code", Value::Number(_)) => slot("exit_code"),
                ("status", Value::String(text)) if text == "completed" => slot("status"),
                ("nanos", Value::Number(_)) => slot("nanos"),
                ("input_tokens", Value::Number(_)) => slot("input_tokens"),
                ("output_tokens", Value::Number(_)) => slot("output_tokens"),
                _ => None,
            }
        })
    }

    fn events<'e>(&self, events: impl IntoIterator<Item = &'e Value>) -> Vec<Value> {
        events.into_iter().map(|event| self.event(event)).collect()
    }
}

/// `bash -lc 'echo x'` as its words.
fn words(line: &str) -> Vec<String> {
    let mut words = line.splitn(3, ' ');
    let mut unquoted = || words.next().map(|word| word.trim_matches('\'').to_owned());
    std::iter::from_fn(&mut unquoted).collect()
}

/// What a line of standard error says of the version, when it says it in every turn.
fn temporary_home(line: &str) -> Option<String> {
    let (temporary, home) =
        (between(line, "temporary dir \"", "\"")?, between(line, "AbsolutePathBuf(\"", "\"")?);
    let line = line.replace(&format!("\"{home}\""), "\"{codex_home}\"");
    Some(line.replace(&format!("\"{temporary}\""), "\"{temp_dir}\""))
}

pub(super) fn talk(recordings: &Recordings, untold: &mut Vec<String>) -> Result<Value, RecordError> {
    let missing = || RecordError::new("text.stdout.jsonl", "the events of a turn that answers", "nothing");
    let text = recordings.events("text")?.ok_or_else(missing)?;
    let at = text.iter().position(|event| reply(event).is_some()).ok_or_else(|| {
        RecordError::new("text.stdout.jsonl", "an answer (an item or message agent_message)", "none")
    })?;
    let tool = recordings.events("tool")?.unwrap_or_default();
    let known = Known::of(&text, &tool);
    let opening = known.events(&text[..at]);
    let closing = known.events(&text[at + 1..]);
    let usage = |name: &str| {
        let count = text.iter().find_map(|event| event.pointer(&format!("/usage/{name}"))?.as_u64());
        count.unwrap_or_default()
    };
    let mut talk = json!({ "arguments": arguments(recordings) });
    untold.push("arguments: only those that receivers give; other options are refused as unknown".to_owned());
    talk["model"] = json!(known.model.clone().unwrap_or_else(|| {
        untold.push("model: no event names it; \"unknown\" stands there".to_owned());
        "unknown".to_owned()
    }));
    talk["sandbox"] = json!("read-only");
    untold.push("sandbox: what is used without --sandbox; read-only stands there".to_owned());
    if let Some(sandbox) = &known.sandbox {
        talk["sandbox_shown"] = json!({ "workspace-write": sandbox });
    }
    let usual = |line: &str| temporary_home(line).is_some() || line.contains("stdin");
    let stderr = recordings.stderr("text");
    for line in &stderr {
        if let Some(home) = temporary_home(line) {
            talk["temporary_home"] = json!(home);
        } else if line.contains("stdin") {
            let resumed = recordings.stderr("resume").contains(line);
            let turns: &[&str] = if resumed { &["first", "resumed"] } else { &["first"] };
            talk["stdin"] = json!({ "notice": line, "turns": turns });
        } else if !line.trim().is_empty() {
            untold.push(format!("a profile has no place for this line on standard error of a turn: {line}"));
        }
    }
    if known.shell.len() < 2 {
        untold.push("shell: no command was recorded; bash -lc stands there".to_owned());
    }
    talk["shell"] = known.shell.get(..2).map_or(json!(["bash", "-lc"]), |shell| json!(shell));
    talk["tokens_per_call"] = json!({ "input": usage("input_tokens"), "output": usage("output_tokens") });
    talk["opening"] = json!(opening);
    talk["command"] = command(&known, &tool, opening.len(), untold);
    talk["reply"] = json!([known.event(&text[at])]);
    talk["closing"] = json!(closing);
    talk["unknown_thread"] = unknown_thread(recordings, &usual, untold)?;
    let mut failures = json!({});
    for (name, case) in [("unauthorized", "err401"), ("cut", "cut"), ("no_provider", "noprovider")] {
        failures[name] = failure(recordings, &known, &opening, case, &usual, untold)?;
    }
    talk["failures"] = failures;
    Ok(talk)
}

/// The arguments by which the recorder called, as receivers do; whether `resume` knows `--json`, its refusal says.
fn arguments(recordings: &Recordings) -> Value {
    let switch = |name: &str| json!({ "long": name });
    let model = json!({ "long": "model", "short": "m", "value": "MODEL" });
    let sandbox = json!({ "long": "sandbox", "short": "s", "value": "SANDBOX_MODE" });
    let refuses_json = ["resume", "badthread"]
        .iter()
        .any(|case| recordings.stderr(case).iter().any(|line| line.contains("unexpected argument '--json'")));
    let resume = match refuses_json {
        true => json!([]),
        false => json!([switch("json"), switch("skip-git-repo-check"), model]),
    };
    json!({
        "exec": {
            "command": "codex exec",
            "usage": "[OPTIONS] [PROMPT]",
            "positionals": ["PROMPT"],
            "options": [sandbox, switch("json"), switch("skip-git-repo-check"), model],
        },
        "resume": {
            "command": "codex exec resume",
            "usage": "[OPTIONS] [SESSION_ID] [PROMPT]",
            "positionals": ["SESSION_ID", "PROMPT"],
            "options": resume,
        },
    })
}

fn command(known: &Known, tool: &[Value], opening: usize, untold: &mut Vec<String>) -> Value {
    let of_command = tool.iter().skip(opening).take_while(|event| reply(event).is_none());
    let of_command: Vec<&Value> = of_command.collect();
    if !of_command.iter().any(|event| is_of_command(event)) {
        untold
            .push("command: no tool call was recorded; a turn that runs one prints nothing of it".to_owned());
        return json!({ "started": [], "completed": [] });
    }
    let is_output = |event: &&Value| {
        event.pointer("/msg/type").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("output_delta"))
    };
    let (started, rest) = of_command.split_at(1);
    let (output, completed): (Vec<&Value>, Vec<&Value>) = rest.iter().copied().partition(is_output);
    let mut command = json!({ "started": known.events(started.iter().copied()) });
    if !output.is_empty() {
        command["output"] = json!(known.events(output));
    }
    command["completed"] = json!(known.events(completed));
    command
}

fn unknown_thread(
    recordings: &Recordings,
    usual: &dyn Fn(&str) -> bool,
    untold: &mut Vec<String>,
) -> Result<Value, RecordError> {
    if recordings.events("badthread")?.is_some_and(|events| events.iter().any(|event| reply(event).is_some()))
    {
        return Ok(json!("start_new"));
    }
    let lines = recordings.stderr("badthread");
    let id = lines.iter().find_map(|line| line.split_once("thread id ")?.1.split(' ').next());
    let Some(id) = id else {
        untold
            .push("unknown_thread: no badthread says what becomes of one; a new thread is begun".to_owned());
        return Ok(json!("start_new"));
    };
    let lines: Vec<String> =
        lines.iter().filter(|line| !usual(line)).map(|line| line.replace(id, "{thread}")).collect();
    Ok(json!({ "refuse": { "stderr": lines, "exit": recordings.exit("badthread", 1, untold) } }))
}

fn failure(
    recordings: &Recordings,
    known: &Known,
    opening: &[Value],
    case: &str,
    usual: &dyn Fn(&str) -> bool,
    untold: &mut Vec<String>,
) -> Result<Value, RecordError> {
    let Some(events) = recordings.events(case)? else {
        untold.push(format!("failures: {case} was not recorded; such a turn ends without a word"));
        return Ok(json!({ "fails": { "steps": [], "exit": 1 } }));
    };
    if events.iter().any(|event| reply(event).is_some()) {
        return Ok(json!("unnoticed"));
    }
    let Some(rest) = events.get(opening.len()..) else {
        let expected = format!("at least the {} events with which every turn begins", opening.len());
        return Err(RecordError::new(
            format!("{case}.stdout.jsonl"),
            expected,
            format!("{} events", events.len()),
        ));
    };
    let lines = recordings.stderr(case);
    let mut steps: Vec<Value> =
        lines.iter().filter(|line| !usual(line)).map(|line| json!({ "stderr": stamped(line) })).collect();
    let same = rest.iter().rev().take_while(|event| Some(*event) == rest.last()).count();
    let (once, again) = if same > 2 { rest.split_at(rest.len() - same) } else { (rest, &rest[..0]) };
    steps.extend(known.events(once).into_iter().map(|event| json!({ "stdout": event })));
    if let Some(event) = again.first() {
        untold.push(format!("failures: how long {case} waits between two of its lines; 5s stands there"));
        steps.push(json!({ "repeat": { "every": "5s", "stdout": known.event(event) } }));
    }
    Ok(json!({ "fails": { "exit": recordings.exit(case, 1, untold), "steps": steps } }))
}
