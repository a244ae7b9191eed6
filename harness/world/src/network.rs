//! The network port: byte streams, always. Messages, framing and requests are made of them by whoever talks.
#![expect(
    clippy::disallowed_types,
    reason = "this is the port: the ban keeps everyone else from going around it"
)]

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::str::FromStr;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::fault::Moment;
use crate::host::{Cut, Host, Mechanics, PORT};
use crate::simulated::network as simulated;
use crate::simulated::world::Decision;
use crate::touch::Op;

/// Where something listens: a host name or literal address, and a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// `127.0.0.1`, `localhost`, `::1` or another name.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Address {
    /// A port on the loopback interface.
    pub fn loopback(port: u16) -> Self {
        Self { host: "127.0.0.1".to_owned(), port }
    }

    /// Whether only this machine can reach it (sheet 2.7: trimmed, case-insensitive; the empty host counts).
    pub fn is_loopback(&self) -> bool {
        matches!(self.host.trim().to_ascii_lowercase().as_str(), "127.0.0.1" | "::1" | "localhost" | "")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A text is not `host:port`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected host:port with a port from 0 to 65535, found {0:?}")]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(text.chars().take(80).collect());
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        // A second colon belongs to an address of version 6, or the text is something else.
        if bare.contains(':') && bare.parse::<Ipv6Addr>().is_err() {
            return Err(wrong());
        }
        let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|_| is_number).ok_or_else(wrong)?;
        Ok(Self { host: bare.to_owned(), port })
    }
}

/// Which side of a connection a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It opened the connection.
    Connected,
    /// It accepted the connection.
    Accepted,
}

/// Which way bytes went, seen from the tapped host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The host wrote them.
    Sent,
    /// The host read them.
    Received,
}

/// Sees the bytes of a host's connections, both ways, as they pass. This is how raw HTTP reaches the trace in both lanes.
pub trait Tap {
    /// A connection was opened. The number names it in later calls.
    fn opened(&self, side: Side, port: u16) -> u64;
    /// Bytes passed.
    fn bytes(&self, connection: u64, flow: Flow, bytes: &[u8]);
    /// The host let the connection go.
    fn closed(&self, connection: u64);
}

/// The network of one host.
pub struct Network<'a>(pub(crate) &'a Host);

impl Network<'_> {
    /// Opens a connection.
    pub async fn connect(&self, address: &Address) -> io::Result<Stream> {
        let target = address.to_string();
        let _call = self.0.call(Op::NetConnect.name(), &target);
        self.0.before(Op::NetConnect, &target).await?;
        let io = match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => {
                Io::Simulated(simulated::connect(machine, self.0, address).await?)
            }
            Mechanics::Real(_) => {
                let stream = tokio::net::TcpStream::connect((real_name(address), address.port)).await?;
                stream.set_nodelay(true)?;
                Io::Real(stream)
            }
        };
        let stream = Stream::new(self.0, io, Side::Connected, address.port, target.clone());
        self.0.after(Op::NetConnect, &target).await;
        Ok(stream)
    }

    /// Begins to listen. Port 0 lets the system choose one.
    pub async fn listen(&self, address: &Address) -> io::Result<Listener> {
        let target = address.to_string();
        let _call = self.0.call(Op::NetListen.name(), &target);
        self.0.before(Op::NetListen, &target).await?;
        let io = match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => {
                ListenIo::Simulated(simulated::listen(machine, self.0, address)?)
            }
            Mechanics::Real(_) => {
                ListenIo::Real(tokio::net::TcpListener::bind((real_name(address), address.port)).await?)
            }
        };
        let port = match &io {
            ListenIo::Simulated(listener) => listener.port(),
            ListenIo::Real(listener) => listener.local_addr()?.port(),
        };
        self.0.after(Op::NetListen, &target).await;
        Ok(Listener { host: self.0.clone(), io, port })
    }

    /// Fails where somebody listens at a port of this machine already. Nobody listens there afterwards, not even for a moment: a program
    /// that is being started elsewhere in this process would hold a listener open until it runs, and whoever connects meanwhile is
    /// taken and dropped.
    pub fn is_free(&self, port: u16) -> io::Result<()> {
        match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => {
                simulated::listen(machine, self.0, &Address::loopback(port)).map(drop)
            }
            Mechanics::Real(_) => {
                let socket = tokio::net::TcpSocket::new_v4()?;
                socket.set_reuseaddr(true)?;
                socket.bind((Ipv4Addr::LOCALHOST, port).into())
            }
        }
    }
}

/// Something that listens. It stops when it is dropped or its process ends.
pub struct Listener {
    host: Host,
    io: ListenIo,
    port: u16,
}

enum ListenIo {
    Simulated(Rc<simulated::Listening>),
    Real(tokio::net::TcpListener),
}

