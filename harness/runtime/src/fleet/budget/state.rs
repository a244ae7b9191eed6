//! What all entries of a ledger together say.

use std::collections::{BTreeMap, BTreeSet};

use gauntlet_protocol::fleet::extension::usage::Usage;

use super::entry::{Entry, Hold};

/// A turn that was reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) peer: String,
    pub(super) at: i64,
    pub(super) hold: Hold,
    pub(super) fate: Fate,
    context: Option<String>,
}

/// What became of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It may be under way.
    Open,
    /// Nothing came of it.
    Released,
    /// Its reply said this.
    Settled(Usage),
}

/// What all entries together say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    /// In the order of their reservation.
    turns: Vec<Turn>,
    numbers: BTreeMap<String, usize>,
    /// Replies that were booked, with their contexts.
    replies: BTreeSet<(String, String)>,
    /// Replies on contexts of which nobody knew yet that a dispatch was on them: they came before their acknowledgement.
    early: Vec<(String, Usage)>,
    /// For each peer the first turn since it was last reset, and the latest moment that was written down since.
    since: BTreeMap<String, (usize, i64)>,
}

impl State {
    pub(super) fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Reserve { id, peer, at, context, hold } => {
                if self.numbers.contains_key(id) {
                    return;
                }
                self.numbers.insert(id.clone(), self.turns.len());
                let (peer, context) = (peer.clone(), context.clone());
                self.since
                    .entry(peer.clone())
                    .and_modify(|(_, last)| *last = (*at).max(*last))
                    .or_insert((0, *at));
                self.turns.push(Turn { peer, at: *at, hold: *hold, fate: Fate::Open, context });
            }
            Entry::Accepted { id, context } => {
                let Some(turn) = self.open(id) else { return };
                turn.context = Some(context.clone());
                if let Some(place) = self.early.iter().position(|(early, _)| early == context) {
                    let (_, usage) = self.early.remove(place);
                    if let Some(turn) = self.open(id) {
                        turn.fate = Fate::Settled(usage);
                    }
                }
            }
            Entry::Release { id } => {
                if let Some(turn) = self.open(id) {
                    turn.fate = Fate::Released;
                }
            }
            Entry::Settle { reply, context, of, usage, .. } => {
                if !self.replies.insert((reply.clone(), context.clone())) {
                    return;
                }
                match self.whose(context, of.as_deref()) {
                    Some(number) => self.turns[number].fate = Fate::Settled(*usage),
                    None => self.early.push((context.clone(), *usage)),
                }
            }
            Entry::Reset { peer, at, .. } => {
                self.since.insert(peer.clone(), (self.turns.len(), *at));
            }
            Entry::Mended => {}
        }
    }

    /// Whether an entry would say anything new. Replies to what no budget was reserved for are nobody's affair here.
    pub(super) fn changes_by(&self, entry: &Entry) -> bool {
        let is_open =
            |id: &str| self.numbers.get(id).is_some_and(|number| self.turns[*number].fate == Fate::Open);
        match entry {
            Entry::Accepted { id, .. } | Entry::Release { id } => is_open(id),
            Entry::Settle { reply, context, of, .. } => {
                let unnamed = |turn: &Turn| turn.fate == Fate::Open && turn.context.is_none();
                !self.replies.contains(&(reply.clone(), context.clone()))
                    && (self.whose(context, of.as_deref()).is_some() || self.turns.iter().any(unnamed))
            }
            Entry::Reserve { .. } | Entry::Reset { .. } | Entry::Mended => true,
        }
    }

    /// The turns of a peer since it was last reset.
    pub(super) fn turns_of<'s>(&'s self, peer: &'s str) -> impl Iterator<Item = &'s Turn> {
        let from = self.since.get(peer).map_or(0, |(from, _)| *from);
        self.turns.iter().skip(from).filter(move |turn| turn.peer == peer)
    }

    /// The moment that counts for a peer: the clock's, but never one before a moment that is written down. A clock that was set
    /// back does not give a period twice.
    pub(super) fn time_of(&self, peer: &str, now: i64) -> i64 {
        self.since.get(peer).map_or(now, |(_, last)| now.max(*last))
    }

    fn open(&mut self, id: &str) -> Option<&mut Turn> {
        let turn = self.turns.get_mut(*self.numbers.get(id)?)?;
        (turn.fate == Fate::Open).then_some(turn)
    }

    /// The turn that a reply is of: the one that it names, else the first open one on its context.
    fn whose(&self, context: &str, of: Option<&str>) -> Option<usize> {
        let is_open = |number: &usize| self.turns[*number].fate == Fate::Open;
        let named = of.and_then(|of| self.numbers.get(of)).copied().filter(is_open);
        named.or_else(|| {
            let on_it = |turn: &Turn| turn.fate == Fate::Open && turn.context.as_deref() == Some(context);
            self.turns.iter().position(on_it)
        })
    }
}

