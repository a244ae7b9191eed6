//! What a CLI prints: every line through its injection point, and remembered as evidence.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;

use gauntlet_world::Host;
use serde_json::{Value, json};

use super::stop::Stop;
use crate::stage::Part;
use gauntlet_world::injection::{Injector, Point};

/// How much of each stream is kept for the stage, in bytes.
const KEPT: usize = 64 * 1024;

/// The standard output and error of one process.
pub(crate) struct Console<'a> {
    host: &'a Host,
    injector: &'a Injector,
    stdout: RefCell<Vec<u8>>,
    stderr: RefCell<Vec<u8>>,
    /// Whether its events are printed as their text alone.
    is_plain: Cell<bool>,
    /// What its events say instead, by JSON pointer.
    misstates: BTreeMap<String, Value>,
}

impl<'a> Console<'a> {
    pub(crate) fn new(host: &'a Host, injector: &'a Injector, part: &Part) -> Self {
        Self {
            host,
            injector,
            stdout: RefCell::default(),
            stderr: RefCell::default(),
            is_plain: Cell::new(false),
            misstates: part.misstates.clone(),
        }
    }

    /// The quirks of this process.
    pub(crate) fn injector(&self) -> &Injector {
        self.injector
    }

    /// Prints a line of the event stream.
    pub(crate) async fn event(&self, mut event: Value) -> Result<(), Stop> {
        for (place, said) in &self.misstates {
            if let Some(truth) = event.pointer_mut(place) {
                *truth = said.clone();
            }
        }
        let passed = self.injector.pass(self.host, Point::CliLine, event).await;
        if let Some(code) = passed.exit {
            return Err(Stop::Exit(code));
        }
        for event in &passed.events {
            // The line's end stays whatever happens to its bytes: a broken line must not take the next one with it.
            self.out(passed.mangle.apply(self.shown(event))).await?;
        }
        Ok(())
    }

    /// Prints the text of an event, for a CLI that prints plain text: `{kind, text}`.
    pub(crate) async fn text(&self, event: Value) -> Result<(), Stop> {
        self.is_plain.set(true);
        self.event(event).await
    }

    fn shown(&self, event: &Value) -> Vec<u8> {
        match event.get("text").and_then(Value::as_str).filter(|_| self.is_plain.get()) {
            Some(text) => text.as_bytes().to_vec(),
            None => event.to_string().into_bytes(),
        }
    }

    /// Prints a line on standard output as it is: it is no event and passes no point.
    pub(crate) async fn raw_line(&self, line: &str) -> Result<(), Stop> {
        self.out(line.as_bytes().to_vec()).await
    }

    /// Prints a line of bytes, as [`Self::raw_line`] does.
    pub(crate) async fn raw_bytes(&self, line: &[u8]) -> Result<(), Stop> {
        self.out(line.to_vec()).await
    }

    /// Prints at least so many bytes of lines that nobody wants. They are not remembered.
    pub(crate) async fn flood(&self, bytes: usize) -> Result<(), Stop> {
        let line = [b"and so on, ".repeat(93).as_slice(), b"\n"].concat().repeat(16);
        for _ in 0..bytes.div_ceil(line.len()) {
            self.host.processes().print(&line).await.map_err(broken)?;
        }
        Ok(())
    }

    /// Prints a line on standard error.
    pub(crate) async fn error_line(&self, line: &str) -> Result<(), Stop> {
        let passed = self.injector.pass(self.host, Point::CliStderr, json!({ "line": line })).await;
        if let Some(code) = passed.exit {
            return Err(Stop::Exit(code));
        }
        for event in &passed.events {
            self.err(passed.mangle.apply(error_text(event).into_bytes())).await?;
        }
        Ok(())
    }

    /// Prints what a reordering quirk holds back when nothing comes after it.
    pub(crate) async fn flush(&self) -> Result<(), Stop> {
        if let Some(event) = self.injector.leftover(Point::CliLine) {
            self.out(self.shown(&event)).await?;
        }
        if let Some(event) = self.injector.leftover(Point::CliStderr) {
            self.err(error_text(&event).into_bytes()).await?;
        }
        Ok(())
    }

    /// What was printed so far on standard output and error, the first 64 KiB of each.
    pub(crate) fn printed(&self) -> (String, String) {
        let text = |kept: &RefCell<Vec<u8>>| String::from_utf8_lossy(&kept.borrow()).into_owned();
        (text(&self.stdout), text(&self.stderr))
    }

    async fn out(&self, mut line: Vec<u8>) -> Result<(), Stop> {
        line.push(b'\n');
        keep(&self.stdout, &line);
        self.host.processes().print(&line).await.map_err(broken)
    }

    async fn err(&self, mut line: Vec<u8>) -> Result<(), Stop> {
        line.push(b'\n');
        keep(&self.stderr, &line);
        self.host.processes().print_error(&line).await.map_err(broken)
    }
}

fn broken(_: io::Error) -> Stop {
    Stop::BrokenPipe
}

fn error_text(event: &Value) -> String {
    match event.get("line") {
        Some(Value::String(line)) => line.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

fn keep(kept: &RefCell<Vec<u8>>, line: &[u8]) {
    let mut kept = kept.borrow_mut();
    let room = KEPT.saturating_sub(kept.len()).min(line.len());
    kept.extend_from_slice(line.get(..room).unwrap_or_default());
}