impl Listener {
    /// The port, also when the system chose it.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the next connection.
    pub async fn accept(&self) -> io::Result<Stream> {
        let target = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.port).to_string();
        let _call = self.host.call(Op::NetAccept.name(), &target);
        let io = match &self.io {
            ListenIo::Simulated(listening) => Io::Simulated(listening.accept(&self.host).await),
            ListenIo::Real(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Io::Real(stream)
            }
        };
        self.host.before(Op::NetAccept, &target).await?;
        let stream = Stream::new(&self.host, io, Side::Accepted, self.port, target.clone());
        self.host.after(Op::NetAccept, &target).await;
        Ok(stream)
    }
}

/// The name that the operating system is asked for. An empty one stands for this machine, as [`Address::is_loopback`] says.
fn real_name(address: &Address) -> &str {
    match address.host.trim() {
        "" => "127.0.0.1",
        name => name,
    }
}

/// A connection: bytes both ways.
pub struct Stream {
    host: Host,
    io: Io,
    target: String,
    tapped: Option<u64>,
    /// A write that was counted as a touch and has waited for room since.
    waiting: Option<Cut>,
}

enum Io {
    Simulated(simulated::Socket),
    Real(tokio::net::TcpStream),
}

impl Stream {
    fn new(host: &Host, io: Io, side: Side, port: u16, target: String) -> Self {
        let tapped = host.inner.tap.as_ref().map(|tap| tap.opened(side, port));
        Self { host: host.clone(), io, target, tapped, waiting: None }
    }

    fn tap(&self, flow: Flow, bytes: &[u8]) {
        if let (Some(tap), Some(connection)) = (&self.host.inner.tap, self.tapped)
            && !bytes.is_empty()
        {
            tap.bytes(connection, flow, bytes);
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let (Some(tap), Some(connection)) = (&self.host.inner.tap, self.tapped) {
            tap.closed(connection);
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.host.is_dead() {
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let polled = match &mut self.io {
            Io::Simulated(socket) => Pin::new(socket).poll_read(context, buffer),
            Io::Real(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        if let Poll::Ready(Ok(())) = &polled {
            let bytes = buffer.filled().len() - before;
            tracing::trace!(target: PORT, host = self.host.name(), target = self.target, bytes, "net.read");
            self.tap(Flow::Received, &buffer.filled()[before..]);
        }
        polled
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.host.is_dead() {
            return Poll::Pending;
        }
        let cut = match self.waiting.take() {
            Some(cut) => cut,
            None => match self.host.decide_now(Op::NetWrite, &self.target, Moment::Before) {
                Decision::Proceed => Cut::None,
                Decision::Torn(errno) => Cut::Half(errno),
                Decision::Fail(errno) => return Poll::Ready(Err(errno.error())),
                Decision::Dead => return Poll::Pending,
            },
        };
        let bytes = cut.part(bytes);
        let polled = match &mut self.io {
            Io::Simulated(socket) => Pin::new(socket).poll_write(context, bytes),
            Io::Real(stream) => Pin::new(stream).poll_write(context, bytes),
        };
        match &polled {
            Poll::Pending => self.waiting = Some(cut),
            Poll::Ready(Err(_)) => {}
            Poll::Ready(Ok(written)) => {
                tracing::trace!(target: PORT, host = self.host.name(), target = self.target, bytes = written, "net.write");
                self.tap(Flow::Sent, &bytes[..*written]);
                if let Decision::Dead = self.host.decide_now(Op::NetWrite, &self.target, Moment::After) {
                    return Poll::Pending;
                }
            }
        }
        polled.map(|outcome| cut.outcome(outcome))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.host.is_dead() {
            return Poll::Pending;
        }
        match &mut self.io {
            Io::Simulated(_) => Poll::Ready(Ok(())),
            Io::Real(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.host.is_dead() {
            return Poll::Pending;
        }
        match &mut self.io {
            Io::Simulated(socket) => Pin::new(socket).poll_shutdown(context),
            Io::Real(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_written() {
        for (text, host, port) in [
            ("127.0.0.1:8080", "127.0.0.1", 8080),
            ("localhost:0", "localhost", 0),
            (":80", "", 80),
            ("[::1]:80", "::1", 80),
            ("peer.example:65535", "peer.example", 65_535),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.host.as_str(), address.port), (host, port));
            assert_eq!(address.to_string(), text);
        }
        assert_eq!("::1:80".parse(), Ok(Address { host: "::1".to_owned(), port: 80 }));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in
            ["", "80", "host", "host:", "host:-1", "host:+1", "host:65536", "host:80:90", "::1", "[::1]"]
        {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
        let error = "host:none".parse::<Address>().unwrap_err().to_string();
        assert_eq!(error, r#"expected host:port with a port from 0 to 65535, found "host:none""#);
    }

    #[test]
    fn loopback_is_what_only_this_machine_reaches() {
        for (host, is_loopback) in [
            ("127.0.0.1", true),
            (" LocalHost ", true),
            ("::1", true),
            ("", true),
            ("0.0.0.0", false),
            ("peer", false),
        ] {
            assert_eq!(Address { host: host.to_owned(), port: 1 }.is_loopback(), is_loopback, "{host:?}");
        }
    }
}
