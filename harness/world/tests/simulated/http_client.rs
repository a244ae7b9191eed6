//! The HTTP client against peers that answer as they like.

use std::time::Duration;

use gauntlet_world::WorldSettings;
use gauntlet_world::http::{Answer, HttpError, MAX_ANSWER, Request, Url, exchange};
use gauntlet_world::network::{Address, Stream};
use gauntlet_world::simulated::{Exploration, NetworkWeather};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::lab::{Lab, MS, run, run_with};

const LIMIT: Duration = Duration::from_secs(5);

fn request(path: &str) -> Request {
    Request {
        method: "POST".to_owned(),
        url: format!("http://127.0.0.1:8080{path}").parse().expect("a URL"),
        headers: vec![("X-Token".to_owned(), "t".to_owned())],
        body: b"question".to_vec(),
        limit: LIMIT,
    }
}

/// Everything that a peer is sent until it ends with the body.
async fn question(stream: &mut Stream) -> String {
    let mut text = String::new();
    while !text.ends_with("question") {
        text.push(char::from(stream.read_u8().await.expect("the request comes whole")));
    }
    text
}

/// The outcome of one exchange with a peer that answers every request with these bytes and ends.
async fn answered(lab: &Lab, bytes: &'static [u8]) -> Result<Answer, HttpError> {
    let listener = lab.visitor.network().listen(&Address::loopback(8080)).await.expect("a free port");
    lab.visitor.spawn(async move {
        let mut stream = listener.accept().await.expect("a connection");
        question(&mut stream).await;
        stream.write_all(bytes).await.expect("room for the answer");
    });
    exchange(&lab.visitor, request("/a?b=c")).await
}

fn after(bytes: &'static [u8]) -> Result<Answer, HttpError> {
    run(async |lab| answered(&lab, bytes).await)
}

#[test]
fn a_request_goes_out_as_given_and_the_answer_comes_back_whole() {
    run(async |lab| {
        let listener = lab.visitor.network().listen(&Address::loopback(8080)).await.unwrap();
        let peer = lab.visitor.spawn(async move {
            let mut stream = listener.accept().await.unwrap();
            let seen = question(&mut stream).await;
            let answer = "HTTP/1.1 201 Created\r\nX-One: 1\r\nX-One: 2\r\ncontent-length: 5\r\n\r\n";
            for byte in answer.bytes().chain(*b"reply") {
                stream.write_u8(byte).await.unwrap();
            }
            // It keeps the connection open: an answer of known length is over when it is whole.
            (seen, stream)
        });
        let answer = exchange(&lab.visitor, request("/a?b=c")).await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (201, &b"reply"[..]));
        let ones: Vec<&str> = answer
            .headers
            .iter()
            .filter(|(name, _)| name == "x-one")
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(ones, ["1", "2"]);
        let (seen, _stream) = peer.join().await.unwrap();
        let mut lines: Vec<&str> = seen.split("\r\n").collect();
        lines[1..4].sort_unstable();
        let expected = [
            "POST /a?b=c HTTP/1.1",
            "content-length: 8",
            "host: 127.0.0.1:8080",
            "x-token: t",
            "",
            "question",
        ];
        assert_eq!(lines, expected);
        assert_eq!(lab.world.elapsed_ms(), 0);
    });
}

#[test]
fn a_chunked_answer_is_put_together() {
    let bytes =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n8;x=y\r\ndefghijk\r\n0\r\n\r\n";
    assert_eq!(after(bytes).unwrap().body, b"abcdefghijk");
}

#[test]
fn an_answer_without_length_ends_with_its_connection() {
    assert_eq!(after(b"HTTP/1.0 200 OK\r\n\r\nuntil the end").unwrap().body, b"until the end");
}

#[test]
fn a_redirect_is_an_answer_and_not_followed() {
    let bytes =
        b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n";
    let answer = after(bytes).unwrap();
    assert_eq!(answer.status, 307);
    assert!(answer.headers.contains(&("location".to_owned(), "http://127.0.0.1:9/".to_owned())));
}

#[test]
fn a_refused_connection_means_that_nothing_was_seen() {
    run(async |lab| {
        let error = exchange(&lab.visitor, request("/")).await.unwrap_err();
        assert!(!error.may_have_been_seen());
        assert_eq!(error.to_string(), "cannot connect to 127.0.0.1:8080: Connection refused (os error 111)");
    });
}

#[test]
fn a_silent_peer_times_out_and_may_have_seen_the_request() {
    run(async |lab| {
        let listener = lab.visitor.network().listen(&Address::loopback(8080)).await.unwrap();
        let error = exchange(&lab.visitor, request("/")).await.unwrap_err();
        assert!(matches!(error, HttpError::Timeout { limit: LIMIT, sent: true }), "{error:?}");
        assert!(error.may_have_been_seen());
        assert_eq!(lab.world.elapsed_ms(), 5000);
        let seen = question(&mut listener.accept().await.unwrap()).await;
        assert!(seen.starts_with("POST / HTTP/1.1\r\n"), "it lies there for whoever accepts later");
    });
}

#[test]
fn a_limit_holds_for_the_body_too() {
    run(async |lab| {
        let listener = lab.visitor.network().listen(&Address::loopback(8080)).await.unwrap();
        let host = lab.visitor.clone();
        lab.visitor.spawn(async move {
            let mut stream = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n").await.unwrap();
            loop {
                host.clock().sleep(400 * MS).await;
                stream.write_u8(b'.').await.unwrap();
            }
        });
        let error = exchange(&lab.visitor, request("/")).await.unwrap_err();
        assert!(matches!(error, HttpError::Timeout { sent: true, .. }), "{error:?}");
        assert_eq!(lab.world.elapsed_ms(), 5000);
    });
}

