//! Any bytes give a value or a typed error: no parser panics, and every error says what was expected.

use gauntlet_protocol::agy;
use gauntlet_protocol::claude_code;
use gauntlet_protocol::codex::MODE as CODEX;
use gauntlet_protocol::codex::{Event, TurnOutput};
use gauntlet_protocol::fleet::config::FleetConfig;
use gauntlet_protocol::fleet::config::edit::{DeployedPeer, EditError, Edited, upsert};
use gauntlet_protocol::fleet::extension::Kept;
use gauntlet_protocol::fleet::extension::task::{Report, Task};
use gauntlet_protocol::fleet::replay;
use gauntlet_protocol::fleet::{
    AgentMessage, Callback, ContextId, Direction, Dispatch, Health, InboxRecord, Lines, MODES, SessionMap,
    Sessions, TranscriptRecord, method_not_found, parse_offset, prompt_cut,
};
use gauntlet_protocol::json;
use gauntlet_protocol::jsonrpc::{Request, RequestError, Response};
use gauntlet_protocol::opencode;
use gauntlet_protocol::opencode_serve::{self, Frame, Refusal, SseReader};
use gauntlet_protocol::{ParseError, bearer_token};
use proptest::prelude::*;
use serde_json::{Value, json};

/// An error is one printable line that names the data, the place, what was expected and what came.
fn check(error: &ParseError) {
    let shown = error.to_string();
    assert!(!error.what.is_empty() && !error.at.is_empty() && !error.expected.is_empty(), "{error:?}");
    assert!(shown.starts_with(error.what), "{shown}");
    assert!(shown.contains(&format!("expected {}", error.expected)), "{shown}");
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
    assert!(!error.found.is_empty() && error.found.chars().count() <= 80, "{error:?}");
}

/// Gives the bytes to every parser of this crate.
fn parse_everything(bytes: &[u8]) {
    let errors = [
        json::parse("anything", bytes).err(),
        Response::parse(bytes).err(),
        Callback::parse(bytes).err(),
        Health::parse(bytes).err(),
        TranscriptRecord::parse_line(bytes).err(),
        InboxRecord::parse_line(bytes).err(),
        Event::parse_line(bytes).err(),
        opencode::Event::parse_line(bytes).err(),
        claude_code::Frame::parse_line(bytes).err(),
        opencode_serve::Session::parse(bytes).err(),
        opencode_serve::Session::parse_list(bytes).err(),
        opencode_serve::Message::parse_history(bytes).err(),
        opencode_serve::statuses(bytes).err(),
        opencode_serve::Event::parse(&String::from_utf8_lossy(bytes)).err(),
    ];
    errors.iter().flatten().for_each(check);
    match Request::parse(bytes) {
        Ok(request) => {
            method_not_found(&request.method);
            read_value(&request.params);
        }
        Err(RequestError::NotJson(error) | RequestError::NotAnObject(error)) => check(&error),
    }
    if let Ok(value) = json::parse("anything", bytes) {
        read_value(&value);
    }
    for mode in MODES {
        if let Sessions::Map { key, .. } = mode.sessions {
            SessionMap::parse(key, bytes);
        }
    }
    assert!(!Refusal::read(bytes).name.is_empty() || bytes.starts_with(b"{"));
    SseReader::new(64).push(bytes);
    parse_offset(bytes);
    if let Some(token) = bearer_token(bytes) {
        assert!(!token.is_empty() && bytes.len() >= 7 + token.len());
    }
    let output = TurnOutput::read(bytes);
    assert!(output.reply.as_deref() != Some("") && output.thread_id.as_deref() != Some(""));
    let output = opencode::TurnOutput::read(bytes);
    let is_trimmed =
        |text: &Option<String>| text.as_ref().is_none_or(|text| !text.is_empty() && text.trim() == text);
    assert!(is_trimmed(&output.reply) && is_trimmed(&output.session));
    opencode::says_session_not_found(&String::from_utf8_lossy(bytes));
    let output = claude_code::TurnOutput::read(bytes);
    assert!(is_trimmed(&output.reply) && is_trimmed(&output.session) && is_trimmed(&output.failure));
    assert!(output.reply.is_none() || output.failure.is_none(), "{output:?}");
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(claude_code::session_id(&text).len(), 36);
    claude_code::says_session_not_found(&text);
    claude_code::says_session_in_use(&text);
    let (first, again) =
        (replay::TurnOutput::first(bytes), replay::TurnOutput::later(&agy::REPLAYS, bytes, &text));
    assert!(is_trimmed(&first.reply) && is_trimmed(&again.reply));
    assert!(first.not_found.is_none() && first.text.ends_with(&again.text));
    assert_eq!(again.not_found.is_some(), agy::REPLAYS.conversation_not_found(&first.text).is_some());
    replay::LastConversations::parse(bytes).of(&text);
    agy::REPLAYS.says_signed_out(&text);
    let lines = Lines::new(bytes);
    let torn = lines.torn().to_vec();
    let mut joined: Vec<u8> = lines.flat_map(|(_, line)| [line, b"\n"].concat()).collect();
    joined.extend(torn);
    assert_eq!(joined, bytes, "lines and tail are the whole buffer");
    let text = String::from_utf8_lossy(bytes);
    assert!(text.starts_with(prompt_cut(&text).0));
    match FleetConfig::parse("fleet.yaml", &text) {
        Ok(_) => drop(edit(&text)),
        Err(error) => {
            let shown = error.to_string();
            assert!(shown.contains("fleet.yaml") || shown.starts_with("response_handler"), "{shown}");
        }
    }
}

