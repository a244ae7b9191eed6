//! A first look at a receiver that is not ours: is it ready, what does its card say, does one turn come to its reply.

use std::sync::Arc;

use gauntlet_reports::Secrets;
use serde_json::Value;
use tokio::sync::Notify;

use super::foreign::Foreign;
use crate::cell::{Outcome, Plan};
use crate::data::Library;
use crate::matrix::{self, Selection};
use crate::pattern::Pattern;
use crate::runner::{self, Settings};
use crate::scenario::Lane;
use crate::trace::What;

/// The story in which the card is asked for, and those of one turn: not each is told of every executor.
const CARD: &str = "fleet/health-and-card-are-public";
const TURNS: [&str; 2] = ["fleet/several-texts", "fleet/input-at-its-end"];
/// What the receiver prints, below the cell's folder, and how much of it is told.
const LOG: &str = "receiver.log";
const LINES: usize = 5;
const WIDTH: usize = 200;
/// Where the card is.
const CARD_PATH: &str = "/.well-known/agent-card.json";

/// What was seen.
#[derive(Debug, Default)]
pub struct Smoke {
    /// Whether it became ready.
    pub ready: bool,
    /// Its card.
    pub card: Option<Value>,
    /// Whether a turn came to its reply; nothing where nobody could try.
    pub turn: Option<bool>,
    /// Why the harness itself could not look.
    pub error: Option<String>,
}

/// Why a receiver does not become ready, by how it ended and what it printed; nothing when it does, or when the harness itself could not
/// look.
pub fn never_ready(library: &Library, foreign: &Arc<Foreign>, settings: &Settings) -> Option<String> {
    let outcome = told(library, foreign, settings, CARD)?;
    let is_ready = |what: &What| matches!(what, What::Ready { host } if host == "receiver");
    if outcome.error.is_some() || outcome.observations.iter().any(|seen| is_ready(&seen.what)) {
        return None;
    }
    let ended = outcome.observations.iter().find_map(|seen| match &seen.what {
        What::Ended { host, code } if host == "receiver" => Some(format!("it ended with {code}")),
        _ => None,
    });
    let printed = outcome.observations.iter().rev().find_map(|seen| match &seen.what {
        What::Files { changed, .. } => Some(changed.get(LOG)?.as_ref()?.content.text()),
        _ => None,
    });
    let printed = Secrets::new(&outcome.secrets).redact(&printed.unwrap_or_default());
    let lines: Vec<&str> = printed.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(LINES)..].iter();
    let last: Vec<String> = last.map(|line| line.chars().take(WIDTH).collect()).collect();
    let said = if last.is_empty() {
        "it printed nothing".to_owned()
    } else {
        format!("it printed:\n{}", last.join("\n"))
    };
    Some(format!("{}, and {said}", ended.unwrap_or_else(|| "it did not end".to_owned())))
}

/// The story that says whether a receiver becomes ready.
pub fn first_look() -> Option<Pattern> {
    Pattern::parse(CARD).ok()
}

/// Looks at a receiver.
pub fn smoke(library: &Library, foreign: &Arc<Foreign>, settings: &Settings) -> Smoke {
    let mut seen = Smoke::default();
    if let Some(outcome) = told(library, foreign, settings, CARD) {
        seen.ready = outcome
            .observations
            .iter()
            .any(|seen| matches!(&seen.what, What::Ready { host } if host == "receiver"));
        seen.card = outcome.observations.iter().find_map(|seen| card(&seen.what));
        seen.error = outcome.error;
    }
    if !seen.ready || seen.error.is_some() || foreign.runs_already() {
        return seen;
    }
    let outcome = TURNS.iter().find_map(|story| told(library, foreign, settings, story));
    seen.turn = outcome
        .as_ref()
        .map(|outcome| outcome.observations.iter().any(|seen| matches!(seen.what, What::Delivered { .. })));
    seen.error = outcome.and_then(|outcome| outcome.error);
    seen
}

fn told(library: &Library, foreign: &Arc<Foreign>, settings: &Settings, story: &str) -> Option<Outcome> {
    let selection = Selection {
        executors: vec![foreign.manifest.executor.get_ref().clone()],
        only: vec![Pattern::parse(story).ok()?],
        lanes: vec![Lane::Real],
        foreign: Some(foreign.clone()),
        ..Selection::default()
    };
    let can_be_told = |plan: &Plan| matrix::not_here(library, plan).is_none();
    let plan = selection.plain(library).into_iter().find(can_be_told)?;
    runner::outcome(&plan, library, settings, &Arc::new(Notify::new()))
}

fn card(what: &What) -> Option<Value> {
    let What::Exchange { sent, received, .. } = what else { return None };
    sent.text().starts_with(&format!("GET {CARD_PATH} ")).then_some(())?;
    let received = received.text();
    let (_, body) = received.split_once("\r\n\r\n")?;
    serde_json::from_str::<Value>(body).ok().filter(Value::is_object)
}
