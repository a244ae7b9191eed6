//! The node's listener: it begins when the platform connects, and ends when it disconnects (FLEET-HUB-12, FLEET-HUB-13).

use std::cell::Cell;
use std::convert::Infallible;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use gauntlet_world::Task;

use gauntlet_world::http::HyperIo;
use gauntlet_world::network::{Listener, Stream};
use gauntlet_world::{Either, race};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::sync::{Notify, Semaphore};

use super::Node;

/// A connection on which nothing is asked may stay open for so long.
const PATIENCE: Duration = Duration::from_secs(120);
const CONNECTIONS: usize = 256;
/// How long a request that is under way may go on when the node stops listening.
const GRACE: Duration = Duration::from_secs(5);

/// A node that listens.
pub(crate) struct Listening {
    accepting: Task<()>,
    closing: Rc<Closing>,
}

#[derive(Default)]
struct Closing {
    asked: Cell<bool>,
    told: Notify,
}

impl Listening {
    /// Serves connections until it is told to stop.
    pub(crate) fn begin(node: Rc<Node>, listener: Listener) -> Self {
        let closing = Rc::new(Closing::default());
        let accepting = node.fleet.host.clone().spawn(accept(node, listener, closing.clone()));
        Self { accepting, closing }
    }

    /// Stops: the port is free at once, and requests under way have a moment to come to their end.
    pub(crate) async fn stop(self) {
        self.accepting.cancel();
        self.closing.asked.set(true);
        self.closing.told.notify_waiters();
        // The listener goes with its task, and not before.
        self.accepting.join().await;
    }
}

async fn accept(node: Rc<Node>, listener: Listener, closing: Rc<Closing>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(place) = places.clone().acquire_owned().await {
        let Ok(stream) = listener.accept().await else {
            // Out of descriptors, most likely: those who are served must come to their end first.
            node.fleet.host.clock().sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (task, closing) = (node.clone(), closing.clone());
        node.fleet.host.spawn(async move {
            connection(task, stream, &closing).await;
            drop(place);
        });
    }
}

async fn connection(node: Rc<Node>, stream: Stream, closing: &Closing) {
    let host = node.fleet.host.clone();
    // How many requests came, and how many of them were answered.
    let (came, answered) = (Rc::new(Cell::new(0_u64)), Rc::new(Cell::new(0_u64)));
    let service = service_fn(|request| {
        let (node, came, answered) = (node.clone(), came.clone(), answered.clone());
        async move {
            came.set(came.get() + 1);
            let answer = node.answer(request).await;
            answered.set(answered.get() + 1);
            Ok::<_, Infallible>(answer)
        }
    });
    let idle = async {
        loop {
            let before = came.get();
            host.clock().sleep(PATIENCE).await;
            if came.get() == before && answered.get() == before {
                break;
            }
        }
    };
    let told = async {
        let told = closing.told.notified();
        if !closing.asked.get() {
            told.await;
        }
    };
    let mut server = http1::Builder::new();
    // The date would come from a clock that is not the host's.
    server.auto_date_header(false);
    let mut connection = pin!(server.serve_connection(HyperIo::new(stream), service));
    // A connection that breaks is its client's affair.
    if let Either::Second(Either::Second(())) = race(connection.as_mut(), race(idle, told)).await {
        connection.as_mut().graceful_shutdown();
        let _ = host.clock().within(GRACE, connection).await;
    }
}
