//! Reading raw HTTP answers and requests, with httparse and nothing of ours.

use serde_json::{Value, json};

use crate::trace::lossy;

/// One answer as it came over the wire.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
    /// Lower-case names.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
    /// The body as JSON, if it is JSON.
    pub(crate) body: Option<Value>,
    /// Whether the announced length and the bytes agree.
    pub(crate) whole: bool,
}

impl HttpAnswer {
    /// As the result of a step.
    pub(crate) fn to_value(&self) -> Value {
        let headers: serde_json::Map<String, Value> =
            self.headers.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
        json!({ "status": self.status, "headers": headers, "body": self.body, "text": self.text, "whole": self.whole })
    }
}

/// The answers in the bytes of a connection, in order. An incomplete last one is among them, marked as such.
pub(crate) fn answers(bytes: &[u8]) -> Vec<HttpAnswer> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some((answer, used)) = answer(rest) {
        let informational = (100..200).contains(&answer.status);
        rest = rest.get(used..).unwrap_or_default();
        if !informational {
            found.push(answer);
        }
    }
    found
}

/// How long the first answer is, with informational ones before it, as far as its framing says so: nothing while it is not
/// complete, or when only the end of the connection ends it.
pub(crate) fn answer_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut fields);
        let httparse::Status::Complete(head) = response.parse(rest).ok()? else { return None };
        let status = response.code?;
        let informational = (100..200).contains(&status);
        at += framed(response.headers, rest, head, informational || matches!(status, 204 | 304))?;
        if !informational {
            return Some(at);
        }
    }
}

/// How long the first request is; nothing while it is not complete.
pub(crate) fn request_length(bytes: &[u8]) -> Option<usize> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut fields);
    let httparse::Status::Complete(head) = request.parse(bytes).ok()? else { return None };
    framed(request.headers, bytes, head, true)
}

/// How many bytes a message takes; `bodyless` when it has no body unless something frames one.
fn framed(fields: &[httparse::Header<'_>], bytes: &[u8], head: usize, bodyless: bool) -> Option<usize> {
    let framing = Framing::of(|name| {
        let field = fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(field.value).ok()
    });
    let rest = bytes.get(head..)?;
    match framing {
        Framing::Chunked => {
            let (_, used, whole) = chunks(rest);
            whole.then_some(head + used)
        }
        Framing::Length(length) => (rest.len() >= length).then(|| head.saturating_add(length)),
        Framing::None => bodyless.then_some(head),
    }
}

/// What ends a body.
enum Framing {
    Chunked,
    Length(usize),
    /// Nothing but the end of the connection.
    None,
}

impl Framing {
    fn of<'a>(field: impl Fn(&str) -> Option<&'a str>) -> Self {
        let field = |name| field(name).map(str::trim);
        if field("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return Framing::Chunked;
        }
        field("content-length").and_then(|length| length.parse().ok()).map_or(Framing::None, Framing::Length)
    }
}

fn answer(bytes: &[u8]) -> Option<(HttpAnswer, usize)> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(head) = response.parse(bytes).ok()? else { return None };
    let headers: Vec<(String, String)> = response
        .headers
        .iter()
        .map(|field| (field.name.to_ascii_lowercase(), String::from_utf8_lossy(field.value).into_owned()))
        .collect();
    let status = response.code?;
    let (content, used, whole) = body(&headers, bytes.get(head..).unwrap_or_default(), status);
    let text = lossy(&content).into_owned();
    let body = serde_json::from_slice(&content).ok();
    Some((HttpAnswer { status, headers, text, body, whole }, head + used))
}

fn body(headers: &[(String, String)], bytes: &[u8], status: u16) -> (Vec<u8>, usize, bool) {
    if (100..200).contains(&status) {
        return (Vec::new(), 0, true);
    }
    let header =
        |name: &str| headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    match Framing::of(header) {
        Framing::Chunked => chunks(bytes),
        Framing::Length(length) => {
            let content = bytes.get(..length);
            (content.unwrap_or(bytes).to_vec(), length.min(bytes.len()), content.is_some())
        }
        Framing::None => (bytes.to_vec(), bytes.len(), true),
    }
}

fn chunks(bytes: &[u8]) -> (Vec<u8>, usize, bool) {
    let (mut content, mut at) = (Vec::new(), 0);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Ok(httparse::Status::Complete((line, length))) = httparse::parse_chunk_size(rest) else {
            return (content, bytes.len(), false);
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(chunk) = rest.get(line..line.saturating_add(length)) else {
            return (content, bytes.len(), false);
        };
        content.extend_from_slice(chunk);
        at += line + length + 2;
        if length == 0 {
            return (content, at.min(bytes.len()), at <= bytes.len());
        }
    }
}

/// What the header fields of a request present as bearer: `none`, the `right` one, or a `wrong` one. The value itself goes
/// nowhere.
pub(crate) fn authorization(headers: &[(String, String)], token: &str) -> &'static str {
    match headers.iter().find(|(name, _)| name == "authorization") {
        None => "none",
        Some((_, shown)) if *shown == format!("Bearer {token}") => "right",
        Some(_) => "wrong",
    }
}

/// One request as it came over the wire.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HttpRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    /// The body as JSON, if it is JSON.
    pub(crate) body: Option<Value>,
}

