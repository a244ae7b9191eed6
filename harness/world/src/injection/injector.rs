//! Passing events through injection points.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::Host;
use serde_json::Value;

use super::{Deviation, Point, Quirk};

/// The quirks of one peer in one cell. Cloning gives another handle. The default one has none, and keeps no log.
#[derive(Clone, Default)]
pub struct Injector(Rc<State>);

#[derive(Default)]
struct State {
    quirks: Vec<Quirk>,
    secrets: BTreeMap<String, String>,
    seen: RefCell<BTreeMap<usize, u32>>,
    /// How many of the events that a quirk waits for have passed.
    begun: RefCell<BTreeMap<usize, u32>>,
    /// Nothing when nobody will read it.
    log: Option<RefCell<Vec<(Point, Value)>>>,
    held: RefCell<BTreeMap<Point, Value>>,
    /// The last event at each point that has a quirk.
    last: RefCell<BTreeMap<Point, Value>>,
}

/// What became of an event at its point.
#[derive(Debug, Clone, PartialEq)]
pub struct Passed {
    /// The events that take place instead: none, one, or several.
    pub events: Vec<Value>,
    /// What happens to their bytes on the way out.
    pub mangle: Mangle,
    /// The process ends here with this code.
    pub exit: Option<i32>,
}

/// What happens to bytes on the way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mangle {
    /// Nothing.
    #[default]
    Nothing,
    /// They end after so many.
    Truncate(usize),
    /// This byte is changed.
    Garble(usize),
}

impl Mangle {
    /// The bytes that really go out.
    pub fn apply(self, mut bytes: Vec<u8>) -> Vec<u8> {
        match self {
            Mangle::Nothing => {}
            Mangle::Truncate(length) => bytes.truncate(length),
            Mangle::Garble(at) => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 0x5a;
                }
            }
        }
        bytes
    }
}

/// More is not filled in: a quirk is to flood its peer, not the machine.
const LONGEST_FILL: usize = 64 * 1024 * 1024;

impl Passed {
    fn unchanged(event: Value) -> Self {
        Self { events: vec![event], mangle: Mangle::Nothing, exit: None }
    }

    /// The first event that takes place, if any does.
    pub fn first(self) -> Option<Value> {
        self.events.into_iter().next()
    }
}

impl Injector {
    /// An injector with these quirks. `secrets` are values that a `{name}` in a replacement stands for.
    pub fn new(quirks: Vec<Quirk>, secrets: BTreeMap<String, String>) -> Self {
        Self(Rc::new(State { quirks, secrets, log: Some(RefCell::default()), ..State::default() }))
    }

    /// The same without a log: a whole body may pass a point, and each event would be copied.
    pub fn without_log(quirks: Vec<Quirk>, secrets: BTreeMap<String, String>) -> Self {
        Self(Rc::new(State { quirks, secrets, ..State::default() }))
    }

    /// The events that passed so far, with their points, as they were before any quirk: what decides which quirks have
    /// something to bite on in a scenario.
    pub fn log(&self) -> Vec<(Point, Value)> {
        self.0.log.as_ref().map(|log| log.borrow().clone()).unwrap_or_default()
    }

    /// Passes an event through a point.
    pub async fn pass(&self, host: &Host, point: Point, event: Value) -> Passed {
        if self.0.log.is_none() && self.0.quirks.is_empty() {
            return Passed::unchanged(event);
        }
        if let Some(log) = &self.0.log {
            log.borrow_mut().push((point, event.clone()));
        }
        if let Some(held) = self.0.held.borrow_mut().remove(&point) {
            return Passed { events: vec![event, held], mangle: Mangle::Nothing, exit: None };
        }
        let has_quirk = self.0.quirks.iter().any(|quirk| quirk.at == point);
        let before = has_quirk.then(|| self.0.last.borrow_mut().insert(point, event.clone())).flatten();
        let Some(quirk) = self.biting(host, point, &event) else { return Passed::unchanged(event) };
        let mut passed = Passed::unchanged(event);
        match &quirk.deviation {
            Deviation::Omit => passed.events.clear(),
            Deviation::Replace(values) => self.replace(&mut passed.events[0], values, before.as_ref()),
            Deviation::Delay(time) => host.clock().sleep(time.duration()).await,
            Deviation::Stall => std::future::pending().await,
            Deviation::Duplicate(values) => {
                let mut second = passed.events[0].clone();
                self.replace(&mut second, values, before.as_ref());
                passed.events.push(second);
            }
            Deviation::Truncate(length) => passed.mangle = Mangle::Truncate(*length),
            Deviation::Garble(at) => passed.mangle = Mangle::Garble(*at),
            Deviation::Reorder => {
                self.0.held.borrow_mut().insert(point, passed.events.remove(0));
            }
            Deviation::Exit(code) => passed.exit = Some(*code),
        }
        passed
    }

