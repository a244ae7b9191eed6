//! What a driver is told and what it answers: one JSON object a line, in order, four verbs. `docs/runtime-toml.md` is the contract.
//!
//! Reading is total: whatever a driver prints becomes an answer, or a sentence that says what was expected and what came.

use gauntlet_world::http::Url;
use serde::Serialize;
use serde_json::Value;

/// A longer line is no answer.
pub(crate) const MAX_LINE: usize = 1024 * 1024;
/// More of an unexpected line is not repeated.
const SHOWN: usize = 200;

/// A peer that a runtime can dispatch to.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PeerTold {
    /// Its name in orders.
    pub(crate) name: String,
    /// Where it listens, without a path.
    pub(crate) url: String,
    /// The variable of the driver's environment that holds its bearer; nothing when it wants none.
    pub(crate) token_env: Option<String>,
}

/// Where a runtime is to listen for callbacks.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CallbackTold {
    /// The address.
    pub(crate) host: String,
    /// The port; 0 is any.
    pub(crate) port: u16,
    /// The variable of the driver's environment that holds the bearer of callbacks.
    pub(crate) token_env: String,
}

/// An order.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub(crate) enum Order {
    /// Begin, and listen for callbacks.
    Start {
        /// The folder in which it may keep files.
        workdir: String,
        /// Whom it can dispatch to.
        peers: Vec<PeerTold>,
        /// Where callbacks are to come.
        callback: CallbackTold,
    },
    /// Send a task to a peer, once.
    Dispatch {
        /// The name by which it is awaited.
        id: String,
        /// The peer.
        peer: String,
        /// The task.
        text: String,
        /// The conversation that it belongs to; left to the peer when absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        context: Option<String>,
        /// It may take so long.
        within_ms: u64,
    },
    /// Give the next reply to a dispatch that was not given out.
    Await {
        /// The dispatch.
        id: String,
        /// Its context.
        context: String,
        /// Wait so long for one.
        within_ms: u64,
    },
    /// End.
    Stop,
}

impl Order {
    /// The line for it, which its answer names by this number.
    pub(crate) fn line(&self, seq: u64) -> Vec<u8> {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Value::Object(members) = &mut value {
            members.insert("seq".to_owned(), seq.into());
        }
        let mut line = value.to_string().into_bytes();
        line.push(b'\n');
        line
    }
}

/// What came of a dispatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dispatched {
    /// It was acknowledged.
    Accepted { context: Option<String>, text: Option<String> },
    /// The answer was the reply itself, and nothing comes later.
    Replied { context: Option<String>, text: Option<String> },
    /// The peer said no: no work began.
    Refused { error: String },
    /// Nothing left: no work began.
    NotSent { error: String },
    /// It may have been accepted.
    Unknown { error: String },
}

/// A reply that a runtime gives out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The context that it came on, if the runtime says so.
    pub(crate) context: Option<String>,
    /// Its text.
    pub(crate) text: String,
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text,
    }
}

/// A line as the answer to this order.
pub(crate) fn answer(line: &[u8], seq: u64) -> Result<Value, String> {
    let value: Value = serde_json::from_slice(line).map_err(|error| {
        let text = Value::String(String::from_utf8_lossy(line).into_owned());
        format!("expected a JSON object as the answer to order {seq}; found {} ({error})", shown(&text))
    })?;
    if !value.is_object() {
        return Err(format!("expected a JSON object as the answer to order {seq}; found {}", shown(&value)));
    }
    match value.get("seq") {
        Some(named) if named.as_u64() == Some(seq) => Ok(value),
        named => {
            let named = named.map_or("none".to_owned(), shown);
            Err(format!("expected the answer to name its order: \"seq\": {seq}; found {named}"))
        }
    }
}

fn text(answer: &Value, member: &str) -> Result<Option<String>, String> {
    match answer.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(format!("expected a text as {member:?}; found {}", shown(other))),
    }
}

fn outcome<'a>(answer: &'a Value, known: &[&str]) -> Result<&'a str, String> {
    let said = answer.get("outcome");
    let named = said.and_then(Value::as_str).filter(|said| known.contains(said));
    named.ok_or_else(|| {
        let found = said.map_or("none".to_owned(), shown);
        format!("expected an \"outcome\" ({}); found {found}", known.join(", "))
    })
}

/// Where a runtime listens for callbacks, by its answer to `start`.
pub(crate) fn started(answer: &Value) -> Result<String, String> {
    if let Some(error) = text(answer, "error")? {
        return Err(format!("it could not start: {error}"));
    }
    let url =
        text(answer, "callback_url")?.ok_or_else(|| "expected a \"callback_url\"; found none".to_owned())?;
    let is_here = ["http://127.0.0.1:", "http://localhost:"].iter().any(|here| url.starts_with(here));
    if !is_here || url.parse::<Url>().is_err() {
        return Err(format!(
            "expected a URL on 127.0.0.1 as \"callback_url\"; found {}",
            shown(&Value::String(url))
        ));
    }
    Ok(url)
}

