//! The journal of turns: what became of each handed-off line of the inbox. Ours; no release of the product line has it.
//!
//! It is what lets a restarted receiver tell a turn that never began (run it) from one that did (never run it again, say
//! that it was interrupted) and from one whose reply was not sent yet (send it, with the same id).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

use gauntlet_protocol::fleet::Lines;
use gauntlet_protocol::fleet::extension::usage::Usage;
use gauntlet_protocol::json;
use gauntlet_world::Host;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::account::Used;
use super::names::Names;

/// What became of one line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fate {
    /// Its CLI may have been started.
    pub(super) started: bool,
    /// It came to this outcome.
    pub(super) outcome: Option<Outcome>,
    /// The callback was delivered, or given up after its last attempt.
    pub(super) settled: bool,
    /// The context it runs on, when the line itself names none.
    pub(super) context: Option<String>,
}

/// The outcome of a turn, as its sender sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The callback's id, the same at every attempt and across restarts.
    pub(super) id: String,
    /// The context of the turn.
    pub(super) context: String,
    /// The text.
    pub(super) text: String,
    /// Whether it is a busy notice rather than a final reply.
    pub(super) busy: bool,
    /// What a structured task asked of its outcome.
    pub(super) answer: Option<Answer>,
    /// What its turn used.
    pub(super) used: Used,
}

/// How the outcome of a structured task is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// The address that the task named.
    pub(super) url: Option<String>,
    /// What the outcome says beside its text.
    pub(super) report: Value,
}

/// The journal: in memory and, line by line, on disk.
pub(super) struct Journal {
    path: PathBuf,
    names: Rc<Names>,
    fates: RefCell<BTreeMap<u64, Fate>>,
    /// From which line on replies are for which profile; for none before the first.
    profiles: RefCell<BTreeMap<u64, Option<String>>>,
    /// What could not be written of that, and has to be before another line is accepted.
    owed: RefCell<Option<Value>>,
    /// The lines whose turns this life began.
    begun_here: RefCell<BTreeSet<u64>>,
    /// One writer at a time. True: an append failed half way, and the next one begins with a line end.
    torn: Mutex<bool>,
}

impl Journal {
    /// Reads the journal. Lines that are torn or unknown are passed over: what they would have said did not happen.
    pub(super) async fn open(host: &Host, path: PathBuf, names: Rc<Names>) -> io::Result<Self> {
        let content = host.disk().read_if_present(&path).await?.unwrap_or_default();
        let (mut fates, mut profiles) = (BTreeMap::new(), BTreeMap::new());
        for (_, line) in Lines::new(&content) {
            let Ok(entry) = json::parse("a line of the journal", line) else { continue };
            match profile_since(&entry) {
                Some((line, profile)) => drop(profiles.insert(line, profile)),
                None => apply(&mut fates, &entry),
            }
        }
        if !content.is_empty() && !content.ends_with(b"\n") {
            host.disk().append(&path, b"\n").await?;
        }
        if !content.is_empty() {
            // An earlier life may have died between a write and its sync: what was read here counts from here on.
            host.disk().sync(&path).await?;
        }
        Ok(Self {
            path,
            names,
            fates: RefCell::new(fates),
            profiles: RefCell::new(profiles),
            owed: RefCell::default(),
            begun_here: RefCell::default(),
            torn: Mutex::new(false),
        })
    }

    /// The profile that the reply of a line is for: that which was configured when the line came.
    pub(super) fn profile_of(&self, line: u64) -> Option<String> {
        self.profiles.borrow().range(..=line).next_back().and_then(|(_, profile)| profile.clone())
    }

    /// From this line on replies are for another profile than before.
    pub(super) async fn profile_from(
        &self,
        host: &Host,
        line: u64,
        profile: Option<String>,
    ) -> io::Result<()> {
        let entry = json!({ "line": line, "state": "profile", "profile": profile });
        self.profiles.borrow_mut().insert(line, profile);
        let outcome = self.write(host, &entry).await;
        *self.owed.borrow_mut() = outcome.is_err().then_some(entry);
        outcome
    }

    /// Writes for whom replies are, if that is still to be done: the next life would answer somebody else.
    pub(super) async fn write_owed(&self, host: &Host) -> io::Result<()> {
        let owed = self.owed.borrow().clone();
        let Some(entry) = owed else { return Ok(()) };
        self.write(host, &entry).await?;
        *self.owed.borrow_mut() = None;
        Ok(())
    }

    /// The last line that anything is known of; 0 when there is none.
    pub(super) fn last_line(&self) -> u64 {
        self.fates.borrow().last_key_value().map_or(0, |(line, _)| *line)
    }

