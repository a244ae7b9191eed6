//! Reading raw HTTP answers and requests, with httparse and nothing of ours.

use serde_json::{Value, json};

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

/// How many answers are complete.
pub(crate) fn complete_answers(bytes: &[u8]) -> usize {
    answers(bytes).iter().filter(|answer| answer.whole).count()
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
    let text = String::from_utf8_lossy(&content).into_owned();
    let body = serde_json::from_slice(&content).ok();
    Some((HttpAnswer { status, headers, text, body, whole }, head + used))
}

fn body(headers: &[(String, String)], bytes: &[u8], status: u16) -> (Vec<u8>, usize, bool) {
    if (100..200).contains(&status) {
        return (Vec::new(), 0, true);
    }
    let header = |name: &str| headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.trim());
    if header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        return chunks(bytes);
    }
    match header("content-length").and_then(|length| length.parse::<usize>().ok()) {
        Some(length) => {
            let content = bytes.get(..length);
            (content.unwrap_or(bytes).to_vec(), length.min(bytes.len()), content.is_some())
        }
        None => (bytes.to_vec(), bytes.len(), true),
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

/// One request as it came over the wire.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HttpRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    /// The body as JSON, if it is JSON.
    pub(crate) body: Option<Value>,
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
        assert_eq!(complete_answers(bytes), 2);
    }
}
