//! The ledger against a naive model, over both mechanics of the disk: whatever crashes, no more turns pass than fit, what was reserved
//! counts until it is certain that it never ran, and what a reply told is booked once.

use std::collections::BTreeSet;
use std::io;

use gauntlet_protocol::fleet::config::{Budget, FleetConfig};
use gauntlet_protocol::fleet::extension::usage::{Reading, Usage};
use gauntlet_world::fault::{Errno, Happening, Moment, Unsynced};
use gauntlet_world::touch::Op;
use gauntlet_world::trial::{End, Trial, Wrong};
use proptest::prelude::*;

use super::state::State;
use super::*;

/// The peers, with what they may use.
const FLEET: &str = "fleet:\n  server: { bind_port: 9219, token_env: T }\n  agents:\n    \
    ever: { url: 'http://127.0.0.1:9', budget: { turns: 4, period: never, unknown: allow } }\n    \
    daily: { url: 'http://127.0.0.1:9', budget: { turns: 2, period: day, unknown: allow } }\n";
const PEERS: [&str; 2] = ["ever", "daily"];
/// It is written anew this often, so that crashes meet that.
const MOST_ADDED: usize = 5;

/// What happens to the ledger.
#[derive(Debug, Clone)]
enum Command {
    /// A turn is to be reserved; perhaps its context is not known yet.
    Reserve {
        peer: usize,
        named: bool,
        wrong: Option<Wrong>,
    },
    /// One of the turns so far, counted from the last: its peer took it.
    Accepted(usize, Option<Wrong>),
    /// It never ran.
    Release(usize, Option<Wrong>),
    /// Its reply came, perhaps for the second time.
    Settle(usize, Option<Wrong>),
    /// Its process ends, and another one reads what is there.
    End(End, Option<Wrong>),
    Jump(i64),
}

fn fate() -> impl Strategy<Value = Unsynced> {
    prop_oneof![Just(Unsynced::Lost), Just(Unsynced::Kept), Just(Unsynced::Torn), Just(Unsynced::Drawn)]
}

fn wrong() -> impl Strategy<Value = Option<Wrong>> {
    let at = prop_oneof![
        3 => Just(Op::DiskAppend),
        3 => Just(Op::DiskSync),
        1 => Just(Op::DiskRead),
        1 => Just(Op::DiskCreate),
        1 => Just(Op::DiskRename),
        1 => Just(Op::DiskSyncDir),
        1 => Just(Op::DiskLock),
    ];
    let moment = prop_oneof![Just(Moment::Before), Just(Moment::After)];
    let happening = prop_oneof![
        Just(Happening::Kill),
        fate().prop_map(Happening::PowerCut),
        Just(Happening::Fail(Errno::Io)),
        Just(Happening::Torn(Errno::NoSpace)),
    ];
    let wrong = (at, moment, happening).prop_map(|(at, moment, happening)| Wrong { at, moment, happening });
    prop::option::weighted(0.4, wrong)
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let end = prop_oneof![Just(End::Killed), fate().prop_map(End::PowerCut)];
    prop::collection::vec(
        prop_oneof![
            6 => (0..PEERS.len(), any::<bool>(), wrong()).prop_map(|(peer, named, wrong)| Command::Reserve { peer, named, wrong }),
            2 => (0..4_usize, wrong()).prop_map(|(ago, wrong)| Command::Accepted(ago, wrong)),
            2 => (0..4_usize, wrong()).prop_map(|(ago, wrong)| Command::Release(ago, wrong)),
            3 => (0..4_usize, wrong()).prop_map(|(ago, wrong)| Command::Settle(ago, wrong)),
            2 => (end, wrong()).prop_map(|(end, wrong)| Command::End(end, wrong)),
            1 => (-3000..3000_i64).prop_map(Command::Jump),
        ],
        1..40,
    )
}

/// What may have become of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum May {
    NotBe,
    BeOpen,
    BeReleased,
    BeSettled,
}

