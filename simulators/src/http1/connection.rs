//! One connection of a server: heads and bodies in, answers out.

use std::io;
use std::time::Duration;

use gauntlet_world::Host;
use gauntlet_world::network::Stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Framing, Head, Length};
use gauntlet_world::injection::Mangle;

const MAX_HEADERS: usize = 64;

/// Why no further request can be read from a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The client closed, or the connection broke.
    #[error("the client closed the connection")]
    Closed,
    /// The bytes are no HTTP request.
    #[error("the bytes are no HTTP request")]
    Malformed,
    /// The head is over the limit.
    #[error("the request head is too large")]
    HeadTooLarge,
    /// The body is over the limit.
    #[error("the request body is too large")]
    BodyTooLarge,
    /// The client took too long.
    #[error("the client took too long")]
    Slow,
}

/// One connection.
pub struct Connection<'a> {
    host: Host,
    framing: &'a Framing,
    stream: Stream,
    buffer: Vec<u8>,
}

impl<'a> Connection<'a> {
    /// A connection that was just accepted.
    pub fn new(host: &Host, framing: &'a Framing, stream: Stream) -> Self {
        Self { host: host.clone(), framing, stream, buffer: Vec::new() }
    }

    /// The next request's head. The body is still unread. A client that has said nothing when the patience is over counts as
    /// gone.
    pub async fn head(&mut self) -> Result<Head, Refused> {
        let (host, patience) = (self.host.clone(), self.patience());
        match host.clock().within(patience, self.read_head()).await {
            Some(head) => head,
            None if self.buffer.is_empty() => Err(Refused::Closed),
            None => Err(Refused::Slow),
        }
    }

    async fn read_head(&mut self) -> Result<Head, Refused> {
        loop {
            if let Some((head, length)) = parse_head(&self.buffer)? {
                self.buffer.drain(..length);
                return Ok(head);
            }
            if self.buffer.len() > self.framing.max_head {
                return Err(Refused::HeadTooLarge);
            }
            self.more().await?;
        }
    }

    /// The body of the request whose head was read, if it is not over `limit` bytes.
    pub async fn body(&mut self, head: &Head, limit: usize) -> Result<Vec<u8>, Refused> {
        let (host, patience) = (self.host.clone(), self.patience());
        host.clock().within(patience, self.read_body(head, limit)).await.unwrap_or(Err(Refused::Slow))
    }

    async fn read_body(&mut self, head: &Head, limit: usize) -> Result<Vec<u8>, Refused> {
        if head.expects_continue() && self.buffer.is_empty() {
            let go_ahead = self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
            go_ahead.map_err(|_| Refused::Closed)?;
        }
        match head.length() {
            Length::Bytes(length) if length > limit => Err(Refused::BodyTooLarge),
            Length::Bytes(length) => self.take(length).await,
            Length::Chunked if self.framing.reads_chunks => self.chunks(limit).await,
            Length::Chunked | Length::Invalid => Ok(Vec::new()),
        }
    }

    /// Whether the body of a request that was refused without reading it can be dropped. False: the connection cannot be
    /// used again, since where the next request begins is not known or too far away.
    pub fn can_drop_body(&self, head: &Head, limit: usize) -> bool {
        if !self.framing.drains_refused_bodies {
            return true;
        }
        match head.length() {
            Length::Invalid => false,
            Length::Bytes(length) => length <= limit && (length == 0 || !head.expects_continue()),
            // A client that waits for a go-ahead it does not get sends nothing.
            Length::Chunked => !head.expects_continue(),
        }
    }

