//! One request sent by many at once, each on a connection of its own.

use std::pin::Pin;
use std::time::Duration;

use gauntlet_world::network::Address;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use super::sender;
use super::steps::{MAX_RECEIVED, Stagehand, patience};
use crate::oracle::wire::{self, HttpAnswer};
use crate::scenario::Request;

/// Who is still waiting for an answer.
type Asking<'a> = Pin<Box<dyn Future<Output = Option<HttpAnswer>> + 'a>>;

impl Stagehand {
    /// Sends the same bytes so many times at once, and gives all answers in the order of the senders; null for none. Each is a
    /// dispatch of its own.
    pub(super) async fn crowd(&self, key: &str, request: &Request, many: usize) -> Value {
        let (bytes, patience) = (&self.bytes_of(request, 1), patience(request));
        let asking: Vec<Asking<'_>> =
            (0..many).map(|_| Box::pin(self.ask(bytes, request, patience)) as Asking<'_>).collect();
        let answers = futures_util::future::join_all(asking).await;
        let sent = wire::request(bytes).and_then(|request| request.body);
        for answer in &answers {
            self.note_raw_dispatch(key, sent.as_ref(), answer.as_ref());
        }
        let answers: Vec<Value> =
            answers.iter().map(|answer| answer.as_ref().map_or(Value::Null, HttpAnswer::to_value)).collect();
        json!({ "answers": answers })
    }

    async fn ask(&self, bytes: &[u8], request: &Request, patience: Duration) -> Option<HttpAnswer> {
        let client = self.bench.client();
        let exchange = async {
            let address = Address::loopback(self.bench.receiver_port());
            let mut stream = client.network().connect(&address).await.ok()?;
            sender::write(client, &mut stream, bytes, request).await.ok()?;
            let (mut received, mut space) = (Vec::new(), vec![0; 16_384]);
            while received.len() < MAX_RECEIVED && wire::answer_length(&received).is_none() {
                match stream.read(&mut space).await {
                    Ok(read @ 1..) => received.extend_from_slice(&space[..read]),
                    _ => break,
                }
            }
            wire::answers(&received).into_iter().next()
        };
        client.clock().within(patience, exchange).await.flatten()
    }
}
