//! The one HTTP client of both lanes: hyper's HTTP/1 connection over the network port, with our own policy.
//!
//! A connection carries one exchange, so the bytes of a connection are the bytes of an exchange. Redirects are never
//! followed (a callback goes to the configured place or nowhere, FLEET-CB-05), and answers are capped in size.

mod stream;

pub use stream::{Streaming, exchange_up_to, open};

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::str::FromStr;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::rt::ReadBufCursor;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::host::Host;
use crate::network::{Address, Stream};
use crate::race::{Either, race};

/// An answer's body is read up to this many bytes: as many as a receiver takes of a request. Nobody who answers on the same
/// connection has more to say; long results come by callback.
pub const MAX_ANSWER: usize = 1024 * 1024;

/// Where a request goes: `http://host:port/path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// The address.
    pub address: Address,
    /// The path with its query, beginning with `/`.
    pub path: String,
}

/// A text is not a URL that this client can reach.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It asks for TLS.
    #[error(
        "expected http://host[:port][/path], found {0:?}: TLS is not spoken here, so name a proxy of this machine that speaks it"
    )]
    Tls(String),
    /// It is something else.
    #[error("expected http://host[:port][/path], found {0:?}")]
    Odd(String),
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let found = || text.chars().take(200).collect();
        let wrong = || UrlError::Odd(found());
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        if scheme.eq_ignore_ascii_case("https") {
            return Err(UrlError::Tls(found()));
        }
        // A fragment is never sent.
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let is_odd = |text: &str| text.chars().any(|c| c.is_control() || c.is_whitespace());
        if !scheme.eq_ignore_ascii_case("http")
            || authority.contains('@')
            || is_odd(authority)
            || is_odd(path)
        {
            return Err(wrong());
        }
        // Behind a bracketed address of version 6, a colon that is left begins a port.
        let has_port = authority.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
        let address = if has_port { authority.parse() } else { format!("{authority}:80").parse() };
        let address: Address = address.map_err(|_| wrong())?;
        if address.host.is_empty() || address.host.contains(['[', ']']) {
            return Err(wrong());
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { address, path })
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}{}", self.address, self.path)
    }
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Where it goes.
    pub url: Url,
    /// Header fields beside `Host` and `Content-Length`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Limit for the whole exchange, from connecting to the last byte of the answer.
    pub limit: Duration,
}

/// An answer, read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header fields with lower-case names, in order of arrival.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no answer. The distinction that matters to a sender is whether the peer can have acted on the request.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The request cannot be written as HTTP.
    #[error("the request cannot be sent: {0}")]
    Request(String),
    /// No connection came about: nothing was sent.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Where to.
        address: Address,
        /// Why not.
        source: std::io::Error,
    },
    /// The limit passed.
    #[error("no answer within {limit:?}{}", if *.sent { " after the request was sent" } else { "" })]
    Timeout {
        /// The limit.
        limit: Duration,
        /// Whether any byte of the request was written.
        sent: bool,
    },
    /// The connection ended, or what came is not HTTP.
    #[error("broken answer: {source}")]
    Broken {
        /// What hyper says.
        source: hyper::Error,
        /// Whether any byte of the request was written.
        sent: bool,
    },
    /// The body did not come whole, or is over the cap.
    #[error("broken body of the answer: {0}")]
    Body(String),
}

impl HttpError {
    /// Whether the peer can have seen the request, so that sending it again could run it twice.
    pub fn may_have_been_seen(&self) -> bool {
        match self {
            HttpError::Request(_) | HttpError::Connect { .. } => false,
            HttpError::Timeout { sent, .. } | HttpError::Broken { sent, .. } => *sent,
            HttpError::Body(_) => true,
        }
    }
}

/// Makes one exchange.
pub async fn exchange(host: &Host, request: Request) -> Result<Answer, HttpError> {
    let sent = Rc::new(Cell::new(false));
    let limit = request.limit;
    let outcome = host.clock().within(limit, unlimited(host, request, sent.clone())).await;
    outcome.unwrap_or_else(|| Err(HttpError::Timeout { limit, sent: sent.get() }))
}

async fn unlimited(host: &Host, request: Request, sent: Rc<Cell<bool>>) -> Result<Answer, HttpError> {
    let (message, address) = message(request)?;
    let stream = host
        .network()
        .connect(&address)
        .await
        .map_err(|source| HttpError::Connect { address: address.clone(), source })?;
    let io = HyperIo::noting(stream, sent.clone());
    let broken = |source| HttpError::Broken { source, sent: sent.get() };
    let (mut sender, connection) = http1::handshake(io).await.map_err(broken)?;
    let answer = async {
        let answer = sender.send_request(message).await.map_err(broken)?;
        read(answer).await
    };
    // The connection is driven until the answer is whole; its own end says nothing that the answer does not say.
    let mut connection = std::pin::pin!(connection);
    let mut answer = std::pin::pin!(answer);
    match race(answer.as_mut(), connection.as_mut()).await {
        Either::First(outcome) => outcome,
        Either::Second(_) => answer.await,
    }
}

/// A request as hyper wants it, and where it goes.
fn message(request: Request) -> Result<(hyper::Request<Full<Bytes>>, Address), HttpError> {
    let address = request.url.address;
    let mut message = hyper::Request::builder()
        .method(request.method.as_str())
        .uri(request.url.path.as_str())
        .header("host", address.to_string());
    for (name, value) in &request.headers {
        message = message.header(name, value);
    }
    let message = message.body(Full::new(Bytes::from(request.body)));
    Ok((message.map_err(|error| HttpError::Request(error.to_string()))?, address))
}

fn headers(fields: &hyper::HeaderMap) -> Vec<(String, String)> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    fields.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect()
}

async fn read(answer: hyper::Response<Incoming>) -> Result<Answer, HttpError> {
    let (head, body) = answer.into_parts();
    let headers = headers(&head.headers);
    let body =
        Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| HttpError::Body(error.to_string()))?;
    Ok(Answer { status: head.status.as_u16(), headers, body: body.to_bytes().to_vec() })
}

/// A stream of the network port in the shape that hyper reads and writes.
pub struct HyperIo {
    stream: Stream,
    wrote: Rc<Cell<bool>>,
    /// hyper's cursor hands out uninitialised memory, which safe code fills through a buffer of its own.
    space: Box<[u8]>,
}

impl HyperIo {
    /// Wraps a connection.
    pub fn new(stream: Stream) -> Self {
        Self::noting(stream, Rc::default())
    }

    /// The same; `wrote` tells whether any byte was written.
    fn noting(stream: Stream, wrote: Rc<Cell<bool>>) -> Self {
        Self { stream, wrote, space: vec![0; 8192].into_boxed_slice() }
    }
}

impl hyper::rt::Read for HyperIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        let Self { stream, space, .. } = &mut *self;
        let length = cursor.remaining().min(space.len());
        let mut buffer = ReadBuf::new(&mut space[..length]);
        let polled = Pin::new(stream).poll_read(context, &mut buffer);
        if let Poll::Ready(Ok(())) = &polled {
            cursor.put_slice(buffer.filled());
        }
        polled
    }
}

impl hyper::rt::Write for HyperIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(written)) = &polled
            && *written > 0
        {
            self.wrote.set(true);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
