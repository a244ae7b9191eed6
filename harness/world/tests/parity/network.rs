//! Connections and listeners.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::rc::Rc;

use gauntlet_world::network::{Address, Flow, Listener, Side, Stream, Tap};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::rig::{Rig, assert_error};

both! {
    bytes_go_both_ways
    the_system_chooses_a_free_port
    a_port_that_nobody_listens_on_refuses
    a_port_is_taken_once
    a_port_is_free_after_its_listener
    connections_wait_for_a_late_listener
    a_half_closed_connection_still_carries_the_answer
    a_dropped_peer_is_the_end_of_the_stream
    writing_to_a_dropped_peer_fails_in_the_end
    a_megabyte_arrives_whole
    a_writer_waits_for_a_slow_reader
    a_tap_sees_what_passed
}

async fn listen(rig: &Rig) -> (Listener, Address) {
    let listener = rig.host.network().listen(&Address::loopback(0)).await.unwrap();
    let address = Address::loopback(listener.port());
    (listener, address)
}

async fn pair(rig: &Rig) -> (Stream, Stream) {
    let (listener, address) = listen(rig).await;
    let near = rig.host.network().connect(&address).await.unwrap();
    (near, listener.accept().await.unwrap())
}

async fn text(stream: &mut Stream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

async fn bytes_go_both_ways(rig: Rig) {
    let (listener, address) = listen(&rig).await;
    let host = rig.host.clone();
    let echo = host.spawn(async move {
        let mut stream = listener.accept().await.unwrap();
        let mut word = [0; 5];
        stream.read_exact(&mut word).await.unwrap();
        stream.write_all(&word).await.unwrap();
        stream.write_all(b" again").await.unwrap();
    });
    let named = Address { host: "localhost".to_owned(), port: address.port };
    let mut stream = rig.host.network().connect(&named).await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    assert_eq!(text(&mut stream).await, "hello again");
    assert_eq!(echo.join().await, Some(()));
}

async fn the_system_chooses_a_free_port(rig: Rig) {
    let (one, _) = listen(&rig).await;
    let (two, _) = listen(&rig).await;
    assert!(one.port() > 1023 && two.port() > 1023);
    assert_ne!(one.port(), two.port());
}

async fn a_port_that_nobody_listens_on_refuses(rig: Rig) {
    let (listener, address) = listen(&rig).await;
    drop(listener);
    let outcome = rig.host.network().connect(&address).await.map(|_| ());
    assert_error(outcome, ErrorKind::ConnectionRefused, 111);
}

async fn a_port_is_taken_once(rig: Rig) {
    let (_listener, address) = listen(&rig).await;
    let outcome = rig.host.network().listen(&address).await.map(|_| ());
    assert_error(outcome, ErrorKind::AddrInUse, 98);
}

async fn a_port_is_free_after_its_listener(rig: Rig) {
    let (listener, address) = listen(&rig).await;
    drop(listener);
    let again = rig.host.network().listen(&address).await.unwrap();
    assert_eq!(again.port(), address.port);
}

async fn connections_wait_for_a_late_listener(rig: Rig) {
    let (listener, address) = listen(&rig).await;
    for word in ["one", "two", "three"] {
        let mut stream = rig.host.network().connect(&address).await.unwrap();
        stream.write_all(word.as_bytes()).await.unwrap();
    }
    for word in ["one", "two", "three"] {
        let mut stream = listener.accept().await.unwrap();
        assert_eq!(text(&mut stream).await, word);
    }
    assert!(rig.waits(listener.accept()).await);
}

async fn a_half_closed_connection_still_carries_the_answer(rig: Rig) {
    let (mut near, mut far) = pair(&rig).await;
    near.write_all(b"question").await.unwrap();
    near.shutdown().await.unwrap();
    assert_eq!(text(&mut far).await, "question");
    far.write_all(b"answer").await.unwrap();
    far.shutdown().await.unwrap();
    assert_eq!(text(&mut near).await, "answer");
    assert!(near.write_all(b"more").await.is_err(), "its own direction is closed");
}

async fn a_dropped_peer_is_the_end_of_the_stream(rig: Rig) {
    let (mut near, far) = pair(&rig).await;
    let reading = rig.host.spawn(async move { text(&mut near).await });
    assert!(rig.waits(std::future::pending::<()>()).await);
    assert!(!reading.is_finished());
    drop(far);
    assert_eq!(reading.join().await.as_deref(), Some(""));
}

async fn writing_to_a_dropped_peer_fails_in_the_end(rig: Rig) {
    let (mut near, far) = pair(&rig).await;
    drop(far);
    let error = loop {
        match near.write_all(b"anyone?").await {
            // A real system learns of it from the peer's answer to the first bytes.
            Ok(()) => rig.host.clock().sleep(std::time::Duration::from_millis(5)).await,
            Err(error) => break error,
        }
    };
    assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error:?}");
}

async fn a_megabyte_arrives_whole(rig: Rig) {
    let (mut near, mut far) = pair(&rig).await;
    let sent: Vec<u8> = (0..1_048_576_u32).map(|number| (number % 251) as u8).collect();
    let copy = sent.clone();
    let writing = rig.host.spawn(async move {
        near.write_all(&copy).await.unwrap();
        near.shutdown().await.unwrap();
        near
    });
    let mut received = Vec::new();
    far.read_to_end(&mut received).await.unwrap();
    assert!(received == sent, "{} of {} bytes, or others", received.len(), sent.len());
    assert!(writing.join().await.is_some());
}

async fn a_writer_waits_for_a_slow_reader(rig: Rig) {
    let (mut near, mut far) = pair(&rig).await;
    let flood = vec![7; 64 * 1024 * 1024];
    assert!(rig.waits(near.write_all(&flood)).await, "more than any buffer holds");
    let mut some = vec![0; 65_536];
    far.read_exact(&mut some).await.unwrap();
    assert!(some.iter().all(|byte| *byte == 7));
}

#[derive(Default)]
struct Record(RefCell<Vec<String>>);

impl Tap for Record {
    fn opened(&self, side: Side, _port: u16) -> u64 {
        let mut lines = self.0.borrow_mut();
        lines.push(format!("{side:?}"));
        lines.len() as u64
    }

    fn bytes(&self, connection: u64, flow: Flow, bytes: &[u8]) {
        self.0.borrow_mut().push(format!("{connection} {flow:?} {}", String::from_utf8_lossy(bytes)));
    }

    fn closed(&self, connection: u64) {
        self.0.borrow_mut().push(format!("{connection} closed"));
    }
}

async fn a_tap_sees_what_passed(rig: Rig) {
    let record = Rc::new(Record::default());
    let tapped = rig.tapped(record.clone());
    let (listener, address) = listen(&rig).await;
    let mut near = tapped.network().connect(&address).await.unwrap();
    let mut far = listener.accept().await.unwrap();
    near.write_all(b"ping").await.unwrap();
    let mut word = [0; 4];
    far.read_exact(&mut word).await.unwrap();
    far.write_all(b"pong").await.unwrap();
    drop(far);
    assert_eq!(text(&mut near).await, "pong");
    drop(near);
    assert_eq!(*record.0.borrow(), ["Connected", "1 Sent ping", "1 Received pong", "1 closed"]);
}
