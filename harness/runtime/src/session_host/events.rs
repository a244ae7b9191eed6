//! Watching a host.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use gauntlet_protocol::opencode_serve::{Event, EventKind, Frame, SseReader, path};
use gauntlet_world::http::{self, Streaming};

use super::SessionHost;

/// The host may take so long until the stream begins.
const BEGINNING: Duration = Duration::from_secs(10);

/// A stream that is silent for so long is taken for lost: the host gives a sign of life every ten seconds.
const SILENCE: Duration = Duration::from_secs(35);

/// Between two tries to reach the host it is waited, each time twice as long, from the first to the last of these.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// What a watcher is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// The stream begins. What happened before, the last loss included, is not told: who needs it looks.
    Connected,
    /// What the host told.
    Event(Event),
    /// What the host told is no event, or over the cap. Nothing else was lost.
    Unreadable(String),
    /// The stream is lost, or could not be had. It is tried again; nothing more is told until it is there.
    Lost(String),
}

/// The events of a host, without end: a lost stream is opened again.
pub struct Events {
    of: SessionHost,
    state: State,
    /// Nothing: the host is reached, or was before.
    pause: Option<Duration>,
    waiting: VecDeque<Frame>,
}

type Opening = Pin<Box<dyn Future<Output = Result<Streaming, String>>>>;

enum State {
    Closed,
    Opening(Opening),
    Open(Box<Streaming>, SseReader),
}

impl Events {
    pub(super) fn new(of: SessionHost) -> Self {
        Self { of, state: State::Closed, pause: None, waiting: VecDeque::new() }
    }

    /// The next thing. Whoever drops this while it waits loses nothing.
    pub async fn next(&mut self) -> Told {
        loop {
            if let Some(frame) = self.waiting.pop_front() {
                return told(frame);
            }
            match &mut self.state {
                State::Closed => self.state = State::Opening(self.opening()),
                State::Opening(opening) => match opening.as_mut().await {
                    Ok(streaming) => {
                        self.state = State::Open(Box::new(streaming), SseReader::default());
                        self.pause = None;
                    }
                    Err(why) => {
                        if let Some(told) = self.lost(why) {
                            return told;
                        }
                    }
                },
                State::Open(streaming, reader) => {
                    let next = self.of.host.clock().within(SILENCE, streaming.next()).await;
                    let why = match next {
                        Some(Ok(Some(bytes))) => {
                            self.waiting.extend(reader.push(&bytes));
                            continue;
                        }
                        Some(Ok(None)) => "the host ended the stream".to_owned(),
                        Some(Err(error)) => error.to_string(),
                        None => format!("no sign of life within {SILENCE:?}"),
                    };
                    if let Some(told) = self.lost(why) {
                        return told;
                    }
                }
            }
        }
    }

    /// Tells a loss once, however many tries follow.
    fn lost(&mut self, why: String) -> Option<Told> {
        self.state = State::Closed;
        let is_first = self.pause.is_none();
        let doubled = self.pause.map_or(PAUSES.0, |pause| (pause * 2).min(PAUSES.1));
        self.pause = Some(doubled);
        is_first.then_some(Told::Lost(why))
    }

    fn opening(&self) -> Opening {
        let (of, pause) = (self.of.clone(), self.pause);
        Box::pin(async move {
            if let Some(pause) = pause {
                of.host.clock().sleep(pause).await;
            }
            let mut request = of.request("GET", path::EVENTS, None, BEGINNING);
            request.headers.push(("accept".to_owned(), "text/event-stream".to_owned()));
            let streaming = http::open(&of.host, request).await.map_err(|error| error.to_string())?;
            let kind = streaming.header("content-type").unwrap_or_default();
            let kind = kind.split(';').next().unwrap_or_default().trim().to_owned();
            match streaming.status {
                200 if kind.eq_ignore_ascii_case("text/event-stream") => Ok(streaming),
                200 => Err(format!("expected text/event-stream, found content of type {kind:?}")),
                status => {
                    Err(format!("the session host returned HTTP {status} where its events were expected"))
                }
            }
        })
    }
}

fn told(frame: Frame) -> Told {
    match frame {
        Frame::TooLarge => Told::Unreadable("an event of the host is over the cap".to_owned()),
        Frame::Event { data, .. } => match Event::parse(&data) {
            Ok(Event { kind: EventKind::Connected, .. }) => Told::Connected,
            Ok(event) => Told::Event(event),
            Err(error) => Told::Unreadable(error.to_string()),
        },
    }
}
