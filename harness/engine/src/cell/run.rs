//! One cell from beginning to end.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use gauntlet_reports::Lane;
use gauntlet_world::injection::Point;
use gauntlet_world::simulated::Crash;
use gauntlet_world::touch::Touch;
use serde_json::Value;
use tokio::time::Instant;

use super::bench::{Bench, BenchError};
use super::hermes::Nodes;
use super::names::{Names, Told};
use super::plan::{Deviation, Plan};
use super::real::{RealBench, RealSettings};
use super::steps::{KILLED, Stagehand};
use super::team::Team;
use super::virtual_bench::VirtualBench;
use crate::data::catalogue::{Catalogue, Role};
use crate::oracle::{self, Judgement, Memory};
use crate::scenario::{Limits, Subject, SubjectKind};
use crate::trace::{OF_NODE, Observation, Trace, What, digest};

/// What became of a cell.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The verdict of each requirement that was touched, by id.
    pub judgements: BTreeMap<String, Judgement>,
    /// What was observed.
    pub observations: Vec<Observation>,
    /// A digest of the trace; empty in the real lane.
    pub digest: String,
    /// The events at injection points: what quirks would have had to bite on.
    pub events: Vec<(Point, Value)>,
    /// The port calls: what faults would have had to bite on.
    pub touches: Vec<Touch>,
    /// How many of the crashes came about that exploration asked for.
    pub bitten: usize,
    /// Why there is no verdict: the harness or its environment failed.
    pub error: Option<String>,
    /// The secrets of this cell, which must be redacted wherever its observations are shown.
    pub secrets: Vec<String>,
    /// What the names of this cell came to.
    pub names: Told,
}

/// How long it is waited, after the last outcome, for replies that should not come.
const QUIET: Duration = Duration::from_secs(5);
/// How long a cell that somebody holds may last.
const HELD: Duration = Duration::from_secs(7 * 24 * 3600);

/// Runs and judges a cell. The caller provides the runtime: current-thread, and paused for the virtual lane.
pub(crate) async fn run(plan: &Plan, catalogue: &Catalogue, real: Option<&RealSettings>) -> Outcome {
    let seed = plan.cell_seed();
    let mut names = Names::new(&seed, plan.executor.clone());
    if let Some(token) = plan.foreign().and_then(|foreign| foreign.token.clone()) {
        names.token = token;
    }
    let names = Rc::new(names);
    #[expect(clippy::disallowed_methods, reason = "the trace is of no host; its time is the runtime's own")]
    let trace = Rc::new(Trace::begin(Instant::now()));
    let mut outcome = Outcome { secrets: names.redacted(), ..Outcome::default() };
    let built = match (plan.lane, real) {
        (Lane::Virtual, _) => {
            VirtualBench::build(plan, &names, &trace).await.map(|(bench, wire)| (Bench::Virtual(bench), wire))
        }
        (Lane::Real, Some(settings)) => RealBench::build(plan, settings, &names, &trace)
            .await
            .map(|(bench, wire)| (Bench::Real(bench), wire)),
        (Lane::Real, None) => {
            Err(BenchError("the real lane needs the path of the gauntlet binary".to_owned()))
        }
    };
    let (bench, wire) = match built {
        Ok(built) => built,
        Err(error) => {
            outcome.error = Some(error.to_string());
            return outcome;
        }
    };
    let bench = Rc::new(bench);
    let hand = Rc::new(Stagehand {
        plan: plan.clone(),
        bench: bench.clone(),
        names: names.clone(),
        wire: wire.clone(),
        trace: trace.clone(),
        nodes: Nodes::new(plan, &bench, &names, &trace),
        team: Team::new(plan, &bench, &names, &trace),
        memory: Memory::default(),
        hold: real.and_then(|settings| settings.hold.clone()),
        revived: Cell::new(false),
        outlived: Cell::new(false),
    });
    if plan.scenario.subject != SubjectKind::Hermes {
        watch_crashes(&hand);
    }
    let harness = bench.harness().clone();
    // Whoever looks at a cell takes the time that it takes.
    let driven = plan.driven().map(|runtime| runtime.horizon());
    let usual = plan.foreign().map(|foreign| foreign.horizon()).or(driven);
    let usual = usual.unwrap_or(Limits::horizon(plan.lane));
    let horizon = hand.hold.as_ref().map_or(usual, |_| HELD);
    match harness.clock().within(horizon, play(&hand, catalogue)).await {
        Some(Ok(())) => {}
        Some(Err(error)) => outcome.error = Some(error.to_string()),
        // The waiting side fails: steps that did not come about have no result, and what they expect is judged so.
        None => tracing::debug!(cell = plan.id(), "the horizon ended the cell"),
    }
    // What is left of teams was removed after the last look.
    if plan.scenario.subject != SubjectKind::Team {
        bench.look("end", &trace);
    }
    hand.nodes.end();
    hand.team.end();
    outcome.error = outcome.error.or_else(|| bench.failure()).or_else(|| hand.nodes.failure());
    outcome.events = bench.injector().map(|injector| injector.log()).unwrap_or_default();
    if plan.scenario.given.undisturbed {
        // What is judged there is the runtime by itself: nobody else deviates, and neither does the world.
        outcome.events.retain(|(point, _)| point.role() == Role::Runtime.name());
    } else {
        outcome.touches = bench.touches();
    }
    if let (Some(Deviation::Explored(explored)), Bench::Virtual(bench)) = (&plan.deviation, &*bench) {
        // Its rules come before those of the story.
        let bitten = bench.world.bitten(explored.rules.len());
        (outcome.touches, outcome.bitten) = (bench.world.log(), bitten);
    }
    wire.end();
    outcome.observations = trace.take();
    outcome.secrets.extend(oracle::deployed_bearers(&outcome.observations));
    outcome.judgements = oracle::judge(plan, catalogue, &names, &outcome.observations, &hand.memory);
    outcome.names = names.told();
    if plan.lane == Lane::Virtual {
        outcome.digest = digest(&outcome.observations);
    }
    hand.hold_if_failed(&outcome.judgements).await;
    bench.tear_down().await;
    outcome
}