#[test]
fn a_connection_that_never_comes_about_times_out_with_nothing_sent() {
    run(async |lab| {
        let _listener = lab.visitor.network().listen(&Address::loopback(8080)).await.unwrap();
        lab.machine.set_weather(None, None, NetworkWeather::StallAfter(0));
        let error = exchange(&lab.visitor, request("/")).await.unwrap_err();
        assert!(matches!(error, HttpError::Timeout { sent: false, .. }), "{error:?}");
        assert!(!error.may_have_been_seen());
        assert_eq!(error.to_string(), "no answer within 5s");
    });
}

#[test]
fn a_broken_answer_is_told_apart_from_none() {
    for bytes in [&b""[..], b"HTTP/1.1 2", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n"] {
        let error = after(bytes).unwrap_err();
        assert!(matches!(error, HttpError::Broken { sent: true, .. }), "{error:?}");
        assert!(error.may_have_been_seen());
    }
}

#[test]
fn a_body_that_ends_early_is_broken() {
    let answers = [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n",
    ];
    for bytes in answers {
        let error = after(bytes).unwrap_err();
        assert!(matches!(error, HttpError::Body(_)) && error.may_have_been_seen(), "{error:?}");
    }
}

#[test]
fn a_body_over_the_cap_is_refused_and_one_at_the_cap_is_read() {
    for (length, fits) in [(MAX_ANSWER, true), (MAX_ANSWER + 1, false)] {
        let outcome = run(async |lab| {
            let listener = lab.visitor.network().listen(&Address::loopback(8080)).await.unwrap();
            lab.visitor.spawn(async move {
                let mut stream = listener.accept().await.unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                // The client hangs up on what is too much.
                let _ = stream.write_all(&vec![b'.'; length]).await;
            });
            exchange(&lab.visitor, request("/")).await
        });
        match outcome {
            Ok(answer) => assert!(fits && answer.body.len() == length),
            Err(error) => assert!(!fits && matches!(error, HttpError::Body(_)), "{error:?}"),
        }
    }
}

#[test]
fn a_cut_after_the_whole_request_is_broken_and_may_have_been_seen() {
    run(async |lab| {
        let listener = lab.visitor.network().listen(&Address::loopback(8080)).await.unwrap();
        let peer = lab.visitor.spawn(async move { question(&mut listener.accept().await.unwrap()).await });
        let length = {
            exchange(&lab.visitor, request("/")).await.unwrap_err();
            peer.join().await.unwrap().len()
        };
        lab.machine.set_weather(None, None, NetworkWeather::CutAfter(length as u64));
        let listener = lab.visitor.network().listen(&Address::loopback(8080)).await.unwrap();
        let peer = lab.visitor.spawn(async move { question(&mut listener.accept().await.unwrap()).await });
        let error = exchange(&lab.visitor, request("/")).await.unwrap_err();
        assert!(matches!(error, HttpError::Broken { sent: true, .. }), "{error:?}");
        assert_eq!(peer.join().await.unwrap().len(), length, "the peer has the request whole");
    });
}

#[test]
fn what_cannot_be_written_as_http_is_not_sent() {
    run(async |lab| {
        let _listener = lab.visitor.network().listen(&Address::loopback(8080)).await.unwrap();
        let header = |name: &str, value: &str| {
            let mut request = request("/");
            request.headers.push((name.to_owned(), value.to_owned()));
            request
        };
        let method = Request { method: "NO METHOD".to_owned(), ..request("/") };
        for request in [header("bad name", "x"), header("x", "line\r\nbreak"), method] {
            let error = exchange(&lab.visitor, request).await.unwrap_err();
            assert!(matches!(error, HttpError::Request(_)) && !error.may_have_been_seen(), "{error:?}");
        }
    });
}

#[test]
fn the_exchange_is_the_same_under_every_shake() {
    for seed in 0..20 {
        let settings =
            WorldSettings { seed: [seed; 32], exploration: Exploration::Shake, ..Default::default() };
        let answer = run_with(settings, async |lab| {
            answered(&lab, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await
        });
        assert_eq!(answer.unwrap().body, b"ok");
    }
}

#[test]
fn a_url_is_read_into_its_parts() {
    for (text, host, port, path) in [
        ("http://127.0.0.1:8080/a/b?c=d", "127.0.0.1", 8080, "/a/b?c=d"),
        ("http://localhost", "localhost", 80, "/"),
        ("http://localhost:9/", "localhost", 9, "/"),
        ("HTTP://peer.example/x", "peer.example", 80, "/x"),
        ("http://[::1]:70/x", "::1", 70, "/x"),
        ("http://[::1]", "::1", 80, "/"),
        ("http://host:1?q=/", "host", 1, "/?q=/"),
        ("http://host/a#part", "host", 80, "/a"),
    ] {
        let url: Url = text.parse().unwrap();
        assert_eq!(
            (url.address.host.as_str(), url.address.port, url.path.as_str()),
            (host, port, path),
            "{text}"
        );
        assert_eq!(url.to_string().parse::<Url>().unwrap(), url);
    }
}

#[test]
fn what_is_no_url_of_ours_is_refused() {
    for text in [
        "",
        "localhost:80",
        "https://host/",
        "ftp://host/",
        "http://",
        "http:///path",
        "http://:80/",
        "http://user@host/",
        "http://user:secret@host:80/",
        "http://host:",
        "http://host:99999/",
        "http://host:+80/",
        "http://host:8x/",
        "http://::1/",
        "http://[::1/",
        "http://[host]:80:90/",
        "http://ho st/",
        "http://host/a b",
        "http://host/a\r\nX: y",
    ] {
        let error = text.parse::<Url>().unwrap_err();
        assert!(error.to_string().starts_with("expected http://host[:port][/path], found"), "{text}");
    }
}