/// A deploy's edit of a file that keeps the rules. What it gives keeps them, too, and names the peer.
fn edit(text: &str) -> Result<Edited, EditError> {
    let kind = &CODEX.managed;
    let peer = DeployedPeer { kind, repo: "/srv/demo".to_owned(), port: 9320, with_token: true, name: None };
    let edited = upsert("fleet.yaml", text, &peer);
    if let Ok(edited) = &edited {
        let config = FleetConfig::parse("fleet.yaml", &edited.text);
        assert!(config.is_ok_and(|config| config.agents.contains_key(&edited.name)), "{}", edited.text);
    }
    edited
}

fn read_value(value: &Value) {
    let _ = (Task::in_message(value, ""), Report::in_message(value), Kept::from_value(value));
    if let Err(error) = Dispatch::from_params(value) {
        assert_eq!(error.code, -32602);
        assert!(error.message.contains("must be"), "{}", error.message);
    }
    if let Err(error) = AgentMessage::from_result(value) {
        assert!(!error.to_string().is_empty());
    }
    json::spaced_sorted_indented(value);
    let line = json::spaced(value);
    assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{line:?}");
}

/// JSON that looks like the messages here: the right names, any kind of value under them.
fn near_message() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word(), inner), 0..7)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "jsonrpc",
        "id",
        "method",
        "params",
        "message",
        "role",
        "parts",
        "text",
        "contextId",
        "result",
        "error",
        "code",
        "kind",
        "type",
        "item",
        "thread_id",
        "usage",
        "msg",
        "prompt",
        "model",
        "workdir",
        "command",
        "ts",
        "dir",
        "from",
        "to",
        "ok",
        "name",
        "SendMessage",
        "thread.started",
        "item.completed",
        "agent_message",
        "command_execution",
        "turn.failed",
        "turn.completed",
        "exec_command_begin",
        "session_id",
        "content",
        "subtype",
        "is_error",
        "system",
        "assistant",
        "success",
        "sessionID",
        "part",
        "state",
        "tool",
        "reason",
        "tokens",
        "step_start",
        "text",
        "tool_use",
        "step_finish",
        "error",
    ])
    .prop_map(str::to_owned)
}

