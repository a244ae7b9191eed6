//! The third score: what all other roles keep when one peer, or the world, misbehaves.

use std::collections::BTreeSet;

use gauntlet_reports::{Resilience, ResilienceBreak};

use super::count;
use crate::cell::Deviation;
use crate::data::Library;
use crate::record::Record;

/// So many breaks are told one by one; the others are counted.
const MAX_BREAKS: usize = 1000;

/// What the cells with a quirk or fault say so far.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// The quirks and faults that reached a cell, by kind and id.
    judged: BTreeSet<(&'static str, String)>,
    /// Those under which somebody else broke something.
    hurt: BTreeSet<String>,
    broken: Vec<ResilienceBreak>,
    left_out: u32,
    /// How many breaks a list of known failures holds.
    known: u32,
}

impl Counted {
    pub(super) fn add(&mut self, library: &Library, record: &Record) {
        let Some(deviation) = &record.plan.deviation else { return };
        self.judged.insert((deviation.kind(), deviation.id().to_owned()));
        let guilty = match deviation {
            Deviation::Quirk(quirk) => quirk.role.as_str(),
            Deviation::Fault(_) | Deviation::Explored(_) => "",
        };
        for id in &record.line.failed {
            let Some(requirement) = library.catalogue.get(id) else { continue };
            if requirement.role.name() == guilty || record.plan.breaks(id) {
                continue;
            }
            self.hurt.insert(deviation.id().to_owned());
            if record.line.known.contains(id) {
                self.known += 1;
                continue;
            }
            if self.broken.len() == MAX_BREAKS {
                self.left_out += 1;
                continue;
            }
            self.broken.push(ResilienceBreak {
                deviation: deviation.id().to_owned(),
                kind: deviation.kind().to_owned(),
                requirement: id.clone(),
                role: requirement.role.name().to_owned(),
                cell: record.line.id.clone(),
            });
        }
    }

    pub(super) fn score(&self) -> Resilience {
        Resilience {
            kept: count(self.judged.len() - self.hurt.len()),
            all: count(self.judged.len()),
            broken: self.broken.clone(),
            broken_left_out: self.left_out,
            known: self.known,
        }
    }

    pub(super) fn idle_faults<'a>(&self, library: &'a Library) -> Vec<&'a str> {
        let reached = |id: &str| self.judged.contains(&("fault", id.to_owned()));
        library.faults.keys().map(String::as_str).filter(|id| !reached(id)).collect()
    }
}
