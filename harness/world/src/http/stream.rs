//! An answer that is read as it comes: event streams, and what is longer than other answers may be.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;

use super::{Answer, HttpError, HyperIo, Request};
use crate::host::Host;
use crate::race::{Either, race};

type Driven = http1::Connection<HyperIo, Full<Bytes>>;

/// An answer whose head came. The connection ends when this is dropped.
pub struct Streaming {
    /// The status code.
    pub status: u16,
    /// Header fields with lower-case names, in order of arrival.
    pub headers: Vec<(String, String)>,
    body: Incoming,
    /// What reads the connection; nothing when that is over.
    connection: Option<Pin<Box<Driven>>>,
    /// The connection counts as wanted as long as this lives.
    _sender: http1::SendRequest<Full<Bytes>>,
}

/// Sends a request and waits for the head of its answer. The request's limit is for that alone.
pub async fn open(host: &Host, request: Request) -> Result<Streaming, HttpError> {
    let sent = Rc::new(Cell::new(false));
    let limit = request.limit;
    let outcome = host.clock().within(limit, unlimited(host, request, sent.clone())).await;
    outcome.unwrap_or_else(|| Err(HttpError::Timeout { limit, sent: sent.get() }))
}

/// Makes one exchange whose answer may have `cap` bytes, within the request's limit.
pub async fn exchange_up_to(host: &Host, request: Request, cap: usize) -> Result<Answer, HttpError> {
    let limit = request.limit;
    let whole = async {
        let mut streaming = open(host, request).await?;
        let mut body = Vec::new();
        while let Some(bytes) = streaming.next().await? {
            if body.len() + bytes.len() > cap {
                return Err(HttpError::Body(format!("it has more than {cap} bytes")));
            }
            body.extend_from_slice(&bytes);
        }
        Ok(Answer { status: streaming.status, headers: streaming.headers, body })
    };
    // What is over in here has sent its request: a limit for the head alone is no longer than this one.
    host.clock().within(limit, whole).await.unwrap_or(Err(HttpError::Timeout { limit, sent: true }))
}

async fn unlimited(host: &Host, request: Request, sent: Rc<Cell<bool>>) -> Result<Streaming, HttpError> {
    let (message, address) = super::message(request)?;
    let stream = host
        .network()
        .connect(&address)
        .await
        .map_err(|source| HttpError::Connect { address: address.clone(), source })?;
    let broken = |source| HttpError::Broken { source, sent: sent.get() };
    let (mut sender, connection) =
        http1::handshake(HyperIo::noting(stream, sent.clone())).await.map_err(broken)?;
    let mut connection = Some(Box::pin(connection));
    let answer = {
        let mut answer = std::pin::pin!(sender.send_request(message));
        match race(answer.as_mut(), drive(&mut connection)).await {
            Either::First(answer) => answer,
            Either::Second(()) => answer.await,
        }
    };
    let (head, body) = answer.map_err(broken)?.into_parts();
    Ok(Streaming {
        status: head.status.as_u16(),
        headers: super::headers(&head.headers),
        body,
        connection,
        _sender: sender,
    })
}

/// Reads and writes until the connection is over, which is forgotten then: what it ended with, the answer says, too.
async fn drive(connection: &mut Option<Pin<Box<Driven>>>) {
    if let Some(driven) = connection {
        let _ = driven.as_mut().await;
        *connection = None;
    }
}

impl Streaming {
    /// The next bytes of the body; nothing at its end. Whoever drops this while it waits loses no bytes.
    pub async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        loop {
            let frame = match &mut self.connection {
                None => self.body.frame().await,
                connection => match race(self.body.frame(), drive(connection)).await {
                    Either::First(frame) => frame,
                    Either::Second(()) => continue,
                },
            };
            match frame {
                None => return Ok(None),
                Some(Err(error)) => return Err(HttpError::Body(error.to_string())),
                // Trailers are of no interest.
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }

    /// The first header field of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}