/// One valid line of every format.
fn valid_lines() -> Vec<String> {
    let context = ContextId::new("c-ü-🦀").expect("not empty");
    let callback =
        Callback { id: CODEX.callback_id(7), context: context.clone(), text: "done\n\"ü\"".to_owned() };
    let dispatch = Dispatch { text: "add one() 🦀".to_owned(), context: Some(context) };
    let request = Request { id: json!(1), method: json!("SendMessage"), params: dispatch.to_params("user") };
    let ack = AgentMessage { text: CODEX.ack_text(), context: Some("c1".to_owned()) };
    let inbox = InboxRecord {
        ts: "t".to_owned(),
        from: "hermes".to_owned(),
        context: None,
        text: "é".to_owned(),
        cut: false,
        task: None,
    };
    vec![
        // Raw UTF-8, so that a cut can fall inside a character.
        callback.to_value().to_string(),
        request.to_value().to_string(),
        json::spaced(&Response { id: json!("x"), outcome: Ok(ack.result()) }.to_value()),
        Health { ok: true, name: "codex".to_owned(), repo_path: Some("r".to_owned()) }.to_value().to_string(),
        inbox.to_line(),
        TranscriptRecord::new(&CODEX, Direction::Final, "t", "c", "🦀").to_line(),
        r#"{"type":"item.completed","item":{"id":"i","type":"agent_message","text":"ü"}}"#.to_owned(),
        r#"{"id":"0","msg":{"type":"exec_command_begin","command":["bash","-lc","ls"]}}"#.to_owned(),
        r#"{"type":"text","timestamp":1,"sessionID":"ses_1","part":{"type":"text","text":"ü","sessionID":"ses_1"}}"#.to_owned(),
        r#"{"type":"tool_use","sessionID":"ses_1","part":{"tool":"bash","state":{"status":"completed","output":"é"}}}"#.to_owned(),
        r#"{"type":"assistant","message":{"content":[{"type":"text","text":"ü"}]},"session_id":"s"}"#.to_owned(),
        r#"{"type":"result","subtype":"success","is_error":false,"result":"é","session_id":"s"}"#.to_owned(),
        "{\"fleet\": {\"server\": {\"bind_port\": 9219}, \"agents\": {\"a\": {\"url\": \"http://h\"}}}}".to_owned(),
        r#"{"id":"evt_1","type":"session.error","properties":{"sessionID":"ses_1","error":{"name":"APIError","data":{"message":"ü","statusCode":500}}}}"#.to_owned(),
        r#"{"id":"evt_1","type":"message.updated","properties":{"info":{"id":"msg_1","role":"user","sessionID":"ses_1","time":{"completed":1}}}}"#.to_owned(),
        r#"[{"info":{"id":"msg_1","role":"user","time":{"created":1}},"parts":[{"type":"text","text":"ü"}]}]"#.to_owned(),
        r#"[{"id":"ses_1","title":"é","time":{"created":1}}]"#.to_owned(),
        r#"{"ses_1":{"type":"retry","attempt":1,"message":"ü","next":1}}"#.to_owned(),
        "data: {\"a\":1}\r\n: beat\r\ndata: ü\r\n\r\n".to_owned(),
        "fleet: {server: {bind_port: 1}, agents: {a: {url: 'http://h', description: &d !!str \"x [y], z\"}, codex: {url: *d}}}".to_owned(),
        "{\n  \"c\": {\n    \"thread_id\": \"t\",\n    \"updated_at\": 1\n  }\n}\n".to_owned(),
    ]
}

#[test]
fn a_valid_line_cut_anywhere_or_with_any_byte_changed_never_panics() {
    for line in valid_lines() {
        let bytes = line.as_bytes();
        for end in 0..=bytes.len() {
            parse_everything(&bytes[..end]);
            parse_everything(&bytes[end..]);
        }
        for at in 0..bytes.len() {
            for replacement in [0, b'"', b'{', b']', b'\\', b'\n', b'9', 0xff] {
                let mut changed = bytes.to_vec();
                changed[at] = replacement;
                parse_everything(&changed);
            }
        }
    }
}

#[test]
fn a_cut_line_is_never_taken_for_a_whole_record() {
    for line in valid_lines() {
        let whole = line.trim_end();
        for end in 0..whole.len() {
            assert!(json::parse("line", &whole.as_bytes()[..end]).is_err(), "{line} cut at {end}");
        }
    }
}

