//! A Hermes that takes callbacks, for both test targets.

use std::rc::Rc;

use gauntlet_simulators::http1::{Connection, Framing};
use gauntlet_world::Host;
use gauntlet_world::injection::Mangle;
use gauntlet_world::network::Listener;
use serde_json::Value;

/// Takes every callback, and answers it with the status and the body that are told for it.
pub(crate) async fn take(host: Host, listener: Listener, answer: impl Fn(&Value) -> (u16, Value) + 'static) {
    let answer = Rc::new(answer);
    while let Ok(stream) = listener.accept().await {
        let (task, answer) = (host.clone(), answer.clone());
        host.spawn(async move {
            let framing = Framing { keep_alive: false, ..Framing::default() };
            let mut connection = Connection::new(&task, &framing, stream);
            let Ok(head) = connection.head().await else { return };
            let Ok(body) = connection.body(&head, 1 << 24).await else { return };
            let (status, body) = answer(&serde_json::from_slice(&body).expect("a callback is JSON"));
            if connection.answer(status, body.to_string().as_bytes(), false, Mangle::Nothing).await.is_ok() {
                connection.close().await;
            }
        });
    }
}