    /// What a reordering quirk still holds back at a point when nothing comes after it.
    pub fn leftover(&self, point: Point) -> Option<Value> {
        self.0.held.borrow_mut().remove(&point)
    }

    fn biting(&self, host: &Host, point: Point, event: &Value) -> Option<&Quirk> {
        let mut biting = None;
        for (number, quirk) in self.0.quirks.iter().enumerate() {
            let begun = self.has_begun(number, quirk, point, event);
            if quirk.at != point || !begun || !quirk.when.matches(event) {
                continue;
            }
            let mut seen = self.0.seen.borrow_mut();
            let count = seen.entry(number).or_default();
            *count += 1;
            let by_count = quirk.when.nth.is_none_or(|nth| nth == *count);
            let by_chance =
                quirk.when.percent.is_none_or(|percent| host.entropy().below(100) < u64::from(percent));
            if by_count && by_chance && biting.is_none() {
                biting = Some(quirk);
            }
        }
        biting
    }

    /// Whether what the quirk waits for has passed before this event, which may be it.
    fn has_begun(&self, number: usize, quirk: &Quirk, point: Point, event: &Value) -> bool {
        let Some(since) = &quirk.when.since else { return true };
        let mut begun = self.0.begun.borrow_mut();
        let passed = begun.entry(number).or_default();
        let begun = *passed >= since.needed();
        if since.matches(point, event) {
            *passed = passed.saturating_add(1);
        }
        begun
    }

    fn replace(&self, event: &mut Value, values: &BTreeMap<String, Value>, before: Option<&Value>) {
        let original = event.clone();
        for (pointer, value) in values {
            let value = self.filled(value, &original, before.unwrap_or(&original));
            match event.pointer_mut(pointer) {
                Some(part) => *part = value,
                None => {
                    let (parent, name) = pointer.rsplit_once('/').unwrap_or(("", pointer));
                    match event.pointer_mut(parent) {
                        Some(Value::Object(members)) => {
                            members.insert(name.to_owned(), value);
                        }
                        // As RFC 6901 writes the place behind the last element.
                        Some(Value::Array(elements)) if name == "-" => elements.push(value),
                        _ => {}
                    }
                }
            }
        }
    }

    fn filled(&self, value: &Value, event: &Value, before: &Value) -> Value {
        let Value::String(text) = value else { return value.clone() };
        let mut text = text.clone();
        for (name, secret) in &self.0.secrets {
            text = text.replace(&format!("{{{name}}}"), secret);
        }
        for (of, event) in [("", event), ("before.", before)] {
            for (name, part) in event.as_object().into_iter().flatten() {
                // The one member whose name in events is not the word that quirks use.
                let word = if name == "contextId" { "context" } else { name.as_str() };
                if let Some(part) = part.as_str().filter(|_| text.contains('{')) {
                    text = text.replace(&format!("{{{of}{word}}}"), part);
                }
            }
        }
        Value::String(fill(text))
    }
}

/// Puts so many letters in the place of `{fill:N}`, for peers that send more than anybody reads.
fn fill(text: String) -> String {
    let parts = text.split_once("{fill:").and_then(|(before, rest)| {
        let (count, after) = rest.split_once('}')?;
        Some((before, count.parse::<usize>().ok()?.min(LONGEST_FILL), after))
    });
    match parts {
        Some((before, count, after)) => format!("{before}{}{after}", "x".repeat(count)),
        None => text,
    }
}