    /// What became of a line.
    pub(super) fn fate(&self, line: u64) -> Fate {
        self.fates.borrow().get(&line).cloned().unwrap_or_default()
    }

    /// Whether a turn of that context was begun for an earlier line.
    pub(super) fn began_before(&self, line: u64, context: &str) -> bool {
        let fates = self.fates.borrow();
        fates.range(..line).any(|(_, fate)| fate.started && fate.context.as_deref() == Some(context))
    }

    /// Whether a turn of that context was begun for an earlier line, and none of them by this life.
    pub(super) fn only_an_earlier_life_began(&self, line: u64, context: &str) -> bool {
        let (fates, here) = (self.fates.borrow(), self.begun_here.borrow());
        let mut begun = fates
            .range(..line)
            .filter(|(_, fate)| fate.started && fate.context.as_deref() == Some(context))
            .peekable();
        begun.peek().is_some() && begun.all(|(line, _)| !here.contains(line))
    }

    /// Outcomes in the order of their lines.
    pub(super) fn outcomes(&self) -> Vec<(u64, Outcome)> {
        let fates = self.fates.borrow();
        fates.iter().filter_map(|(line, fate)| Some((*line, fate.outcome.clone()?))).collect()
    }

    /// What all turns of a session used, as far as it was last told.
    pub(super) fn total_of(&self, session: &str) -> Option<Usage> {
        let fates = self.fates.borrow();
        let totals = fates.values().rev().filter_map(|fate| fate.outcome.as_ref()?.used.total.as_ref());
        totals.into_iter().find(|(of, _)| of == session).map(|(_, total)| *total)
    }

    /// The CLI of this line is about to be started.
    pub(super) async fn started(&self, host: &Host, line: u64, context: &str) -> io::Result<()> {
        self.begun_here.borrow_mut().insert(line);
        self.note(host, json!({ "line": line, "state": "started", "contextId": context })).await
    }

    /// The line came to its outcome.
    pub(super) async fn ended(&self, host: &Host, line: u64, outcome: &Outcome) -> io::Result<()> {
        let Outcome { id, context, text, busy, answer, used } = outcome;
        let mut entry = json!({ "line": line, "state": "ended", "id": id, "contextId": context, "busy": busy, "text": text });
        if let Some(Answer { url, report }) = answer {
            entry["task"] = json!({ "url": url, "report": report });
        }
        if let Some(used) = used.to_value() {
            entry["used"] = used;
        }
        self.note(host, entry).await
    }

    /// The callback of this line needs no further attempt.
    pub(super) async fn settled(&self, host: &Host, line: u64) -> io::Result<()> {
        self.note(host, json!({ "line": line, "state": "settled" })).await
    }

    async fn note(&self, host: &Host, entry: Value) -> io::Result<()> {
        apply(&mut self.fates.borrow_mut(), &entry);
        self.write(host, &entry).await
    }

    async fn write(&self, host: &Host, entry: &Value) -> io::Result<()> {
        let mut torn = self.torn.lock().await;
        let line = format!("{}{}\n", if *torn { "\n" } else { "" }, json::spaced(entry));
        let outcome = self.names.append(host, &self.path, line.as_bytes()).await;
        *torn = outcome.is_err();
        outcome
    }
}

/// What an entry says of the profile that replies are for, if it is of that.
fn profile_since(entry: &Value) -> Option<(u64, Option<String>)> {
    let is_of_it = entry.get("state").is_some_and(|state| state == "profile");
    let line = entry.get("line").and_then(Value::as_u64).filter(|_| is_of_it)?;
    Some((line, entry.get("profile").and_then(Value::as_str).map(str::to_owned)))
}

fn apply(fates: &mut BTreeMap<u64, Fate>, entry: &Value) {
    let Some(line) = entry.get("line").and_then(Value::as_u64) else { return };
    let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    let fate = fates.entry(line).or_default();
    match entry.get("state").and_then(Value::as_str) {
        Some("started") => {
            fate.started = true;
            fate.context = text("contextId");
        }
        Some("ended") => {
            if let (Some(id), Some(context), Some(reply)) = (text("id"), text("contextId"), text("text")) {
                let busy = entry.get("busy").and_then(Value::as_bool).unwrap_or_default();
                let answer = entry.get("task").map(|task| Answer {
                    url: task.get("url").and_then(Value::as_str).map(str::to_owned),
                    report: task.get("report").cloned().unwrap_or_default(),
                });
                let used = entry.get("used").map(Used::from_value).unwrap_or_default();
                fate.outcome = Some(Outcome { id, context, text: reply, busy, answer, used });
            }
        }
        Some("settled") => fate.settled = true,
        _ => {}
    }
}