struct Turn {
    peer: usize,
    named: bool,
    may: BTreeSet<May>,
}

impl Turn {
    /// Something came to it if it is open; when that is not certain, it may be as it was.
    fn came(&mut self, to: May, certainly: bool) {
        if self.may.contains(&May::BeOpen) {
            self.may.insert(to);
            if certainly {
                self.may.remove(&May::BeOpen);
            }
        }
    }

    fn counts(may: &May) -> bool {
        matches!(may, May::BeOpen | May::BeSettled)
    }
}

/// A reply's tokens.
fn tokens(turn: usize) -> u64 {
    1 << turn
}

fn id(turn: usize) -> String {
    format!("t{turn}")
}

fn context(turn: usize) -> String {
    format!("c{turn}")
}

struct Model {
    budgets: [Budget; 2],
    turns: Vec<Turn>,
    /// When the period of the second peer began, as far as it was seen.
    from: Option<i64>,
}

impl Model {
    fn new() -> Self {
        let config = FleetConfig::parse("fleet.yaml", FLEET).expect("a fleet");
        let budgets = PEERS.map(|peer| config.agents[peer].budget.clone().expect("a budget"));
        Self { budgets, turns: Vec::new(), from: None }
    }

    /// How many turns of a peer count at least and at most.
    fn counted(&self, peer: usize) -> (u64, u64) {
        let turns = || self.turns.iter().filter(|turn| turn.peer == peer);
        let least = turns().filter(|turn| turn.may.iter().all(Turn::counts)).count();
        (least as u64, turns().filter(|turn| turn.may.iter().any(Turn::counts)).count() as u64)
    }

    fn reserved(&mut self, peer: usize, named: bool, outcome: Option<Result<(), Refusal>>) {
        let limit = self.budgets[peer].turns.expect("a limit");
        let (least, most) = self.counted(peer);
        let may = match outcome {
            Some(Ok(())) => {
                assert!(peer != 0 || least < limit, "a turn too many passed: {least} of {limit}");
                [May::BeOpen].into()
            }
            Some(Err(Refusal::Exceeded(why))) => {
                assert!(most >= limit, "{most} of {limit} at most, and refused: {why}");
                return self.turns.push(Turn { peer, named, may: [May::NotBe].into() });
            }
            Some(Err(Refusal::Ledger(error))) => {
                assert!(matches!(error, BudgetError::Unusable { .. }), "{error}");
                [May::NotBe, May::BeOpen, May::BeReleased].into()
            }
            None => [May::NotBe, May::BeOpen].into(),
        };
        self.turns.push(Turn { peer, named, may });
    }

    /// The turn that is so far back.
    fn ago(&self, ago: usize) -> Option<usize> {
        self.turns.len().checked_sub(ago + 1)
    }

    fn fits(&mut self, state: &State, now: gauntlet_world::WallTime) {
        let standing = |peer: usize| Standing::of(PEERS[peer], &self.budgets[peer], state, now);
        let ever = standing(0);
        let (least, most) = self.counted(0);
        let used = ever.turns.used;
        assert!((least..=most).contains(&used), "{used} turns, expected {least} to {most}");
        let of_ever = || self.turns.iter().enumerate().filter(|(_, turn)| turn.peer == 0);
        let settled = |turn: &Turn| turn.may.contains(&May::BeSettled);
        let told = |all: bool| -> u64 {
            let those = of_ever().filter(|(_, turn)| settled(turn) && (all || turn.may.len() == 1));
            those.map(|(number, _)| tokens(number)).sum()
        };
        let booked = ever.tokens.used;
        assert!(booked & told(false) == told(false) && booked & !told(true) == 0, "{booked:b}");
        for (peer, name) in PEERS.iter().enumerate() {
            let (used, limit) = (standing(peer).turns.used, self.budgets[peer].turns.expect("a limit"));
            assert!(used <= limit, "{used} of {limit} turns of {name}");
        }
        // A clock that is set back gives no period twice.
        // What counts is what was written: where a clock was and nothing happened, it can be again.
        let from = Standing::of(PEERS[1], &self.budgets[1], state, gauntlet_world::WallTime(0));
        let from = from.from.expect("days begin").millis();
        let written = state.turns_of(PEERS[1]).next().is_some() || state.sums_of(PEERS[1]).next().is_some();
        if written {
            assert!(self.from.is_none_or(|before| before <= from), "the day began anew");
            self.from = Some(from);
        }
    }
}

