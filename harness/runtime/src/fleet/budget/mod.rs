//! What peers may use: reserved before a dispatch leaves, settled when its reply comes (hardening roadmap, issue 5 A3).
//!
//! `ledger` is the file, and who may write to it; `entry` one line of it; `state` what all lines together say; `period` when a
//! budget begins anew; `standing` how a peer stands, for people; [`command`] what people type.
//!
//! What is certain not to have run is released. Everything else stays counted: a turn that was reserved and of which nothing is
//! heard again counts as a turn, and for as much as it held.

pub mod command;
mod entry;
mod ledger;
#[cfg(test)]
mod model;
mod period;
mod standing;
mod state;

use std::cell::RefCell;
use std::time::Duration;

use gauntlet_protocol::fleet::config::{Budget, ConfigError, FleetConfig};
use gauntlet_protocol::fleet::extension::usage::Reading;
use gauntlet_world::Host;
use tokio::sync::Mutex;

use self::entry::{Entry, Hold};
use self::ledger::Ledger;
pub use self::standing::{Part, Standing};
use super::config::load;

/// Why the budgets of peers cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    /// The ledger says something that cannot be understood. It is left as it is.
    #[error(
        "the budget ledger {path}, line {line}: expected an entry, found {found}; what peers have used is not known. Put the line \
         right, or move the file away to begin anew"
    )]
    Broken {
        /// The file.
        path: String,
        /// The line, counted from 1.
        line: usize,
        /// What stands there.
        found: String,
    },
    /// The ledger was there, and is not any more, or lacks what it held.
    #[error(
        "the budget ledger {path} has lost entries that were in it; what peers have used is not known. Put the file back, or start \
         the runtime again to begin anew with what is there"
    )]
    Lost {
        /// The file.
        path: String,
    },
    /// The system does not let it be read or written.
    #[error(
        "the budget ledger {path} cannot be used: {reason}; nothing is sent to peers with a budget before it can"
    )]
    Unusable {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// Another process writes to it and does not end.
    #[error(
        "the budget ledger is held by another process through {path}; end the process, and the lock is gone with it"
    )]
    Held {
        /// The file that the lock stands on.
        path: String,
    },
    /// There is no such peer, or it has no budget.
    #[error("expected a peer with a budget ({}); found '{found}'", known.join(", "))]
    NoBudget {
        /// What was asked for.
        found: String,
        /// The peers that have one.
        known: Vec<String>,
    },
    /// `fleet.yaml` cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl BudgetError {
    /// Whether it is the affair of whoever wrote a file or asked for something, and not of the machine.
    pub fn is_of_its_user(&self) -> bool {
        matches!(self, BudgetError::Broken { .. } | BudgetError::NoBudget { .. } | BudgetError::Config(_))
    }
}

/// Why nothing was reserved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// The budget does not allow it. Which one, what is used, the limit, and when it begins anew.
    #[error("{0}")]
    Exceeded(String),
    /// It cannot be told.
    #[error(transparent)]
    Ledger(#[from] BudgetError),
}

/// A turn that is to be reserved.
pub(super) struct Wanted<'a> {
    pub(super) id: &'a str,
    pub(super) peer: &'a str,
    pub(super) budget: &'a Budget,
    pub(super) context: Option<&'a str>,
}

/// How an entry is made; without a quirk always the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// Nobody comes between the look at the ledger and the entry.
    pub(super) alone: bool,
    /// The disk has it before anything else happens.
    pub(super) durable: bool,
    /// The mode of a ledger that is new.
    pub(super) mode: u32,
}

impl Manner {
    const USUAL: Manner = Manner { alone: true, durable: true, mode: 0o600 };
}

/// In which others come between, where a quirk lets them.
const A_MOMENT: Duration = Duration::from_millis(10);

/// The budgets of a runtime.
pub(super) struct Budgets {
    /// One at a time: what is looked at and what is written on the strength of it are one act.
    ledger: Mutex<Ledger>,
    /// What should be in the ledger, and could not be written.
    missing: RefCell<Vec<Entry>>,
}

impl Budgets {
    pub(super) fn of(host: &Host) -> Self {
        Self { ledger: Mutex::new(Ledger::of(host)), missing: RefCell::default() }
    }

