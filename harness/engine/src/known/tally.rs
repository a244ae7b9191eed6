//! Holding lists of known failures against the records of a run.

use std::collections::BTreeSet;
use std::sync::Arc;

use gauntlet_reports::{KnownFailures, KnownRow, KnownState, Verdict};

use super::list::{Entry, List};
use crate::cell::Plan;
use crate::data::Library;
use crate::record::{self, Record};

/// So many cells of an entry are named.
const NAMED: usize = 10;

/// So many failures are written down by an update; more is no list that somebody looks after.
pub const MOST_NEW: usize = 1000;

/// What the records so far say of the lists.
#[derive(Debug, Default)]
pub struct Tally {
    list: List,
    of: Vec<OfEntry>,
    failures: u32,
    new: Vec<New>,
    /// How many more failures there were than an update writes down.
    left_out: u32,
}

/// What the records say of one entry.
#[derive(Debug, Default)]
struct OfEntry {
    failed: u32,
    passed: u32,
    failed_in: Vec<String>,
    passed_in: Vec<String>,
    executors: BTreeSet<String>,
    /// All that an update has to write anew should the entry not hold as it stands.
    all_failed: Vec<(String, String)>,
}

/// A failure that no entry holds, for an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct New {
    /// The cell.
    pub cell: String,
    /// The requirement.
    pub requirement: String,
    /// The entry whose reason and owner it takes over.
    pub from: Option<usize>,
    executor: String,
}

impl Tally {
    /// Nothing was held against these lists yet.
    pub fn new(list: &List) -> Self {
        Self {
            list: list.clone(),
            of: list.entries.iter().map(|_| OfEntry::default()).collect(),
            ..Self::default()
        }
    }

    /// Whether a failure would be a known one.
    pub(crate) fn excuses(&self, plan: &Plan, id: &str) -> bool {
        let entries = self.list.entries.iter();
        let mut holding =
            entries.filter(|entry| !entry.is_dead && entry.is_of(id) && entry.pattern.matches(plan));
        self.list.today.is_some_and(|today| holding.any(|entry| entry.expires >= today))
    }

    /// Holds one more record against the lists: marks the failures that are known, which are then nobody's surprise.
    pub fn hold(&mut self, library: &Library, record: &mut Record) {
        // What the harness or its environment spoiled is no known failure.
        if !self.list.is_asked_for() || record.line.verdict == Verdict::Error {
            return;
        }
        let Some(today) = self.list.today else { return };
        let surprising: Vec<String> = {
            // What is newer than the revision that judges is held against nobody.
            let failed = record.line.failed.iter().filter(|id| library.catalogue.is_scored(id));
            failed.filter(|id| record::is_surprising(&record.plan, library, id)).cloned().collect()
        };
        let mut known = BTreeSet::new();
        for (entry, of) in self.list.entries.iter().zip(&mut self.of) {
            if entry.is_dead || !entry.pattern.matches(&record.plan) {
                continue;
            }
            let failed: Vec<&String> = record.line.failed.iter().filter(|id| entry.is_of(id)).collect();
            let mut judged = record.judgements.iter().filter(|(id, _)| entry.is_of(id));
            let passed = judged.any(|(_, judgement)| judgement.verdict == Verdict::Pass);
            let note = |cells: &mut Vec<String>| {
                if cells.len() < NAMED {
                    cells.push(record.line.id.clone());
                }
            };
            if !failed.is_empty() {
                of.failed += 1;
                note(&mut of.failed_in);
            } else if passed {
                of.passed += 1;
                note(&mut of.passed_in);
            } else {
                continue;
            }
            of.executors.insert(record.plan.profile.executor().to_owned());
            let surprising = surprising.iter().filter(|id| entry.is_of(id));
            if self.list.updates && !entry.flaky {
                let each = surprising.clone().map(|id| (record.line.id.clone(), id.clone()));
                of.all_failed.extend(each.take(MOST_NEW.saturating_sub(of.all_failed.len())));
            }
            if entry.expires >= today {
                known.extend(surprising.cloned());
            }
        }
        if self.list.updates {
            for id in &surprising {
                if known.contains(id) {
                    continue;
                }
                if self.new.len() == MOST_NEW {
                    self.left_out += 1;
                    continue;
                }
                // What expired is not new: somebody has to say that it goes on.
                let is_listed =
                    self.list.entries.iter().any(|entry| {
                        !entry.is_dead && entry.is_of(id) && entry.pattern.matches(&record.plan)
                    });
                if !is_listed {
                    self.new.push(New {
                        cell: record.line.id.clone(),
                        requirement: id.clone(),
                        from: None,
                        executor: record.plan.profile.executor().to_owned(),
                    });
                    known.insert(id.clone());
                }
            }
        }
        if known.is_empty() {
            return;
        }
        self.failures += u32::try_from(known.len()).unwrap_or(u32::MAX);
        record.failures.retain(|failure| !known.contains(&failure.requirement));
        record.line.known = known.into_iter().collect();
        record.forget_trace_of_no_failure();
    }

