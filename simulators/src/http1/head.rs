//! The head of a request.

/// Method, path and header fields of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// `GET`, `POST`, …
    pub method: String,
    /// The request target as it came.
    pub path: String,
    /// The minor version: 0 or 1.
    pub minor: u8,
    /// Header fields with lower-case names, in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

/// What a head says of the length of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// So many bytes; 0 when nothing is said.
    Bytes(usize),
    /// Chunks until the last one.
    Chunked,
    /// A `Content-Length` that is no count of bytes, or several that differ.
    Invalid,
}

impl Head {
    /// The first header field of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_slice())
    }

    /// How long the body is said to be.
    pub fn length(&self) -> Length {
        if self.has_token("transfer-encoding", "chunked") {
            return Length::Chunked;
        }
        let mut lengths =
            self.headers.iter().filter(|(name, _)| name == "content-length").map(|(_, value)| {
                let text = std::str::from_utf8(value).ok()?.trim();
                // Digits alone: `parse` would also take a leading plus sign.
                text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<usize>().ok()).flatten()
            });
        match lengths.next() {
            None => Length::Bytes(0),
            Some(first) if lengths.any(|other| other != first) => Length::Invalid,
            Some(Some(bytes)) => Length::Bytes(bytes),
            Some(None) if self.too_large_to_count() => Length::Bytes(usize::MAX),
            Some(None) => Length::Invalid,
        }
    }

    /// All digits, and still not a number: it is a length, only a huge one.
    fn too_large_to_count(&self) -> bool {
        let value = self.header("content-length").unwrap_or_default().trim_ascii();
        !value.is_empty() && value.iter().all(u8::is_ascii_digit)
    }

    /// Whether the client wants the connection to stay open.
    pub fn wants_more(&self) -> bool {
        if self.minor == 0 {
            self.has_token("connection", "keep-alive")
        } else {
            !self.has_token("connection", "close")
        }
    }

    /// Whether the client waits for a go-ahead before it sends the body.
    pub fn expects_continue(&self) -> bool {
        self.has_token("expect", "100-continue")
    }

    fn has_token(&self, name: &str, token: &str) -> bool {
        let values = self.headers.iter().filter(|(found, _)| found == name);
        values
            .flat_map(|(_, value)| value.split(|byte| *byte == b','))
            .any(|part| part.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }
}
