//! A stranger: something that has nothing to do with the fleet and listens on one of its ports. It answers whatever it is asked
//! with the same body, or refuses it with what it was asked with.

use std::time::Duration;

use gauntlet_world::Host;
use gauntlet_world::network::Listener;

use crate::http1::{Connection, Framing, Head};
use gauntlet_world::injection::Mangle;

/// More is not read of a request.
const LONGEST: usize = 1024 * 1024;

/// What a stranger answers with.
#[derive(Debug, Clone)]
pub enum Says {
    /// This body, as if all were well.
    Body(Vec<u8>),
    /// 403, with the header fields of the request as its body.
    Echo,
}

/// Serves connections for ever, and takes so long over each answer.
pub async fn serve(host: Host, listener: Listener, says: Says, after: Duration) {
    while let Ok(stream) = listener.accept().await {
        let (task, says) = (host.clone(), says.clone());
        host.spawn(async move {
            let framing = Framing { keep_alive: false, ..Framing::default() };
            let mut connection = Connection::new(&task, &framing, stream);
            let Ok(head) = connection.head().await else { return };
            if connection.body(&head, LONGEST).await.is_err() {
                return;
            }
            task.clock().sleep(after).await;
            let (status, body) = match says {
                Says::Body(body) => (200, body),
                Says::Echo => (403, echo(&head)),
            };
            if connection.answer(status, &body, false, Mangle::Nothing).await.is_ok() {
                connection.close().await;
            }
        });
    }
}

fn echo(head: &Head) -> Vec<u8> {
    head.headers.iter().flat_map(|(name, value)| [name.as_bytes(), b": ", value, b"\n"].concat()).collect()
}
