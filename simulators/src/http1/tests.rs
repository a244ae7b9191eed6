//! Framing as data: each member changes what it says, and nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gauntlet_world::network::{Address, Stream};
use gauntlet_world::{Host, Machine, World, WorldSettings};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use gauntlet_world::injection::Mangle;

/// Both ends of a connection: a host, the server's, and the client's.
fn run(body: impl AsyncFnOnce(Host, Stream, Stream)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let machine = Machine::new(&World::new(WorldSettings::default()), "box");
        let host = machine.visitor("tester", BTreeMap::new(), PathBuf::from("/"), None);
        let listener = host.network().listen(&Address::loopback(80)).await.expect("a free port");
        let client = host.network().connect(&Address::loopback(80)).await.expect("it listens");
        let server = listener.accept().await.expect("a connection");
        body(host, server, client).await;
    });
}

/// What a server with this framing sends for one answer.
fn sent(framing: &Framing, stays_open: bool, mangle: Mangle) -> String {
    let mut received = Vec::new();
    run(async |host, server, mut client| {
        let mut connection = Connection::new(&host, framing, server);
        connection.answer(404, b"{\"a\": 1}", stays_open, mangle).await.expect("it is read");
        drop(connection);
        client.read_to_end(&mut received).await.expect("closed");
    });
    String::from_utf8(received).expect("text")
}

#[test]
fn answers_are_framed_as_the_data_says() {
    let plain =
        "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"a\": 1}";
    assert_eq!(sent(&Framing::default(), true, Mangle::Nothing), plain);
    let named = Framing { server: Some("x/1".to_owned()), writes_chunks: true, ..Framing::default() };
    assert_eq!(
        sent(&named, false, Mangle::Nothing),
        "HTTP/1.1 404 Not Found\r\nServer: x/1\r\nContent-Type: application/json\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"a\": 1}\r\n0\r\n\r\n"
    );
    assert_eq!(sent(&Framing::default(), true, Mangle::Truncate(20)), &plain[..20]);
    assert_eq!(sent(&Framing::default(), true, Mangle::Garble(0)), plain.replacen('H', "\u{12}", 1));
}

/// The paths of the requests that a server with this framing reads, when it drops each body unread.
fn paths(framing: &Framing, bytes: &[u8]) -> Vec<String> {
    let mut paths = Vec::new();
    run(async |host, server, mut client| {
        client.write_all(bytes).await.expect("it is read");
        client.shutdown().await.expect("closed");
        let mut connection = Connection::new(&host, framing, server);
        while let Ok(head) = connection.head().await {
            paths.push(head.path.clone());
            if !connection.can_drop_body(&head, 100) || !connection.drop_body(&head, 100).await {
                break;
            }
        }
    });
    paths
}

#[test]
fn whether_unread_bodies_are_dropped_is_data() {
    let bytes =
        b"POST /a HTTP/1.1\r\nContent-Length: 19\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n";
    assert_eq!(paths(&Framing::default(), bytes), ["/a", "/c"]);
    let careless = Framing { drains_refused_bodies: false, ..Framing::default() };
    assert_eq!(paths(&careless, bytes), ["/a", "/b", "/c"]);
}

#[test]
fn whether_chunks_are_understood_is_data() {
    let bytes =
        b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nGET /c HTTP/1.1\r\n\r\n";
    assert_eq!(paths(&Framing::default(), bytes), ["/a", "/c"]);
    let simple = Framing { reads_chunks: false, ..Framing::default() };
    assert_eq!(paths(&simple, bytes)[..1], ["/a"]);
    assert!(!paths(&simple, bytes).contains(&"/c".to_owned()), "its chunks are taken for the next request");
}

#[test]
fn a_body_whose_end_is_not_known_or_too_far_away_ends_the_connection() {
    for head in [
        "Content-Length: 101",
        "Content-Length: x",
        "Content-Length: 1\r\nContent-Length: 2",
        "Content-Length: 5\r\nExpect: 100-continue",
    ] {
        let bytes = format!("POST /a HTTP/1.1\r\n{head}\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
        assert_eq!(paths(&Framing::default(), bytes.as_bytes()), ["/a"], "{head}");
    }
    let twice_the_same =
        b"POST /a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nxGET /b HTTP/1.1\r\n\r\n";
    assert_eq!(paths(&Framing::default(), twice_the_same), ["/a", "/b"]);
}

#[test]
fn lengths_are_counts_of_bytes_or_nothing() {
    let length = |fields: &[(&str, &str)]| {
        let headers =
            fields.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        Head { method: String::new(), path: String::new(), minor: 1, headers }.length()
    };
    for (value, expected) in [
        ("0", Length::Bytes(0)),
        (" 12 ", Length::Bytes(12)),
        ("+5", Length::Invalid),
        ("-5", Length::Invalid),
        ("5 5", Length::Invalid),
        ("0x5", Length::Invalid),
        ("", Length::Invalid),
        ("99999999999999999999999999", Length::Bytes(usize::MAX)),
    ] {
        assert_eq!(length(&[("content-length", value)]), expected, "{value:?}");
    }
    assert_eq!(length(&[]), Length::Bytes(0));
    assert_eq!(length(&[("transfer-encoding", "gzip, Chunked"), ("content-length", "5")]), Length::Chunked);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_body_reads_back_however_it_is_cut_into_chunks_and_writes(
        body in prop::collection::vec(any::<u8>(), 1..200),
        size in 1usize..50,
        write in 1usize..50,
    ) {
        let mut bytes = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in body.chunks(size) {
            bytes.extend(format!("{:X}\r\n", chunk.len()).into_bytes());
            bytes.extend(chunk);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"0\r\n\r\n");
        run(async |host, server, mut client| {
            host.spawn(async move {
                for part in bytes.chunks(write) {
                    client.write_all(part).await.expect("it is read");
                }
                std::future::pending::<()>().await;
            });
            let framing = Framing::default();
            let mut connection = Connection::new(&host, &framing, server);
            let head = connection.head().await.expect("a head");
            assert_eq!(connection.body(&head, body.len()).await, Ok(body.clone()));
        });
    }
}