impl HttpRequest {
    /// As a part of the result of a step. `token` is what should be presented.
    pub(crate) fn to_value(&self, token: &str) -> Value {
        let authorization = authorization(&self.headers, token);
        let headers = self.headers.iter().filter(|(name, _)| name != "authorization");
        let headers: serde_json::Map<String, Value> =
            headers.map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
        let Self { method, path, body, .. } = self;
        json!({ "method": method, "path": path, "headers": headers, "authorization": authorization, "body": body })
    }
}

/// The first request in the bytes of a connection.
pub(crate) fn request(bytes: &[u8]) -> Option<HttpRequest> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut fields);
    let httparse::Status::Complete(head) = request.parse(bytes).ok()? else { return None };
    let headers: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|field| (field.name.to_ascii_lowercase(), String::from_utf8_lossy(field.value).into_owned()))
        .collect();
    let (method, path) = (request.method?.to_owned(), request.path?.to_owned());
    let (content, ..) = body(&headers, bytes.get(head..).unwrap_or_default(), 200);
    Some(HttpRequest { method, path, headers, body: serde_json::from_slice(&content).ok() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers_of_both_framings_are_told_apart_on_one_connection() {
        let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}\
            HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n\
            HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}";
        let found = answers(bytes);
        assert_eq!(
            found.iter().map(|answer| (answer.status, answer.whole)).collect::<Vec<_>>(),
            [(401, true), (200, true), (200, false)]
        );
        assert_eq!(found[1].body, Some(json!([1])));
        let mut lengths = Vec::new();
        let mut rest = &bytes[..];
        while let Some(length) = answer_length(rest) {
            lengths.push(length);
            rest = &rest[length..];
        }
        assert_eq!(
            lengths,
            [75, 65],
            "the first with the informational one before it; the last is not complete"
        );
    }

    #[test]
    fn only_framing_ends_a_message_before_its_connection_does() {
        assert_eq!(answer_length(b"HTTP/1.1 200 OK\r\n\r\n{}"), None);
        assert_eq!(answer_length(b"HTTP/1.1 204 No Content\r\n\r\nHTTP"), Some(27));
        assert_eq!(request_length(b"GET / HTTP/1.1\r\n\r\nGET"), Some(18));
        assert_eq!(request_length(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}x"), Some(40));
        assert_eq!(request_length(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n{}"), None);
    }

    #[test]
    fn what_ends_with_the_connection_is_whole_and_a_length_that_is_none_is_no_length() {
        for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"] {
            let found = answers(format!("{head}{{}}").as_bytes());
            assert_eq!((found.len(), found[0].whole, found[0].text.as_str()), (1, true, "{}"));
        }
    }

    #[test]
    fn a_request_is_read_with_its_body_in_either_framing() {
        for framing in [
            "Content-Length: 8\r\n\r\n{\"a\": 1}",
            "Transfer-Encoding: Chunked\r\n\r\n8\r\n{\"a\": 1}\r\n0\r\n\r\n",
        ] {
            let found =
                request(format!("POST /x HTTP/1.1\r\nA-B: c\r\n{framing}").as_bytes()).expect("a request");
            assert_eq!((found.method.as_str(), found.path.as_str()), ("POST", "/x"));
            assert_eq!(found.headers[0], ("a-b".to_owned(), "c".to_owned()));
            assert_eq!(found.body, Some(json!({ "a": 1 })));
        }
        assert_eq!(
            request(b"POST /x HTTP/1.1\r\nContent-Length: 9\r\n\r\n{").and_then(|found| found.body),
            None
        );
        assert_eq!(request(b"POST /x"), None);
    }

    /// Pieces of answers, right and wrong ones.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..30),
            prop::sample::select(vec![
                "HTTP/1.1 200 OK\r\n",
                "HTTP/1.1 100 Continue\r\n\r\n",
                "HTTP/1.1 999 \r\n",
                "Content-Length: 5\r\n",
                "Content-Length: 18446744073709551615\r\n",
                "Content-Length: -1\r\n",
                "Transfer-Encoding: chunked\r\n",
                "\r\n",
                "5\r\nhello\r\n",
                "ffffffffffffffff\r\n",
                "fffffffffffffffe\r\nx",
                "0\r\n\r\n",
                "{}",
                "POST / HTTP/1.1\r\n",
            ])
            .prop_map(|text| text.as_bytes().to_vec()),
        ];
        prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_bytes_are_too_odd(bytes in bytes()) {
            let found = answers(&bytes);
            prop_assert!(answer_length(&bytes).is_none_or(|length| length <= bytes.len()));
            prop_assert!(request_length(&bytes).is_none_or(|length| length <= bytes.len()));
            // Only the last answer can lack something.
            prop_assert!(found.iter().rev().skip(1).all(|answer| answer.whole));
            request(&bytes);
        }

        #[test]
        fn an_answer_that_breaks_off_is_never_whole(body in ".{0,40}", chunked: bool, cut in any::<prop::sample::Index>()) {
            let length = body.len();
            let framing = if chunked && length > 0 {
                format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n")
            } else {
                format!("Content-Length: {length}\r\n\r\n{body}")
            };
            let bytes = format!("HTTP/1.1 200 OK\r\n{framing}").into_bytes();
            let whole = answers(&bytes);
            prop_assert_eq!((whole.len(), whole[0].whole, &whole[0].text), (1, true, &body));
            prop_assert_eq!(answer_length(&bytes), Some(bytes.len()));
            prop_assert_eq!(answer_length(&bytes[..cut.index(bytes.len())]), None);
        }
    }
}