    /// What an entry came to.
    fn state(&self, entry: &Entry, of: &OfEntry) -> KnownState {
        match () {
            () if self.list.today.is_some_and(|today| entry.expires < today) => KnownState::Expired,
            () if of.failed + of.passed == 0 => KnownState::NotJudged,
            () if entry.flaky => KnownState::Flaky,
            () if of.passed > 0 => KnownState::Passed,
            () => KnownState::Known,
        }
    }

    fn each(&self) -> impl Iterator<Item = (&Arc<Entry>, &OfEntry)> {
        self.list.entries.iter().zip(&self.of)
    }

    /// What is wrong with the lists, one line an entry.
    pub fn problems(&self) -> Vec<String> {
        let stale = self.each().filter_map(|(entry, of)| {
            let (place, name) = (entry.place(), entry.name());
            match self.state(entry, of) {
                KnownState::Expired => {
                    Some(format!("{place}: {name} expired on {}; look again, and set a new day or take it out", entry.expires))
                }
                KnownState::Passed if !self.list.updates => Some(format!(
                    "{place}: {name} is listed as known to fail, and passed in {}{}; take it out, or narrow it down",
                    of.passed_in.first().map(String::as_str).unwrap_or_default(),
                    if of.passed > 1 { format!(" and {} more", of.passed - 1) } else { String::new() },
                )),
                _ => None,
            }
        });
        let too_many = (self.left_out > 0).then(|| {
            format!(
                "{} failures are more than a list of known failures holds; {MOST_NEW} were written",
                self.left_out as usize + MOST_NEW
            )
        });
        stale.chain(too_many).collect()
    }

    /// The lists in the summary, if there are any.
    pub fn summary(&self) -> Option<KnownFailures> {
        self.list
            .is_asked_for()
            .then(|| KnownFailures { failures: self.failures, entries: self.rows(|_| true, |_| true) })
    }

    /// The entries that hold cells of an executor.
    pub fn of_executor(&self, executor: &str) -> Vec<KnownRow> {
        self.rows(|of| of.executors.contains(executor), |new| new.executor == executor)
    }

    fn rows(&self, is_meant: impl Fn(&OfEntry) -> bool, is_new: impl Fn(&New) -> bool) -> Vec<KnownRow> {
        let listed = self.each().filter(|(_, of)| is_meant(of)).map(|(entry, of)| KnownRow {
            place: entry.place(),
            pattern: entry.pattern.text().to_owned(),
            requirement: entry.requirement.as_ref().map(|glob| glob.text().to_owned()),
            reason: entry.reason.clone(),
            owner: entry.owner.clone(),
            issue: entry.issue.clone(),
            expires: entry.expires.to_string(),
            flaky: entry.flaky,
            state: self.state(entry, of),
            failed: of.failed,
            passed: of.passed,
            failed_in: of.failed_in.clone(),
            passed_in: of.passed_in.clone(),
        });
        let new = self.new.iter().filter(|new| is_new(new)).map(|new| KnownRow {
            place: "new".to_owned(),
            pattern: new.cell.clone(),
            requirement: Some(new.requirement.clone()),
            reason: String::new(),
            owner: String::new(),
            issue: None,
            expires: String::new(),
            flaky: false,
            state: KnownState::New,
            failed: 1,
            passed: 0,
            failed_in: vec![new.cell.clone()],
            passed_in: Vec::new(),
        });
        listed.chain(new).collect()
    }

    /// The entries that do not hold any more, by number, each with whether it is dead, and all that is to be written anew: what no
    /// entry held, and what still fails of entries that passed elsewhere.
    pub fn changes(&self) -> (Vec<(usize, bool)>, Vec<New>) {
        let mut gone = Vec::new();
        let mut new = self.new.clone();
        for (number, (entry, of)) in self.each().enumerate() {
            if entry.is_dead {
                gone.push((number, true));
            } else if self.state(entry, of) == KnownState::Passed {
                gone.push((number, false));
                new.extend(of.all_failed.iter().map(|(cell, requirement)| New {
                    cell: cell.clone(),
                    requirement: requirement.clone(),
                    from: Some(number),
                    executor: String::new(),
                }));
            }
        }
        (gone, new)
    }

    /// The lists.
    pub fn list(&self) -> &List {
        &self.list
    }
}
