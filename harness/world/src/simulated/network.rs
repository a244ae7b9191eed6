//! The loopback network of a simulated machine.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use crate::host::Host;
use crate::life::Mortal;
use crate::network::Address;
use crate::simulated::Machine;
use crate::simulated::pipe::{End, Ends, PipeReader, PipeWriter, connection};

/// A port that something listens on.
pub(crate) struct Listening {
    port: u16,
    machine: Machine,
    waiting: RefCell<VecDeque<Socket>>,
    arrived: Notify,
    closed: Cell<bool>,
}

impl Listening {
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the next connection and hands it to `host`.
    pub(crate) async fn accept(&self, host: &Host) -> Socket {
        loop {
            host.life().alive().await;
            let next = self.waiting.borrow_mut().pop_front();
            if let Some(socket) = next {
                socket.belong_to(host);
                return socket;
            }
            self.arrived.notified().await;
        }
    }

    fn close(&self) {
        if !self.closed.replace(true) {
            self.machine.stop_listening(self.port);
            // Connections that nobody took are refused late: their other side sees them closed.
            self.waiting.borrow_mut().clear();
        }
    }
}

impl Mortal for Listening {
    fn die(&self) {
        self.close();
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.close();
    }
}

/// One side of a connection.
pub(crate) struct Socket {
    read: Rc<End>,
    write: Rc<End>,
    reader: PipeReader,
    writer: PipeWriter,
}

impl Socket {
    fn new((read, write): Ends) -> Self {
        Self { reader: PipeReader::new(read.clone()), writer: PipeWriter(write.clone()), read, write }
    }

    fn belong_to(&self, host: &Host) {
        host.life().hold(&self.read);
        host.life().hold(&self.write);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.read.close();
        self.write.close();
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reader).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_shutdown(context)
    }
}

/// Opens a connection. In weather that stalls from the first byte on, it never comes about.
pub(crate) async fn connect(machine: &Machine, host: &Host, address: &Address) -> io::Result<Socket> {
    let weather = machine.weather(host.name(), address.port);
    if weather.stall_after == Some(0) {
        std::future::pending::<()>().await;
    }
    let listening = machine.listening(address.port).filter(|_| address.is_loopback());
    let listening = listening.ok_or_else(|| io::Error::from_raw_os_error(111))?;
    let (near, far) = connection(weather);
    let near = Socket::new(near);
    near.belong_to(host);
    listening.waiting.borrow_mut().push_back(Socket::new(far));
    listening.arrived.notify_one();
    Ok(near)
}

pub(crate) fn listen(machine: &Machine, host: &Host, address: &Address) -> io::Result<Rc<Listening>> {
    let port = if address.port == 0 { machine.free_port() } else { address.port };
    if machine.listening(port).is_some() {
        return Err(io::Error::from_raw_os_error(98));
    }
    let listening = Rc::new(Listening {
        port,
        machine: machine.clone(),
        waiting: RefCell::default(),
        arrived: Notify::new(),
        closed: Cell::new(false),
    });
    machine.start_listening(port, &listening);
    host.life().hold(&listening);
    Ok(listening)
}