/// A value in flow style as people may write it: with an anchor, a tag, quotes, and signs of YAML in them.
fn flow_value() -> impl Strategy<Value = String> {
    let property = prop::sample::select(vec!["", "&d ", "!!str ", "&d !!str ", "!!str &d\n ", "! "]);
    let words = "[a-z\\[\\]{},:&!# ]{0,10}";
    let leaf = prop_oneof![
        words.prop_map(|words| format!("\"{words}\"")),
        words.prop_map(|words| format!("'{words}'")),
        "[a-z]{1,6}",
    ];
    (property, leaf, any::<bool>()).prop_map(|(property, leaf, listed)| match listed {
        true => format!("[{property}{leaf}, 1]"),
        false => format!("{property}{leaf}"),
    })
}

/// What opencode colours with.
fn escape() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "\u{1b}[0m", "\u{1b}[91m", "\u{1b}[1m", "\u{1b}[38;5;9m"])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_colouring_hides_that_a_session_was_not_found(
        before in "[a-zA-Z ]{0,10}", escapes in prop::collection::vec(escape(), 24), after in "[a-z\n ]{0,10}",
    ) {
        let coloured = |sign: &str| -> String {
            let letters = sign.chars().zip(&escapes).map(|(letter, escape)| format!("{escape}{letter}"));
            format!("{before}{}{after}", letters.collect::<String>())
        };
        let (dead, alive) = (coloured("Error: Session not found"), coloured("Error: Session now found"));
        prop_assert!(opencode::says_session_not_found(&dead), "{:?}", dead);
        prop_assert!(!opencode::says_session_not_found(&alive), "{:?}", alive);
    }

    #[test]
    fn the_last_result_of_a_turn_counts_whatever_stands_around_it(
        results in prop::collection::vec(("\\PC{0,12}", any::<bool>()), 0..5), said in "\\PC{0,12}", noise in "[a-z]{0,10}",
    ) {
        let mut lines = format!("{}\n", json!({"type": "assistant", "message": {"content": [{"type": "text", "text": said}]}}));
        for (result, is_error) in &results {
            let frame = json!({"type": "result", "is_error": is_error, "subtype": "success", "result": result});
            lines.push_str(&format!("{frame}\n{noise}\n"));
        }
        let output = claude_code::TurnOutput::read(lines.as_bytes());
        let words = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        match results.last() {
            Some((result, true)) => {
                prop_assert_eq!(output.reply, None);
                prop_assert_eq!(output.failure, words(result).or(words("success")));
            }
            Some((result, false)) => prop_assert_eq!(output.reply, words(result).or(words(&said))),
            None => prop_assert_eq!(output.reply, words(&said)),
        }
    }

    #[test]
    fn what_a_conversation_says_next_is_all_that_is_new(
        before in "(\\PC{0,12}\n){0,4}", ends in 0usize..3, next in "\\PC{0,20}", more in "(\n\\PC{1,8}){0,2}",
    ) {
        let said = format!("{next}{more}");
        prop_assume!(agy::REPLAYS.conversation_not_found(&format!("{before}{said}")).is_none());
        let output = replay::TurnOutput::later(&agy::REPLAYS, format!("{before}{said}\n").as_bytes(), &before);
        let words = Some(said.trim().to_owned()).filter(|words| !words.is_empty());
        prop_assert_eq!((&output.reply, output.replay), (&words, replay::Replay::Exact));
        // Line ends that got lost on the way do not hide it.
        let longer = format!("{before}{}", "\n".repeat(ends));
        let output = replay::TurnOutput::later(&agy::REPLAYS, format!("{before}{said}\n").as_bytes(), &longer);
        prop_assert_eq!(output.reply, words);
        prop_assert!(output.replay != replay::Replay::Drifted);
    }

    #[test]
    fn a_conversation_that_is_gone_is_seen_whatever_it_is_called(
        id in "[a-zA-Z0-9-]{0,40}", lines in "[ \n]{0,4}", end in "(\r\n|\n)", said in "\\PC{0,20}", before in "\\PC{0,20}",
    ) {
        let stdout = format!("{lines}Warning: Conversation \"{id}\" not found.{end}{said}");
        let output = replay::TurnOutput::later(&agy::REPLAYS, stdout.as_bytes(), &before);
        prop_assert_eq!((output.not_found, output.text, output.replay), (Some(id), said, replay::Replay::Nothing));
    }

    #[test]
    fn two_contexts_never_share_a_session(one in "\\PC{1,20}", other in "\\PC{1,20}") {
        let same = claude_code::session_id(&one) == claude_code::session_id(&other);
        prop_assert_eq!(same, one == other);
    }

    #[test]
    fn the_texts_of_a_turn_are_its_reply_however_they_are_split_and_whatever_stands_between(
        texts in prop::collection::vec("\\PC{0,12}", 0..6), noise in "[a-z]{0,10}",
    ) {
        let lines = texts.iter().map(|text| {
            format!("{noise}\n{}\n", json!({"type": "text", "sessionID": "s", "part": {"text": text}}))
        });
        let output = opencode::TurnOutput::read(lines.collect::<String>().as_bytes());
        let whole = texts.concat().trim().to_owned();
        prop_assert_eq!(output.reply, (!whole.is_empty()).then_some(whole));
        prop_assert_eq!(output.session.is_some(), !texts.is_empty());
    }

    #[test]
    fn a_peer_in_flow_style_is_edited_whatever_its_values_look_like(
        first in flow_value(), second in flow_value(), key in prop::sample::select(vec!["", "&k ", "!!str "]), is_ours in any::<bool>(),
    ) {
        let name = if is_ours { "codex" } else { "other" };
        let text = format!(
            "fleet:\n  server: {{bind_port: 1}}\n  agents:\n    {name}: {{url: 'http://127.0.0.1:9320', first: {first}, {key}second: {second}}}\n",
        );
        prop_assume!(FleetConfig::parse("fleet.yaml", &text).is_ok());
        let edited = edit(&text);
        prop_assert!(edited.is_ok(), "{:?}\n{}", edited, text);
    }

    #[test]
    fn an_event_stream_reads_the_same_however_it_is_cut(
        lines in prop::collection::vec("(data|event|id|retry|:|)(: ?|)[a-zü\\u{feff}]{0,12}(\n|\r|\r\n)(\n|\r\n|)", 0..20),
        cuts in prop::collection::vec(0usize..400, 0..30),
        cap in 1usize..80,
    ) {
        let stream = lines.concat();
        let bytes = stream.as_bytes();
        let whole = SseReader::new(cap).push(bytes);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).chain([0, bytes.len()]).collect();
        cuts.sort_unstable();
        let mut reader = SseReader::new(cap);
        let in_pieces: Vec<Frame> = cuts.windows(2).flat_map(|cut| reader.push(&bytes[cut[0]..cut[1]])).collect();
        prop_assert_eq!(&in_pieces, &whole);
        let mut reader = SseReader::new(cap);
        let byte_by_byte: Vec<Frame> = bytes.iter().flat_map(|byte| reader.push(&[*byte])).collect();
        prop_assert_eq!(&byte_by_byte, &whole);
        for frame in whole {
            if let Frame::Event { data, name } = frame {
                prop_assert!(data.len() + name.map_or(0, |name| name.len()) <= cap);
            }
        }
    }

    #[test]
    fn any_data_that_is_written_as_an_event_is_read_as_it_was(texts in prop::collection::vec("[^\r]{0,40}", 0..8)) {
        let frame = |text: &String| {
            let lines: String = text.split('\n').map(|line| format!("data: {line}\n")).collect();
            format!("{lines}\n")
        };
        let stream: String = texts.iter().map(frame).collect();
        let read = SseReader::default().push(stream.as_bytes());
        let expected: Vec<Frame> = texts.iter().map(|text| Frame::Event { name: None, data: text.clone() }).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn any_bytes_give_a_value_or_a_typed_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        parse_everything(&bytes);
    }

    #[test]
    fn any_text_gives_a_value_or_a_typed_error(text in "\\PC{0,200}") {
        parse_everything(text.as_bytes());
    }

    #[test]
    fn any_json_with_our_names_gives_a_value_or_a_typed_error(value in near_message()) {
        parse_everything(value.to_string().as_bytes());
        parse_everything(json::spaced(&value).as_bytes());
        read_value(&value);
    }
}