#[cfg(test)]
mod tests {
    use gauntlet_protocol::fleet::extension::usage::Usd;

    use super::*;

    fn t(text: &str) -> String {
        text.to_owned()
    }

    fn reserve(id: &str, at: i64, context: Option<&str>) -> Entry {
        let hold = Hold { tokens: 1, cost: Usd(0) };
        Entry::Reserve { id: t(id), peer: t("p"), at, context: context.map(t), hold }
    }

    fn settle(reply: &str, context: &str, tokens: u64) -> Entry {
        let usage = Usage { input_tokens: Some(tokens), output_tokens: Some(0), ..Usage::default() };
        Entry::Settle { reply: t(reply), context: t(context), of: None, usage, notes: Vec::new() }
    }

    fn fates(entries: &[Entry]) -> Vec<Option<u64>> {
        let mut state = State::default();
        entries.iter().for_each(|entry| state.apply(entry));
        let turns = state.turns_of("p").filter(|turn| turn.fate != Fate::Released);
        turns
            .map(|turn| match turn.fate {
                Fate::Settled(usage) => usage.tokens(),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn replies_of_a_context_settle_its_turns_in_order_and_once() {
        let (one, two) = (reserve("1", 0, Some("c")), reserve("2", 0, Some("c")));
        let other = reserve("3", 0, Some("d"));
        let entries = [one, two, other, settle("r1", "c", 7), settle("r1", "c", 7), settle("r1", "d", 9)];
        assert_eq!(
            fates(&entries),
            [Some(7), None, Some(9)],
            "the same id on another context is another reply"
        );
    }

    #[test]
    fn a_reply_that_overtakes_its_acknowledgement_is_booked() {
        let accepted = Entry::Accepted { id: t("1"), context: t("made-up") };
        assert_eq!(fates(&[reserve("1", 0, None), settle("r", "made-up", 7), accepted.clone()]), [Some(7)]);
        assert_eq!(fates(&[reserve("1", 0, None), accepted, settle("r", "made-up", 7)]), [Some(7)]);
    }

    #[test]
    fn what_is_released_counts_no_more_and_what_is_settled_cannot_be_released() {
        let release = Entry::Release { id: t("1") };
        assert_eq!(fates(&[reserve("1", 0, Some("c")), release.clone()]), []);
        assert_eq!(fates(&[reserve("1", 0, Some("c")), settle("r", "c", 7), release]), [Some(7)]);
    }

    #[test]
    fn a_reset_forgets_what_was_and_a_clock_never_runs_back() {
        let mut state = State::default();
        state.apply(&reserve("1", 500, Some("c")));
        assert_eq!(
            (state.time_of("p", 100), state.time_of("p", 900), state.time_of("q", 100)),
            (500, 900, 100)
        );
        state.apply(&Entry::Reset { peer: t("p"), at: 200, by: t("me") });
        assert_eq!((state.turns_of("p").count(), state.time_of("p", 100)), (0, 200));
        state.apply(&settle("r", "c", 7));
        assert_eq!(state.turns_of("p").count(), 0, "the turn was of before");
    }

    #[test]
    fn a_reply_to_what_nobody_reserved_says_nothing() {
        let mut state = State::default();
        assert!(!state.changes_by(&settle("r", "c", 7)));
        state.apply(&reserve("1", 0, Some("c")));
        assert!(state.changes_by(&settle("r", "c", 7)) && !state.changes_by(&settle("r", "d", 7)));
        state.apply(&settle("r", "c", 7));
        assert!(!state.changes_by(&settle("r", "c", 7)));
    }
}