async fn play(hand: &Rc<Stagehand>, catalogue: &Catalogue) -> Result<(), BenchError> {
    if hand.plan.scenario.subject == SubjectKind::Hermes {
        hand.nodes.begin().await?;
    } else {
        hand.nodes.find_place().await?;
        hand.team.begin().await?;
        hand.bench.start_runtime().await?;
        hand.nodes.begin_beside().await?;
        let has_receiver = hand.plan.scenario.subject != SubjectKind::Team;
        if has_receiver && hand.plan.scenario.given.receiver.started {
            hand.start_receiver().await?;
        }
    }
    for (number, step) in hand.plan.scenario.steps.iter().enumerate() {
        hand.hold_before(number, step).await;
        hand.step(number, step).await?;
        hand.hold_after(number).await;
    }
    if hand.plan.scenario.subject == SubjectKind::Team {
        hand.team.rest().await;
        hand.end_teams().await;
        return Ok(());
    }
    // A Hermes node answers at once: nothing is to be waited for, and nothing is left of a turn.
    if hand.plan.scenario.subject != SubjectKind::Hermes {
        hand.settle().await;
        hand.hold_at_rest(catalogue).await;
        hand.end().await;
    } else if hand.plan.scenario.then.iter().any(|check| matches!(check.subject(), Some(Subject::Leftovers)))
    {
        hand.look_for_leftovers(OF_NODE).await;
    }
    Ok(())
}

/// Notes each crash that a fault causes, and starts again what died.
fn watch_crashes(hand: &Rc<Stagehand>) {
    let Bench::Virtual(bench) = &*hand.bench else { return };
    let restart_after = match &hand.plan.deviation {
        Some(Deviation::Fault(fault)) => fault.restart_after.duration(),
        _ => Duration::from_secs(1),
    };
    let watcher = hand.clone();
    bench.harness.spawn(async move {
        let hand = watcher;
        let Bench::Virtual(bench) = &*hand.bench else { return };
        loop {
            let crash = bench.world.next_crash().await;
            let runtime_died = match &crash {
                Crash::Killed { host } => {
                    hand.trace.push(What::Killed { host: host.clone() });
                    host == "runtime"
                }
                Crash::PowerCut { .. } => {
                    hand.trace.push(What::PowerCut);
                    true
                }
            };
            if runtime_died {
                bench.lose_runtime();
            }
            bench.harness.clock().sleep(restart_after).await;
            // What cannot be started again shows in what is missing from the trace.
            if runtime_died && let Err(error) = bench.start_runtime().await {
                tracing::debug!(%error, "the runtime did not come back");
            }
            // One that the story has not started, or ended, is not there to be started again.
            if bench.receiver_code() == Some(KILLED) {
                hand.revived.set(true);
                let _ = hand.start_receiver().await;
            }
        }
    });
}

impl Stagehand {
    /// Waits until every accepted dispatch has come to an outcome that its sender can see, or too long; and then a while for
    /// outcomes that should not come.
    async fn settle(&self) {
        // Outcomes show in the trace; only a record in the transcript must be looked for.
        let (limit, look_again, quiet) = match self.plan.lane {
            Lane::Virtual => (Duration::from_secs(3 * 3600), Duration::from_secs(60), QUIET),
            Lane::Real => (Duration::from_secs(8), Duration::from_millis(100), Duration::from_millis(400)),
        };
        let clock = self.bench.harness().clock();
        let deadline = clock.now() + limit;
        let done = loop {
            self.bench.look("end", &self.trace);
            let open = self.trace.read(|all| oracle::open_dispatches(all, &self.names, &self.memory));
            if !open || clock.now() >= deadline || !self.someone_works() {
                break !open;
            }
            clock.within(look_again, self.trace.changed()).await;
        };
        // For outcomes that should not come it is waited until nothing happens any more.
        while clock.now() < deadline && clock.within(quiet, self.trace.changed()).await.is_some() {}
        self.collect().await;
        // Every dispatch has its outcome, so no turn is running: what still lives was left behind by one.
        let unsure = |what: &What| matches!(what, What::Dispatched { acknowledged: false, .. });
        // What may have been taken without its sender knowing may be at work.
        let unsure = self.plan.is_made_by_exploration() && self.trace.any(unsure);
        if done && !unsure && self.bench.receiver_runs() {
            self.look_for_leftovers("at rest").await;
        }
    }

    /// Whether an outcome can still come: the receiver runs, or a fault's aftermath will start it again.
    fn someone_works(&self) -> bool {
        self.bench.receiver_runs() || !self.plan.faults().is_empty()
    }

    /// Ends the receiver as an operator would, and looks at what it leaves behind.
    async fn end(&self) {
        if self.bench.receiver_runs() {
            self.trace.push(What::Stopped { host: "receiver".to_owned() });
            self.bench.stop_receiver().await;
            if let Some(code) = self.bench.receiver_ends(Duration::from_secs(10)).await {
                self.trace.push(What::Ended { host: "receiver".to_owned(), code });
                if code != KILLED {
                    self.look_for_leftovers("ended").await;
                }
            }
        }
    }
}
