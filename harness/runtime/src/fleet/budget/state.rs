//! What all entries of a ledger together say.

use std::collections::{BTreeMap, BTreeSet};

use gauntlet_protocol::fleet::extension::usage::Usage;

use super::entry::{Entry, Hold, Sum, Tally};

/// The length of a day in milliseconds. Every period begins with one.
const DAY: i64 = 86_400_000;
/// Days that lie further back than any period but that without an end are one sum.
const OLD: i64 = 40 * DAY;
/// So many replies that were booked are known when the ledger is written anew.
const REMEMBERED: usize = 1024;

/// A turn that was reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) peer: String,
    pub(super) at: i64,
    pub(super) hold: Hold,
    pub(super) fate: Fate,
    context: Option<String>,
    /// It was reserved since its peer was last reset.
    counts: bool,
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
    /// What turns used that are over and not among `turns` any more, by peer and day.
    sums: BTreeMap<String, BTreeMap<i64, Sum>>,
    /// Replies that were booked, with their contexts; and the same in their order.
    replies: BTreeSet<(String, String)>,
    booked: Vec<(String, String)>,
    /// Replies on contexts of which nobody knew yet that a dispatch was on them: they came before their acknowledgement.
    early: Vec<(String, Usage)>,
    /// For each peer the latest moment that was written down since it was last reset.
    last: BTreeMap<String, i64>,
}