    /// Reserves a turn, or says why there is none. What is reserved is durable before this returns.
    pub(super) async fn reserve(&self, host: &Host, turn: Wanted<'_>, manner: Manner) -> Result<(), Refusal> {
        let mut ledger = self.ledger.lock().await;
        let mut held = ledger.hold(host).await?;
        self.make_up(host, &mut ledger).await?;
        let Wanted { id, peer, budget, context } = turn;
        let hold = Hold::of(budget.unknown);
        let standing = Standing::of(peer, budget, ledger.state(), host.clock().wall());
        if let Some(why) = standing.refuses(hold) {
            return Err(Refusal::Exceeded(why));
        }
        if !manner.alone {
            drop((ledger, held));
            host.clock().sleep(A_MOMENT).await;
            ledger = self.ledger.lock().await;
            held = ledger.hold(host).await?;
        }
        let at = ledger.state().time_of(peer, host.clock().wall().millis());
        let context = context.map(str::to_owned);
        let entry =
            Entry::Reserve { id: id.to_owned(), peer: peer.to_owned(), at, context, hold, counts: true };
        let written = ledger.append(host, &[entry], manner).await;
        drop(held);
        if let Err(error) = written {
            // It may stand there all the same, and nothing is sent for it.
            self.missing.borrow_mut().push(Entry::Release { id: id.to_owned() });
            return Err(error.into());
        }
        Ok(())
    }

    /// The peer has not begun, and will not.
    pub(super) async fn release(&self, host: &Host, id: &str) {
        self.note(host, Entry::Release { id: id.to_owned() }).await;
    }

    /// The peer has it, and will reply on this context.
    pub(super) async fn accepted(&self, host: &Host, id: &str, context: &str) {
        self.note(host, Entry::Accepted { id: id.to_owned(), context: context.to_owned() }).await;
    }

    /// A reply came. The same one again changes nothing. `of` is the dispatch that it names, if it names one.
    pub(super) async fn settle(
        &self,
        host: &Host,
        reply: &str,
        context: &str,
        of: Option<&str>,
        told: Reading,
    ) {
        for note in &told.notes {
            tracing::warn!("of a reply on context {context}: {note}; it counts as unknown");
        }
        let Reading { usage, notes } = told;
        let (reply, context, of) = (reply.to_owned(), context.to_owned(), of.map(str::to_owned));
        self.note(host, Entry::Settle { reply, context, of, usage, notes }).await;
    }

    /// Writes an entry down, now or as soon as it can be. Until then the turn stays counted for what it held.
    async fn note(&self, host: &Host, entry: Entry) {
        let mut ledger = self.ledger.lock().await;
        self.missing.borrow_mut().push(entry);
        let written = async {
            let _held = ledger.hold(host).await?;
            self.make_up(host, &mut ledger).await
        };
        if let Err(error) = written.await {
            tracing::error!(%error, "what became of a turn is not in the budget ledger yet");
        }
    }

    async fn make_up(&self, host: &Host, ledger: &mut Ledger) -> Result<(), BudgetError> {
        let missing: Vec<Entry> =
            self.missing.borrow().iter().filter(|entry| ledger.state().changes_by(entry)).cloned().collect();
        if !missing.is_empty() {
            ledger.append(host, &missing, Manner::USUAL).await?;
        }
        self.missing.borrow_mut().clear();
        Ok(())
    }
}

/// How the peers of a profile stand that have a budget: all, or one. Nothing is written, and nobody is waited for.
pub async fn show(host: &Host, peer: Option<&str>) -> Result<Vec<Standing>, BudgetError> {
    let config = load(host).await?;
    let peers = chosen(&config, peer)?;
    let mut ledger = Ledger::of(host);
    ledger.read(host).await?;
    let now = host.clock().wall();
    Ok(peers.into_iter().map(|(peer, budget)| Standing::of(peer, budget, ledger.state(), now)).collect())
}

/// Lets the budgets of all peers, or of one, begin anew. That somebody did is an entry like any other. Gives the peers.
pub async fn reset(host: &Host, peer: Option<&str>) -> Result<Vec<String>, BudgetError> {
    let config = load(host).await?;
    let peers: Vec<String> = chosen(&config, peer)?.into_iter().map(|(peer, _)| peer.to_owned()).collect();
    if peers.is_empty() {
        return Ok(peers);
    }
    let mut ledger = Ledger::of(host);
    let _held = ledger.hold(host).await?;
    let by = ["USER", "LOGNAME"].into_iter().find_map(|name| host.env(name)).unwrap_or("somebody").to_owned();
    let at = host.clock().wall().millis();
    let entries: Vec<Entry> =
        peers.iter().map(|peer| Entry::Reset { peer: peer.clone(), at, by: by.clone() }).collect();
    ledger.append(host, &entries, Manner::USUAL).await?;
    Ok(peers)
}

fn chosen<'c>(
    config: &'c FleetConfig,
    peer: Option<&str>,
) -> Result<Vec<(&'c str, &'c Budget)>, BudgetError> {
    let budgets =
        config.agents.iter().filter_map(|(name, peer)| Some((name.as_str(), peer.budget.as_ref()?)));
    let Some(wanted) = peer else { return Ok(budgets.collect()) };
    let found: Vec<_> = budgets.clone().filter(|(name, _)| *name == wanted).collect();
    if found.is_empty() {
        let known = budgets.map(|(name, _)| name.to_owned()).collect();
        return Err(BudgetError::NoBudget { found: wanted.to_owned(), known });
    }
    Ok(found)
}