    /// Whether a part of a request is there that was not read.
    pub fn holds_a_part(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Reads and drops a body for which [`can_drop_body`](Self::can_drop_body) holds, after the refusal was sent. False: it
    /// did not come.
    pub async fn drop_body(&mut self, head: &Head, limit: usize) -> bool {
        !self.framing.drains_refused_bodies || self.body(head, limit).await.is_ok()
    }

    /// Waits until the client has hung up, while its answer is being made. What it sends meanwhile is kept for its next request; after
    /// as much as a head may be long nobody looks any further.
    pub async fn hung_up(&mut self) {
        while self.buffer.len() <= self.framing.max_head {
            if self.more().await.is_err() {
                return;
            }
        }
        std::future::pending().await
    }

    /// Sends an answer with a JSON body.
    pub async fn answer(
        &mut self,
        status: u16,
        body: &[u8],
        stays_open: bool,
        mangle: Mangle,
    ) -> io::Result<()> {
        let mut bytes = format!("HTTP/1.1 {status} {}\r\n", reason(status)).into_bytes();
        if let Some(server) = &self.framing.server {
            bytes.extend_from_slice(format!("Server: {server}\r\n").as_bytes());
        }
        if self.framing.date {
            bytes.extend_from_slice(format!("Date: {}\r\n", self.host.clock().wall().http_date()).as_bytes());
        }
        bytes.extend_from_slice(b"Content-Type: application/json\r\n");
        if !stays_open {
            bytes.extend_from_slice(b"Connection: close\r\n");
        }
        if self.framing.writes_chunks {
            bytes.extend_from_slice(
                format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len()).as_bytes(),
            );
            bytes.extend_from_slice(body);
            bytes.extend_from_slice(b"\r\n0\r\n\r\n");
        } else {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
            bytes.extend_from_slice(body);
        }
        self.stream.write_all(&mangle.apply(bytes)).await?;
        self.stream.flush().await
    }

    /// Sends bytes as they are, of whoever frames an answer himself.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Closes our side, and gives the client a moment to read what was sent before the connection goes.
    pub async fn close(mut self) {
        let _ = self.stream.shutdown().await;
        let mut scrap = vec![0; 4096];
        let host = self.host.clone();
        let drain = async {
            let mut left = 4 * gauntlet_protocol::fleet::MAX_BODY;
            while let Ok(read) = self.stream.read(&mut scrap).await {
                left = left.saturating_sub(read);
                if read == 0 || left == 0 {
                    break;
                }
            }
        };
        host.clock().within(Duration::from_secs(2), drain).await;
    }

    async fn take(&mut self, length: usize) -> Result<Vec<u8>, Refused> {
        while self.buffer.len() < length {
            self.more().await?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    async fn chunks(&mut self, limit: usize) -> Result<Vec<u8>, Refused> {
        let mut body = Vec::new();
        loop {
            let (size_line, length) = loop {
                match httparse::parse_chunk_size(&self.buffer) {
                    Ok(httparse::Status::Complete((used, size))) => break (used, size),
                    Ok(httparse::Status::Partial) if self.buffer.len() > 1024 => {
                        return Err(Refused::Malformed);
                    }
                    Ok(httparse::Status::Partial) => self.more().await?,
                    Err(_) => return Err(Refused::Malformed),
                }
            };
            self.buffer.drain(..size_line);
            let length = usize::try_from(length).map_err(|_| Refused::BodyTooLarge)?;
            if body.len().saturating_add(length) > limit {
                return Err(Refused::BodyTooLarge);
            }
            if length == 0 {
                // Trailers end with an empty line; none are of interest.
                while self.line().await?.len() > 2 {}
                return Ok(body);
            }
            body.extend(self.take(length).await?);
            if self.take(2).await? != b"\r\n" {
                return Err(Refused::Malformed);
            }
        }
    }

    async fn line(&mut self) -> Result<Vec<u8>, Refused> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                return Ok(self.buffer.drain(..=end).collect());
            }
            if self.buffer.len() > self.framing.max_head {
                return Err(Refused::HeadTooLarge);
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Result<(), Refused> {
        self.buffer.reserve(8192);
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) | Err(_) => Err(Refused::Closed),
            Ok(_) => Ok(()),
        }
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(self.framing.patience_s)
    }
}

fn parse_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, Refused> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(bytes) {
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete(length)) => {
            let headers =
                request.headers.iter().map(|field| (field.name.to_ascii_lowercase(), field.value.to_vec()));
            let head = Head {
                method: request.method.unwrap_or_default().to_owned(),
                path: request.path.unwrap_or_default().to_owned(),
                minor: request.version.unwrap_or(1),
                headers: headers.collect(),
            };
            Ok(Some((head, length)))
        }
        Err(httparse::Error::TooManyHeaders) => Err(Refused::HeadTooLarge),
        Err(_) => Err(Refused::Malformed),
    }
}

pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        413 => "Request Entity Too Large",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Unknown",
    }
}