/// What came of a dispatch, by the answer to it.
pub(crate) fn dispatched(answer: &Value) -> Result<Dispatched, String> {
    let known = ["accepted", "replied", "refused", "not_sent", "unknown"];
    let outcome = outcome(answer, &known)?;
    let (context, said) = (text(answer, "context")?, text(answer, "text")?);
    let error = text(answer, "error")?.unwrap_or_default();
    Ok(match outcome {
        "accepted" => Dispatched::Accepted { context, text: said },
        "replied" => Dispatched::Replied { context, text: said },
        "refused" => Dispatched::Refused { error },
        "not_sent" => Dispatched::NotSent { error },
        _ => Dispatched::Unknown { error },
    })
}

/// The reply that a runtime gives out, by the answer to `await`; nothing when there is none.
pub(crate) fn awaited(answer: &Value) -> Result<Option<Reply>, String> {
    if outcome(answer, &["reply", "none"])? == "none" {
        return Ok(None);
    }
    let said =
        text(answer, "text")?.ok_or_else(|| "expected the \"text\" of a reply; found none".to_owned())?;
    Ok(Some(Reply { context: text(answer, "context")?, text: said }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_order_is_one_line_that_names_itself() {
        let order = Order::Dispatch {
            id: "first".to_owned(),
            peer: "subject".to_owned(),
            text: "two\nlines".to_owned(),
            context: None,
            within_ms: 5,
        };
        let line = String::from_utf8(order.line(7)).expect("text");
        assert_eq!(line.matches('\n').count(), 1);
        let value: Value = serde_json::from_str(&line).expect("JSON");
        let wanted = json!({ "verb": "dispatch", "seq": 7, "id": "first", "peer": "subject", "text": "two\nlines", "within_ms": 5 });
        assert_eq!(value, wanted);
    }

    #[test]
    fn an_answer_to_another_order_is_none() {
        assert!(answer(b"{\"seq\": 3}", 3).is_ok());
        for line in [&b"{\"seq\": 4}"[..], b"{}", b"{\"seq\": \"3\"}", b"[3]", b"", b"\xff"] {
            let said = answer(line, 3).expect_err("it does not name order 3");
            assert!(said.contains("expected"), "{said}");
        }
    }

    #[test]
    fn each_outcome_of_a_dispatch_is_told_apart() {
        let of = |value: Value| dispatched(&value);
        let accepted = of(json!({ "outcome": "accepted", "context": "c", "text": "queued" }));
        assert_eq!(
            accepted,
            Ok(Dispatched::Accepted { context: Some("c".into()), text: Some("queued".into()) })
        );
        assert_eq!(of(json!({ "outcome": "unknown" })), Ok(Dispatched::Unknown { error: String::new() }));
        assert!(of(json!({ "outcome": "maybe" })).is_err_and(|said| said.contains("found \"maybe\"")));
        assert!(
            of(json!({ "outcome": "accepted", "context": 3 }))
                .is_err_and(|said| said.contains("\"context\""))
        );
    }

    #[test]
    fn callbacks_come_to_this_machine_alone() {
        let of = |url: &str| started(&json!({ "callback_url": url }));
        assert_eq!(of("http://127.0.0.1:4000/in"), Ok("http://127.0.0.1:4000/in".to_owned()));
        for url in ["http://example.org/in", "https://127.0.0.1:4000/in", "http://127.0.0.1:many/in", ""] {
            assert!(of(url).is_err_and(|said| said.contains("expected a URL on 127.0.0.1")), "{url}");
        }
        assert!(started(&json!({ "error": "no port" })).is_err_and(|said| said.contains("no port")));
        assert!(started(&json!({})).is_err());
    }

    #[test]
    fn a_reply_has_a_text() {
        assert_eq!(awaited(&json!({ "outcome": "none" })), Ok(None));
        let reply = Reply { context: None, text: "done".to_owned() };
        assert_eq!(awaited(&json!({ "outcome": "reply", "text": "done" })), Ok(Some(reply)));
        assert!(awaited(&json!({ "outcome": "reply" })).is_err());
    }

    proptest! {
        #[test]
        fn no_line_of_a_driver_is_too_much(line in proptest::collection::vec(any::<u8>(), 0..200), seq in 0..3u64) {
            if let Ok(value) = answer(&line, seq) {
                let _ = (started(&value), dispatched(&value), awaited(&value));
            }
        }
    }
}
