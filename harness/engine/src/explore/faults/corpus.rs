//! Lists that came to something new, and lists that are made of them.

use std::collections::BTreeSet;

use crate::cell::Plan;
use crate::explore::choices::Choice;
use crate::record::Record;

/// What a cell came to: which port was touched beside which quirk, and which verdict stood beside which quirk or fault.
pub(super) fn pairs(record: &Record) -> BTreeSet<String> {
    let ports: BTreeSet<String> =
        record.touches.iter().map(|touch| format!("{} {}", touch.host, touch.op.name())).collect();
    let verdicts: BTreeSet<String> = record
        .judgements
        .iter()
        .map(|(id, judgement)| format!("{id} {}", judgement.verdict.as_str()))
        .collect();
    let disturbances = disturbances(&record.plan);
    let beside = |of: &BTreeSet<String>| {
        let all = of.iter();
        all.flat_map(|one| disturbances.iter().map(move |other| format!("{one} beside {other}")))
            .collect::<BTreeSet<String>>()
    };
    let mut pairs = beside(&ports);
    pairs.extend(beside(&verdicts));
    pairs
}

/// The quirks and kinds of faults of a cell; one word for none.
fn disturbances(plan: &Plan) -> Vec<String> {
    let quirks = plan.release_quirks.iter().map(|quirk| quirk.id.clone());
    let given = &plan.scenario.given.disturbances;
    let faults = given.faults.iter().map(|rule| format!("{} {}", rule.host, rule.at.name()));
    let order = given.shake.map(|_| "another order".to_owned());
    let mut all: Vec<String> = quirks.chain(faults).chain(order).collect();
    all.push("anything".to_owned());
    all
}

/// The lists so far.
#[derive(Default)]
pub(super) struct Corpus {
    known: BTreeSet<[u8; 8]>,
    lists: Vec<Vec<Choice>>,
}

/// So many lists are kept, so that memory does not grow with the search; the oldest go first.
const MOST: usize = 2000;

impl Corpus {
    /// Keeps a list when its cell came to a pair that no other came to.
    pub(super) fn take(&mut self, list: &[Choice], pairs: &BTreeSet<String>) {
        let mut is_new = false;
        for pair in pairs {
            let mut short = [0; 8];
            short.copy_from_slice(&blake3::hash(pair.as_bytes()).as_bytes()[..8]);
            is_new |= self.known.insert(short);
        }
        if is_new {
            if self.lists.len() == MOST {
                self.lists.remove(0);
            }
            self.lists.push(list.to_vec());
        }
    }

    /// How many different pairs came about.
    pub(super) fn pairs(&self) -> usize {
        self.known.len()
    }

    /// The list from which a cell goes on, drawn by a number: nothing, or one of the corpus with some choices changed, or the beginning
    /// of one with the end of another.
    pub(super) fn seed(&self, mut draw: u64) -> Vec<Choice> {
        let mut below = |many: usize| {
            let many = u64::try_from(many).unwrap_or(1).max(1);
            let drawn = draw % many;
            draw = (draw / many) ^ draw.rotate_left(29).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            usize::try_from(drawn).unwrap_or_default()
        };
        if self.lists.is_empty() || below(2) == 0 {
            return Vec::new();
        }
        let mut list = self.lists[below(self.lists.len())].clone();
        if below(3) == 0 {
            let other = &self.lists[below(self.lists.len())];
            let cut = below(list.len() + 1);
            list.truncate(cut);
            list.extend(other.iter().skip(cut));
        }
        for _ in 0..=below(4) {
            if !list.is_empty() {
                let place = below(list.len());
                list[place] = Choice::try_from(below(0xffff)).unwrap_or_default();
            }
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(of: &[&str]) -> BTreeSet<String> {
        of.iter().map(|pair| (*pair).to_owned()).collect()
    }

    #[test]
    fn only_what_came_to_something_new_is_kept() {
        let mut corpus = Corpus::default();
        corpus.take(&[1], &pairs(&["a", "b"]));
        corpus.take(&[2], &pairs(&["b"]));
        corpus.take(&[3], &pairs(&["b", "c"]));
        assert_eq!((corpus.lists.clone(), corpus.pairs()), (vec![vec![1], vec![3]], 3));
    }

    #[test]
    fn memory_does_not_grow_with_the_search() {
        let mut corpus = Corpus::default();
        for number in 0..3 * MOST {
            corpus.take(&[7], &pairs(&[&number.to_string()]));
        }
        assert_eq!(corpus.lists.len(), MOST);
    }

    #[test]
    fn lists_go_on_from_others_and_from_nothing() {
        let mut corpus = Corpus::default();
        corpus.take(&[1, 2, 3, 4], &pairs(&["a"]));
        let seeds: BTreeSet<Vec<Choice>> =
            (0..200).map(|number| corpus.seed(number * 0x51_7cc1_b727)).collect();
        assert!(seeds.contains(&Vec::new()) && seeds.len() > 20, "{}", seeds.len());
    }
}