async fn open(host: Host) -> io::Result<Budgets> {
    Ok(Budgets { ledger: Mutex::new(Ledger::short(&host, MOST_ADDED)), missing: RefCell::default() })
}

async fn run(mut trial: Trial<Budgets>, commands: &[Command]) -> io::Result<()> {
    let mut model = Model::new();
    for command in commands {
        match command {
            Command::Reserve { peer, named, wrong } => {
                let number = model.turns.len();
                let (id, context) = (id(number), named.then(|| context(number)));
                let budget = model.budgets[*peer].clone();
                let outcome = trial.call(*wrong, async |host, budgets| {
                    let (budget, context) = (&budget, context.as_deref());
                    let wanted = Wanted { id: &id, peer: PEERS[*peer], budget, context };
                    budgets.reserve(host, wanted, Manner::USUAL).await
                });
                let outcome = outcome.await?;
                model.reserved(*peer, *named, outcome);
            }
            Command::Accepted(ago, wrong) => {
                let Some(number) = model.ago(*ago).filter(|number| !model.turns[*number].named) else {
                    continue;
                };
                trial
                    .call(*wrong, async |host, budgets| {
                        budgets.accepted(host, &id(number), &context(number)).await
                    })
                    .await?;
            }
            Command::Release(ago, wrong) => {
                let Some(number) = model.ago(*ago) else { continue };
                let outcome =
                    trial.call(*wrong, async |host, budgets| budgets.release(host, &id(number)).await);
                let certainly = outcome.await?.is_some() && wrong.is_none();
                model.turns[number].came(May::BeReleased, certainly);
            }
            Command::Settle(ago, wrong) => {
                let Some(number) = model.ago(*ago) else { continue };
                let usage =
                    Usage { input_tokens: Some(tokens(number)), output_tokens: Some(0), ..Usage::default() };
                let told = Reading { usage, notes: Vec::new() };
                let outcome = trial.call(*wrong, async |host, budgets| {
                    let reply = format!("r{number}");
                    budgets.settle(host, &reply, &context(number), Some(&id(number)), told).await
                });
                let certainly = outcome.await?.is_some() && wrong.is_none();
                model.turns[number].came(May::BeSettled, certainly);
            }
            Command::End(end, wrong) => trial.end(*end, *wrong).await?,
            Command::Jump(minutes) => trial.jump(*minutes),
        }
        look(&mut trial, &mut model).await?;
    }
    trial.end(End::PowerCut(Unsynced::Lost), None).await?;
    look(&mut trial, &mut model).await
}

/// Somebody else reads the ledger, and what he saw counts from there on.
async fn look(trial: &mut Trial<Budgets>, model: &mut Model) -> io::Result<()> {
    let seen = trial.call(None, async |host, _| {
        let mut ledger = Ledger::short(host, MOST_ADDED);
        let held = ledger.hold(host).await;
        held.map(|held| {
            drop(held);
            model.fits(ledger.state(), host.clock().wall());
        })
    });
    seen.await?.expect("it lives").expect("the ledger can be read");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_more_passes_than_fits_whatever_crashes(seed in 0..8_u8, commands in commands()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
            let trial = Trial::in_a_world(seed, &[], open).await.expect("an empty disk");
            run(trial, &commands).await.expect("the disk behaves");
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_same_on_the_disk_of_this_computer(commands in commands()) {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
            let trial = Trial::on_this_computer(folder.path(), &[], open).await.expect("an empty folder");
            run(trial, &commands).await.expect("the disk behaves");
        });
    }
}