impl State {
    pub(super) fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Reserve { id, peer, at, context, hold, counts } => {
                if self.numbers.contains_key(id) {
                    return;
                }
                self.numbers.insert(id.clone(), self.turns.len());
                let (peer, context) = (peer.clone(), context.clone());
                self.last.entry(peer.clone()).and_modify(|last| *last = (*at).max(*last)).or_insert(*at);
                let fate = Fate::Open;
                self.turns.push(Turn { peer, at: *at, hold: *hold, fate, context, counts: *counts });
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
                if !self.book(reply, context) {
                    return;
                }
                match self.whose(context, of.as_deref()) {
                    Some(number) => self.turns[number].fate = Fate::Settled(*usage),
                    None => self.early.push((context.clone(), *usage)),
                }
            }
            Entry::Reset { peer, at, .. } => {
                self.last.insert(peer.clone(), *at);
                self.sums.remove(peer);
                self.turns.iter_mut().filter(|turn| turn.peer == *peer).for_each(|turn| turn.counts = false);
            }
            Entry::Sum { peer, sum } => self.add(peer, sum),
            Entry::Last { peer, at } => drop(self.last.insert(peer.clone(), *at)),
            Entry::Booked { reply, context } => drop(self.book(reply, context)),
            Entry::Early { context, usage } => self.early.push((context.clone(), *usage)),
            Entry::Mended | Entry::Carried { .. } => {}
        }
        // What came before its acknowledgement is nobody's when none is awaited any more, and not that of a turn to come.
        if !self.early.is_empty() && self.turns.iter().all(|turn| turn.fate != Fate::Open) {
            self.early.clear();
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
            _ => true,
        }
    }

    /// The turns of a peer since it was last reset, as far as they are not among its sums.
    pub(super) fn turns_of<'s>(&'s self, peer: &'s str) -> impl Iterator<Item = &'s Turn> {
        self.turns.iter().filter(move |turn| turn.counts && turn.peer == peer)
    }

    /// What the others used. All turns of one began on one day, or so long ago that they are of no period that has a beginning.
    pub(super) fn sums_of(&self, peer: &str) -> impl Iterator<Item = &Sum> {
        self.sums.get(peer).into_iter().flat_map(BTreeMap::values)
    }

    /// Entries that say the same in fewer words: what is over is added up by days, what is open stays as it is.
    pub(super) fn condensed(&self) -> Vec<Entry> {
        let mut whole = Self { sums: self.sums.clone(), ..Self::default() };
        for turn in self.turns.iter().filter(|turn| turn.counts) {
            if let Fate::Settled(usage) = turn.fate {
                let tally = |known: Option<u64>| match known {
                    Some(used) => Tally { used, unknown: 0 },
                    None => Tally { used: 0, unknown: 1 },
                };
                let tokens = tally(usage.tokens());
                let nano_usd = tally(usage.cost.map(|cost| cost.0));
                whole.add(&turn.peer, &Sum { at: turn.at, turns: 1, tokens, nano_usd });
            }
        }
        let mut entries = Vec::new();
        for (peer, days) in &whole.sums {
            let old = self.last.get(peer).copied().unwrap_or_default().saturating_sub(OLD);
            let mut oldest: Option<Sum> = None;
            for sum in days.values().filter(|sum| sum.at < old) {
                oldest
                    .get_or_insert(Sum {
                        turns: 0,
                        tokens: Tally::default(),
                        nano_usd: Tally::default(),
                        ..*sum
                    })
                    .add(sum);
            }
            let recent = days.values().copied().filter(|sum| sum.at >= old);
            let sums = oldest.into_iter().chain(recent);
            entries.extend(sums.map(|sum| Entry::Sum { peer: peer.clone(), sum }));
        }
        let mut ids = vec![""; self.turns.len()];
        for (id, number) in &self.numbers {
            ids[*number] = id;
        }
        let open = self.turns.iter().zip(ids).filter(|(turn, _)| turn.fate == Fate::Open);
        entries.extend(open.map(|(turn, id)| {
            let Turn { peer, at, hold, context, counts, .. } = turn.clone();
            Entry::Reserve { id: id.to_owned(), peer, at, context, hold, counts }
        }));
        // Behind the turns, which would move it.
        entries.extend(self.last.iter().map(|(peer, at)| Entry::Last { peer: peer.clone(), at: *at }));
        let late = self.booked.len().saturating_sub(REMEMBERED);
        entries.extend(
            self.booked[late..]
                .iter()
                .map(|(reply, context)| Entry::Booked { reply: reply.clone(), context: context.clone() }),
        );
        let late = self.early.len().saturating_sub(REMEMBERED);
        entries.extend(
            self.early[late..]
                .iter()
                .map(|(context, usage)| Entry::Early { context: context.clone(), usage: *usage }),
        );
        entries
    }

    fn add(&mut self, peer: &str, sum: &Sum) {
        let days = self.sums.entry(peer.to_owned()).or_default();
        days.entry(sum.at.div_euclid(DAY)).and_modify(|known| known.add(sum)).or_insert(*sum);
    }

    /// Notes that a reply is booked. False: it was before.
    fn book(&mut self, reply: &str, context: &str) -> bool {
        let key = (reply.to_owned(), context.to_owned());
        let is_new = self.replies.insert(key.clone());
        if is_new {
            self.booked.push(key);
        }
        is_new
    }

    /// The moment that counts for a peer: the clock's, but never one before a moment that is written down. A clock that was set
    /// back does not give a period twice.
    pub(super) fn time_of(&self, peer: &str, now: i64) -> i64 {
        self.last.get(peer).map_or(now, |last| now.max(*last))
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
        Entry::Reserve { id: t(id), peer: t("p"), at, context: context.map(t), hold, counts: true }
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
    fn a_reply_of_before_settles_no_turn_that_is_begun_after_it() {
        let accepted = Entry::Accepted { id: t("2"), context: t("c") };
        let nobodys = settle("r", "c", 7);
        assert_eq!(fates(&[nobodys.clone(), reserve("2", 0, None), accepted.clone()]), [None]);
        let release = Entry::Release { id: t("1") };
        let entries = [reserve("1", 0, None), nobodys, release, reserve("2", 0, None), accepted];
        assert_eq!(fates(&entries), [None], "the turn that it could have been of was over");
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

/// What is said in fewer words is the same.
#[cfg(test)]
mod condensed {
    use gauntlet_protocol::fleet::config::{Budget, FleetConfig};
    use gauntlet_protocol::fleet::extension::usage::Usd;
    use gauntlet_world::clock::WallTime;
    use proptest::prelude::*;

    use super::super::standing::Standing;
    use super::*;

    const PEERS: [&str; 2] = ["p", "q"];

    /// What an entry is made of: its kind, its peer, its context, the time since the one before, tokens and cost.
    type Raw = (u8, u8, u8, i64, Option<u64>, Option<u64>);

    /// Entries as a runtime could have written them; times go on by up to three days, and seldom back.
    fn entry() -> impl Strategy<Value = Raw> {
        (
            0_u8..10,
            0_u8..2,
            0_u8..6,
            -DAY..3 * DAY,
            proptest::option::weighted(0.8, 0_u64..1000),
            proptest::option::weighted(0.5, 0_u64..1000),
        )
    }

    fn made(raw: Vec<Raw>, from: usize, start: i64) -> Vec<Entry> {
        let mut now = start;
        let mut entries = Vec::new();
        for (number, (kind, peer, context, time, tokens, cost)) in raw.into_iter().enumerate() {
            let (id, number) = ((number + from).to_string(), number + from);
            let (peer, context) = (PEERS[usize::from(peer)].to_owned(), format!("c{context}"));
            let of = |ago: usize| number.saturating_sub(ago + 1).to_string();
            let usage = Usage {
                input_tokens: tokens,
                output_tokens: tokens.map(|_| 1),
                cost: cost.map(Usd),
                ..Usage::default()
            };
            now += time;
            entries.push(match kind {
                0..=3 => {
                    let hold =
                        Hold { tokens: tokens.unwrap_or_default(), cost: Usd(cost.unwrap_or_default()) };
                    let context = (kind > 0).then_some(context);
                    Entry::Reserve { id, peer, at: now, context, hold, counts: true }
                }
                4 => Entry::Accepted { id: of(0), context },
                5 => Entry::Release { id: of(0) },
                6..=8 => Entry::Settle {
                    reply: of(kind.into()),
                    context,
                    of: (kind == 8).then(|| of(1)),
                    usage,
                    notes: Vec::new(),
                },
                _ if number.is_multiple_of(4) => Entry::Reset { peer, at: now, by: "me".to_owned() },
                _ => Entry::Mended,
            });
        }
        entries
    }

    fn budgets() -> Vec<Budget> {
        let texts = ["day", "week", "month", "never"].into_iter().flat_map(|period| {
            ["refuse", "allow", "estimate:7:0.5"].map(|unknown| {
                format!("fleet: {{server: {{bind_port: 1, token_env: T}}, agents: {{p: {{url: 'http://127.0.0.1:9', budget: {{tokens: 9000, turns: 50, cost_usd: 1, period: {period}, unknown: '{unknown}'}}}}}}}}")
            })
        });
        texts
            .map(|text| {
                let config = FleetConfig::parse("fleet.yaml", &text).expect("a sound file");
                config.agents["p"].budget.clone().expect("a budget")
            })
            .collect()
    }

    fn standings(state: &State, now: i64) -> Vec<Standing> {
        let now = WallTime(now);
        let of = |peer: &str| -> Vec<Standing> {
            budgets().iter().map(|budget| Standing::of(peer, budget, state, now)).collect()
        };
        PEERS.iter().flat_map(|peer| of(peer)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

        #[test]
        fn a_ledger_that_is_written_anew_says_the_same_then_and_later(
            before in proptest::collection::vec(entry(), 0..80),
            after in proptest::collection::vec(entry(), 0..40),
            later in 0..50 * DAY,
        ) {
            let start = 1_790_000_000_000;
            let before = made(before, 0, start);
            let number = before.len();
            let mut whole = State::default();
            before.iter().for_each(|entry| whole.apply(entry));
            let mut anew = State::default();
            whole.condensed().iter().for_each(|entry| anew.apply(entry));
            // The latest moment that counts is written down, so that nobody looks from a day before it.
            prop_assert_eq!(standings(&whole, start + later), standings(&anew, start + later));
            for entry in made(after, number, start + later) {
                prop_assert_eq!(whole.changes_by(&entry), anew.changes_by(&entry), "{:?}", entry);
                whole.apply(&entry);
                anew.apply(&entry);
            }
            prop_assert_eq!(standings(&whole, start + later), standings(&anew, start + later));
            // And once more, of what was written anew.
            let mut again = State::default();
            anew.condensed().iter().for_each(|entry| again.apply(entry));
            prop_assert_eq!(standings(&anew, start + later), standings(&again, start + later));
        }
    }

    #[test]
    fn what_is_written_anew_is_short_however_much_it_was() {
        let mut state = State::default();
        for number in 0..100_000_u64 {
            let (id, at) = (number.to_string(), i64::try_from(number).expect("small") * 60_000);
            let context = Some(format!("c{number}"));
            let hold = Hold { tokens: 0, cost: Usd(0) };
            let usage = Usage { input_tokens: Some(1), output_tokens: Some(0), ..Usage::default() };
            let settle = Entry::Settle {
                reply: id.clone(),
                context: format!("c{number}"),
                of: None,
                usage,
                notes: Vec::new(),
            };
            state.apply(&Entry::Reserve { id, peer: "p".to_owned(), at, context, hold, counts: true });
            state.apply(&settle);
            // As the file is: else this test would look through all open turns each time.
            if number % 500 == 499 {
                let mut anew = State::default();
                state.condensed().iter().for_each(|entry| anew.apply(entry));
                state = anew;
            }
        }
        assert!(state.condensed().len() < REMEMBERED + 50, "{}", state.condensed().len());
        let turns: u64 = state.sums_of("p").map(|sum| sum.turns).sum();
        assert_eq!(turns + state.turns_of("p").count() as u64, 100_000);
    }
}
