//! Byte channels in memory: a process' standard stream, and the two directions of a connection.
#![expect(clippy::disallowed_methods, reason = "what passes a pipe waits below the clock port")]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::life::Mortal;

/// As many bytes as a pipe or a socket buffer of the real world holds before its writer waits.
pub(crate) const CAPACITY: usize = 65_536;

const BROKEN_PIPE: i32 = 32;
const RESET: i32 = 104;

/// What a channel does to the bytes that pass it. The default does nothing.
#[derive(Clone, Copy, Default)]
pub(crate) struct Weather {
    pub(crate) latency: Duration,
    pub(crate) cut_after: Option<u64>,
    pub(crate) stall_after: Option<u64>,
    pub(crate) garble_at: Option<u64>,
}

/// Bytes under way, and when they arrive; at once when no moment is given.
struct Chunk {
    arrives: Option<Instant>,
    bytes: Bytes,
}

#[derive(Default)]
struct State {
    chunks: VecDeque<Chunk>,
    /// Bytes that take room: those in chunks, and those that a stalled channel swallowed.
    queued: usize,
    /// All bytes that were ever written.
    carried: u64,
    writers: usize,
    reader_gone: bool,
    reader: Option<Waker>,
    waiting_writers: Vec<Waker>,
}

impl State {
    fn wake_reader(&mut self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }

    fn wake_writers(&mut self) {
        for waker in self.waiting_writers.drain(..) {
            waker.wake();
        }
    }

    /// Keeps a waiting writer once, however often it is polled.
    fn keep_writer(&mut self, waker: &Waker) {
        if !self.waiting_writers.iter().any(|kept| kept.will_wake(waker)) {
            self.waiting_writers.push(waker.clone());
        }
    }
}

/// What both directions of a connection share: whether it was cut. Each side learns of a cut by an error.
#[derive(Default)]
struct Link {
    cut: Cell<bool>,
    directions: RefCell<Vec<Weak<Pipe>>>,
}

impl Link {
    /// Cuts both directions and wakes everyone who waits at either.
    fn cut(&self) {
        self.cut.set(true);
        for direction in self.directions.borrow().iter().filter_map(Weak::upgrade) {
            let mut state = direction.state.borrow_mut();
            state.wake_reader();
            state.wake_writers();
        }
    }
}

struct Pipe {
    state: RefCell<State>,
    weather: Weather,
    link: Rc<Link>,
}

impl Pipe {
    /// Whether bad weather lets nothing more through, not even the end of the stream.
    fn is_stalled(&self, state: &State) -> bool {
        self.weather.stall_after.is_some_and(|limit| state.carried >= limit)
    }
}

/// One end of a channel. It closes when the last handle is dropped, or when its process dies.
pub(crate) struct End {
    pipe: Rc<Pipe>,
    writes: bool,
    closed: Cell<bool>,
}

/// An end to read and an end to write.
pub(crate) type Ends = (Rc<End>, Rc<End>);

/// A channel in fair weather: the end that reads and the end that writes.
pub(crate) fn channel() -> Ends {
    direction(Weather::default(), &Rc::default())
}

/// A connection: for each of its two sides the end that it reads and the end that it writes.
pub(crate) fn connection(weather: Weather) -> (Ends, Ends) {
    let link = Rc::new(Link { cut: Cell::new(weather.cut_after == Some(0)), ..Link::default() });
    let (near_read, far_write) = direction(weather, &link);
    let (far_read, near_write) = direction(weather, &link);
    ((near_read, near_write), (far_read, far_write))
}

fn direction(weather: Weather, link: &Rc<Link>) -> Ends {
    let state = RefCell::new(State { writers: 1, ..State::default() });
    let pipe = Rc::new(Pipe { state, weather, link: link.clone() });
    link.directions.borrow_mut().push(Rc::downgrade(&pipe));
    let end = |writes| Rc::new(End { pipe: pipe.clone(), writes, closed: Cell::new(false) });
    (end(false), end(true))
}

impl End {
    /// Another end of the same channel that writes, for a child that shares its parent's standard stream; nothing when
    /// the parent let go of it.
    pub(crate) fn another_writer(&self) -> Option<Rc<End>> {
        if self.closed.get() {
            return None;
        }
        self.pipe.state.borrow_mut().writers += 1;
        Some(Rc::new(End { pipe: self.pipe.clone(), writes: true, closed: Cell::new(false) }))
    }

