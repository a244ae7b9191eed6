//! Senders who do not do as others do: bytes one by one, leaving early, and whatever JSON in whatever place.

use std::io;
use std::rc::Rc;

use gauntlet_world::Host;
use gauntlet_world::network::Stream;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::steps::Stagehand;
use crate::scenario::{Leaves, Request};

/// Writes the bytes of a request as its sender does.
pub(super) async fn write(
    client: &Host,
    stream: &mut Stream,
    bytes: &[u8],
    request: &Request,
) -> io::Result<()> {
    match request.byte_by_byte {
        None => stream.write_all(bytes).await?,
        Some(apart) => {
            for byte in bytes {
                stream.write_all(std::slice::from_ref(byte)).await?;
                stream.flush().await?;
                client.clock().sleep(apart.duration()).await;
            }
        }
    }
    stream.flush().await?;
    if request.leaves == Some(Leaves::Half) {
        stream.shutdown().await?;
    }
    Ok(())
}

impl Stagehand {
    /// Sends a request once for each of its places and each kind of value, and gives the first answer to each; null for none.
    pub(super) async fn every_type(self: &Rc<Self>, key: &str, request: &Request) -> Value {
        let mut answers = Vec::new();
        for (number, json) in (1..).zip(every_type_in(request.json.as_ref(), &request.every_type_in)) {
            let one = Request { json: Some(json), every_type_in: Vec::new(), ..request.clone() };
            let sent = self.send(self.bytes_of(&one, 1), &one).await;
            let key = format!("{key} {number}");
            let answer = self.receive(&key, sent).await;
            answers.push(answer.get("status").map_or(Value::Null, |_| answer.clone()));
        }
        json!({ "answers": answers })
    }
}

/// What can stand in the place of a value: each kind of JSON, of a list and an object one with something in it.
fn kinds() -> [Value; 6] {
    [json!(null), json!(true), json!(-7.5), json!("text"), json!(["a", 1]), json!({ "a": { "b": 1 } })]
}

/// A value with each kind of value in each of these places, and without what is there.
fn every_type_in(json: Option<&Value>, places: &[String]) -> Vec<Value> {
    let Some(json) = json else { return Vec::new() };
    places
        .iter()
        .flat_map(|place| {
            kinds().map(Some).into_iter().chain([None]).map(move |kind| with(json, place, kind))
        })
        .collect()
}

/// A value with another one in this place, or none.
fn with(json: &Value, place: &str, kind: Option<Value>) -> Value {
    let mut json = json.clone();
    let (parent, name) = place.rsplit_once('/').unwrap_or(("", place));
    match (json.pointer_mut(parent), kind) {
        (Some(Value::Object(members)), Some(kind)) => {
            members.insert(name.to_owned(), kind);
        }
        (Some(Value::Object(members)), None) => {
            members.remove(name);
        }
        (Some(Value::Array(items)), kind) => {
            let at = name.parse().unwrap_or(items.len()).min(items.len());
            if at < items.len() {
                items.remove(at);
            }
            items.extend(kind);
        }
        _ => {}
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_value_stands_once_in_each_place_and_once_nothing_does() {
        let json = json!({ "params": { "parts": [{ "text": "x" }] } });
        let places = ["/params".to_owned(), "/params/parts/0".to_owned(), "/extra".to_owned()];
        let made = every_type_in(Some(&json), &places);
        assert_eq!(made.len(), 21);
        assert_eq!(made[1], json!({ "params": true }));
        assert_eq!(made[6], json!({}));
        assert_eq!(made[10], json!({ "params": { "parts": ["text"] } }));
        assert_eq!(made[13], json!({ "params": { "parts": [] } }));
        assert_eq!(made[14], json!({ "params": { "parts": [{ "text": "x" }] }, "extra": null }));
    }
}
