//! The recorder's fake CLI, as far as its doings can be read from the recordings: it obeys `FAKE:` words in the prompt.

use std::collections::BTreeMap;
use std::time::Duration;

use gauntlet_world::Host;
use serde_json::json;

/// What of a prompt is the dispatch: the role stands before it, where it is a part of the prompt.
fn task<'p>(host: &Host, prompt: &'p str) -> &'p str {
    match host.name() {
        "claude" => prompt,
        _ => prompt.rsplit("\n\n").next().unwrap_or_default(),
    }
}

/// The prompt and the session that is gone on with.
fn asked(host: &Host) -> (String, Option<String>) {
    let args: Vec<&str> = host.args().iter().map(String::as_str).collect();
    let (prompt, session) = match (host.name(), args.as_slice()) {
        ("claude", ["-p", prompt, .., "--resume", session]) => (*prompt, Some(*session)),
        ("claude", ["-p", prompt, ..]) => (*prompt, None),
        ("opencode", ["run", "--session", session, prompt, ..]) => (*prompt, Some(*session)),
        ("opencode", ["run", prompt, ..]) => (*prompt, None),
        ("codex", ["exec", "resume", session, prompt, ..]) => (*prompt, Some(*session)),
        ("codex", ["exec", prompt, ..]) => (*prompt, None),
        ("agy", ["--conversation", session, "--print", prompt, ..]) => (*prompt, Some(*session)),
        ("agy", ["--print", prompt, ..]) => (*prompt, None),
        (cli, args) => unreachable!("{cli} is not called so: {args:?}"),
    };
    (prompt.to_owned(), session.map(str::to_owned))
}

/// The value of a `FAKE:` word.
fn word(text: &str, name: &str) -> Option<String> {
    let value =
        text.split(' ').find_map(|word| word.strip_prefix("FAKE:")?.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.replace("%20", " "))
}

/// The words of one turn, before it is known which turn of its session it is.
fn reply(text: &str) -> Option<String> {
    let big = word(text, "big").map(|size| "x".repeat(size.parse().expect("a size")));
    word(text, "reply").or(big)
}

pub(super) async fn run(host: Host) -> i32 {
    if let [only] = host.args()
        && (only == "--version" || only == "--help")
    {
        return 0;
    }
    let (prompt, session) = asked(&host);
    let text = task(&host, &prompt);
    let mut random = [0; 16];
    host.entropy().fill(&mut random);
    let fresh = uuid::Builder::from_random_bytes(random).into_uuid().to_string();
    let id = match (host.name(), session) {
        (_, Some(session)) => session,
        ("opencode", None) => format!("ses_{}", &fresh.replace('-', "")[..26]),
        _ => fresh,
    };
    // What was said so far, one line a turn.
    let path = host.home().join(format!("said-{id}"));
    let said = host.disk().read_if_present(&path).await.expect("the disk is sound").unwrap_or_default();
    let turn = said.iter().filter(|byte| **byte == b'\n').count() + 1;
    let named =
        || format!("fake-{} turn {turn}: {}", host.name(), text.chars().take(200).collect::<String>());
    let reply = reply(text).unwrap_or_else(named);
    let said = [said, format!("{reply}\n").into_bytes()].concat();
    host.disk().write(&path, &said).await.expect("the disk is sound");
    if let Some(seconds) = word(text, "sleep") {
        host.clock().sleep(Duration::from_secs(seconds.parse().expect("seconds"))).await;
    }
    let lines = match host.name() {
        "claude" => {
            vec![json!({ "type": "result", "subtype": "success", "is_error": false, "result": reply })]
        }
        "opencode" => vec![
            json!({ "type": "step_start", "sessionID": id }),
            json!({ "type": "text", "part": { "type": "text", "text": reply } }),
        ],
        "codex" => vec![
            json!({ "type": "thread.started", "thread_id": id }),
            json!({ "type": "item.completed", "item": { "type": "agent_message", "text": reply } }),
        ],
        _ => Vec::new(),
    };
    if lines.is_empty() {
        remember_conversation(&host, &id).await;
        let _ = host.processes().print(&said).await;
    }
    for line in lines {
        let _ = host.processes().print(format!("{line}\n").as_bytes()).await;
    }
    0
}

/// Where agy notes which conversation a working directory has.
async fn remember_conversation(host: &Host, id: &str) {
    let folder = host.home().join(".gemini/antigravity-cli/cache");
    host.disk().make_dir(&folder).await.expect("the disk is sound");
    let cwd = host.cwd().to_string_lossy().trim_start_matches('/').to_owned();
    let map = BTreeMap::from([(cwd.clone(), id), (format!("/{cwd}"), id)]);
    let content = serde_json::to_vec(&map).expect("a map of texts is JSON");
    host.disk().write(folder.join("last_conversations.json"), &content).await.expect("the disk is sound");
}
