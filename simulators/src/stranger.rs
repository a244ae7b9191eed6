//! A stranger: something that has nothing to do with the fleet and listens on one of its ports. It answers whatever it is asked
//! with the same body.

use std::time::Duration;

use gauntlet_world::Host;
use gauntlet_world::network::Listener;

use crate::http1::{Connection, Framing};
use gauntlet_world::injection::Mangle;

/// More is not read of a request.
const LONGEST: usize = 1024 * 1024;

/// Serves connections for ever, and takes so long over each answer.
pub async fn serve(host: Host, listener: Listener, body: Vec<u8>, after: Duration) {
    while let Ok(stream) = listener.accept().await {
        let (task, body) = (host.clone(), body.clone());
        host.spawn(async move {
            let framing = Framing { keep_alive: false, ..Framing::default() };
            let mut connection = Connection::new(&task, &framing, stream);
            let Ok(head) = connection.head().await else { return };
            if connection.body(&head, LONGEST).await.is_err() {
                return;
            }
            task.clock().sleep(after).await;
            if connection.answer(200, &body, false, Mangle::Nothing).await.is_ok() {
                connection.close().await;
            }
        });
    }
}
