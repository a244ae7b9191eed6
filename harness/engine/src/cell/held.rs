//! Holding a cell where somebody wants to look at it.

use std::collections::BTreeMap;

use gauntlet_reports::{Secrets, Verdict};

use super::bench::Bench;
use super::steps::{Stagehand, key};
use crate::data::catalogue::Catalogue;
use crate::hold::Held;
use crate::oracle::{self, Judgement};
use crate::scenario::Step;

impl Stagehand {
    pub(super) async fn hold_before(&self, number: usize, step: &Step) {
        let key = key(number, step);
        if self.hold.as_ref().is_some_and(|hold| hold.is_before(number, &key)) {
            self.hold_now(format!("before step {}, {key}", number + 1)).await;
        }
    }

    pub(super) async fn hold_after(&self, number: usize) {
        if !self.hold.as_ref().is_some_and(|hold| hold.waits_for_failure()) {
            return;
        }
        let failed =
            self.trace.read(|all| oracle::failed_step(&self.plan, &self.names, all, &self.memory, number));
        if let Some(finding) = failed {
            let why =
                format!("step {}: expected {}; observed {}", number + 1, finding.expected, finding.observed);
            self.hold_now(why).await;
        }
    }

    /// Every dispatch has its outcome, or will have none; the receiver still runs.
    pub(super) async fn hold_at_rest(&self, catalogue: &Catalogue) {
        if self.hold.as_ref().is_some_and(|hold| hold.waits_for_failure()) {
            let judged =
                self.trace.read(|all| oracle::judge(&self.plan, catalogue, &self.names, all, &self.memory));
            self.hold_if_failed(&judged).await;
        }
    }

    pub(super) async fn hold_if_failed(&self, judged: &BTreeMap<String, Judgement>) {
        if !self.hold.as_ref().is_some_and(|hold| hold.waits_for_failure()) {
            return;
        }
        let failed = judged.iter().find(|(_, judgement)| judgement.verdict == Verdict::Fail);
        if let Some((id, judgement)) = failed {
            let said = judgement.findings.first();
            let said =
                said.map(|finding| format!(": expected {}; observed {}", finding.expected, finding.observed));
            self.hold_now(format!("{id} failed{}", said.unwrap_or_default())).await;
        }
    }

    async fn hold_now(&self, why: String) {
        let (Some(hold), Bench::Real(bench)) = (&self.hold, &*self.bench) else { return };
        let held = Held {
            why: Secrets::new(self.names.redacted()).redact(&why),
            root: bench.places.root.clone(),
            workdir: self.names.workdir.borrow().clone(),
            port: bench.receiver_port,
            processes: bench.processes(),
        };
        hold.hold(&held).await;
    }
}