    pub(crate) fn close(&self) {
        if self.closed.replace(true) {
            return;
        }
        let mut state = self.pipe.state.borrow_mut();
        if self.writes {
            state.writers -= 1;
            if state.writers == 0 {
                state.wake_reader();
            }
        } else {
            state.reader_gone = true;
            state.wake_writers();
        }
    }

    pub(crate) fn poll_read(
        &self,
        context: &mut Context<'_>,
        sleep: &mut Option<Pin<Box<Sleep>>>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.pipe.state.borrow_mut();
        if self.closed.get() {
            return Poll::Pending;
        }
        let Some(chunk) = state.chunks.front_mut() else {
            if self.pipe.link.cut.get() {
                return Poll::Ready(Err(io::Error::from_raw_os_error(RESET)));
            }
            if state.writers == 0 && !self.pipe.is_stalled(&state) {
                return Poll::Ready(Ok(()));
            }
            state.reader = Some(context.waker().clone());
            return Poll::Pending;
        };
        if let Some(moment) = chunk.arrives
            && moment > Instant::now()
        {
            let wait = sleep.insert(Box::pin(sleep_until(moment)));
            if wait.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
        let taken = chunk.bytes.len().min(buffer.remaining());
        buffer.put_slice(&chunk.bytes[..taken]);
        chunk.bytes.advance(taken);
        if chunk.bytes.is_empty() {
            state.chunks.pop_front();
        }
        state.queued -= taken;
        state.wake_writers();
        Poll::Ready(Ok(()))
    }

    pub(crate) fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let weather = self.pipe.weather;
        let mut state = self.pipe.state.borrow_mut();
        if self.pipe.link.cut.get() {
            return Poll::Ready(Err(io::Error::from_raw_os_error(RESET)));
        }
        // Through a stalled channel the news that the reader is gone does not come back either.
        if self.closed.get() || state.reader_gone && !self.pipe.is_stalled(&state) {
            return Poll::Ready(Err(io::Error::from_raw_os_error(BROKEN_PIPE)));
        }
        let mut taken = bytes.len().min(CAPACITY.saturating_sub(state.queued));
        if taken == 0 && !bytes.is_empty() {
            state.keep_writer(context.waker());
            return Poll::Pending;
        }
        taken = left_until(weather.cut_after, state.carried).min(taken);
        let passing = left_until(weather.stall_after, state.carried).min(taken);
        if passing > 0 {
            let mut passed = bytes[..passing].to_vec();
            garble(&mut passed, weather.garble_at, state.carried);
            let arrives = (!weather.latency.is_zero()).then(|| Instant::now() + weather.latency);
            state.chunks.push_back(Chunk { arrives, bytes: Bytes::from(passed) });
            state.wake_reader();
        }
        state.queued += taken;
        state.carried += taken as u64;
        let is_cut = weather.cut_after.is_some_and(|limit| state.carried >= limit);
        drop(state);
        if is_cut {
            self.pipe.link.cut();
        }
        Poll::Ready(Ok(taken))
    }
}

/// How many bytes may still pass until a limit is reached.
fn left_until(limit: Option<u64>, carried: u64) -> usize {
    limit.map_or(usize::MAX, |limit| usize::try_from(limit.saturating_sub(carried)).unwrap_or(usize::MAX))
}

/// Changes the byte with this number, when it is among these.
fn garble(bytes: &mut [u8], at: Option<u64>, carried: u64) {
    let offset = at.and_then(|at| at.checked_sub(carried)).and_then(|offset| usize::try_from(offset).ok());
    if let Some(byte) = offset.and_then(|offset| bytes.get_mut(offset)) {
        *byte ^= 0x20;
    }
}

impl Mortal for End {
    fn die(&self) {
        self.close();
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.close();
    }
}

/// The reading end as a tokio stream.
pub(crate) struct PipeReader {
    end: Rc<End>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl PipeReader {
    pub(crate) fn new(end: Rc<End>) -> Self {
        Self { end, sleep: None }
    }
}

impl AsyncRead for PipeReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.end.poll_read(context, &mut this.sleep, buffer)
    }
}

/// The writing end as a tokio stream.
pub(crate) struct PipeWriter(pub(crate) Rc<End>);

impl AsyncWrite for PipeWriter {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.close();
        Poll::Ready(Ok(()))
    }
}
