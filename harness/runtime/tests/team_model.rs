//! Mailbox and task list of a team against a simple model, through random calls, crashes and jumps of the clock: no message is lost, none is
//! told twice to a session that acknowledged it, no task has two owners, and every team can be deleted.

#[path = "team/rig.rs"]
mod rig;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gauntlet_runtime::team::{Event, RunId};
use gauntlet_world::fault::{Errno, Happening, Moment, Rule, Unsynced};
use gauntlet_world::touch::Op;
use proptest::prelude::*;
use rig::{Rig, together};
use serde_json::{Value, json};

const MEMBERS: [&str; 3] = ["lead", "a", "b"];

/// What goes wrong during a call: the nth touch of this kind.
type Wrong = Option<(Op, u32, Moment, Happening)>;

#[derive(Debug, Clone)]
enum Command {
    Send {
        from: usize,
        to: Option<usize>,
        wrong: Wrong,
    },
    /// A member begins a turn and is shown its mail.
    Turn {
        member: usize,
        wrong: Wrong,
    },
    /// The session of a member is idle.
    Idle {
        member: usize,
        wrong: Wrong,
    },
    NewTask {
        member: usize,
        wrong: Wrong,
    },
    /// Several claim one task at once.
    Claim {
        members: Vec<usize>,
        task: u64,
        wrong: Wrong,
    },
    Step {
        member: usize,
        task: u64,
        status: &'static str,
        wrong: Wrong,
    },
    Resume {
        wrong: Wrong,
    },
    Die,
    Cut(Unsynced),
    Jump(i64),
    Pass(u64),
}

fn fate() -> impl Strategy<Value = Unsynced> {
    prop_oneof![Just(Unsynced::Lost), Just(Unsynced::Kept), Just(Unsynced::Torn), Just(Unsynced::Drawn)]
}

fn wrong() -> impl Strategy<Value = Wrong> {
    wrong_at(6)
}

/// Something that goes wrong at one of the first touches of its kind.
fn wrong_at(bound: u32) -> impl Strategy<Value = Wrong> {
    let op = prop::sample::select(vec![
        Op::DiskCreate,
        Op::DiskRename,
        Op::DiskSync,
        Op::DiskSyncDir,
        Op::DiskRemove,
        Op::DiskRead,
        Op::DiskStat,
        Op::DiskList,
    ]);
    let moment = prop_oneof![Just(Moment::Before), Just(Moment::After)];
    let happening = prop_oneof![
        3 => Just(Happening::Kill),
        3 => fate().prop_map(Happening::PowerCut),
        1 => Just(Happening::Fail(Errno::Io)),
        1 => Just(Happening::Torn(Errno::NoSpace)),
    ];
    prop::option::weighted(0.35, (op, 1..bound, moment, happening))
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let member = || 0..MEMBERS.len();
    let status = prop::sample::select(vec!["in_progress", "completed", "deleted"]);
    let claimants = prop::collection::vec(member(), 1..4);
    prop::collection::vec(
        prop_oneof![
            6 => (member(), prop::option::weighted(0.8, member()), wrong()).prop_map(|(from, to, wrong)| Command::Send { from, to, wrong }),
            5 => (member(), wrong()).prop_map(|(member, wrong)| Command::Turn { member, wrong }),
            6 => (member(), wrong()).prop_map(|(member, wrong)| Command::Idle { member, wrong }),
            2 => (member(), wrong()).prop_map(|(member, wrong)| Command::NewTask { member, wrong }),
            3 => (claimants, 1..4_u64, wrong()).prop_map(|(members, task, wrong)| Command::Claim { members, task, wrong }),
            2 => (member(), 1..4_u64, status, wrong()).prop_map(|(member, task, status, wrong)| Command::Step { member, task, status, wrong }),
            1 => wrong().prop_map(|wrong| Command::Resume { wrong }),
            1 => Just(Command::Die),
            1 => fate().prop_map(Command::Cut),
            1 => (-90..90_i64).prop_map(Command::Jump),
            2 => (0..700_u64).prop_map(Command::Pass),
        ],
        1..28,
    )
}

/// What must be so, whatever happens.
#[derive(Default)]
struct Model {
    /// Each message that was taken, with each recipient.
    sent: BTreeSet<(String, usize)>,
    /// What each session was shown.
    shown: BTreeSet<(String, usize)>,
    /// What each session was shown and acknowledged by being idle.
    acknowledged: BTreeSet<(String, usize)>,
    /// What was shown at a turn by the life that runs now.
    by_this_life: BTreeSet<(String, usize)>,
    owners: BTreeMap<u64, usize>,
    tasks: BTreeSet<u64>,
}

struct Bench<'a> {
    rig: &'a Rig,
    run: RunId,
    sessions: Vec<String>,
    model: Model,
    /// Whether the host keeps in its history what was put into a turn.
    persists: bool,
    prompts: usize,
    turns: usize,
}

impl Bench<'_> {
    fn arm(&self, wrong: &Wrong) {
        if let Some((at, nth, moment, happening)) = *wrong {
            let host = "runtime".to_owned();
            self.rig.world.arm(Rule { host, at, target: None, nth, moment, happening });
        }
    }

    fn args(&self, more: Value) -> Value {
        let mut args = json!({ "teamRunId": self.run.as_str() });
        args.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        args
    }

    /// Calls of several members at once; what each of them was told, if the process lived.
    async fn call(&mut self, calls: Vec<(usize, &str, Value)>, wrong: &Wrong) -> Vec<(usize, Option<Value>)> {
        self.arm(wrong);
        let mut running = Vec::new();
        for (member, tool, args) in calls {
            let args = self.args(args);
            running.push((member, self.rig.try_call(&self.sessions[member], tool, args)));
        }
        let mut told = Vec::new();
        let (members, futures): (Vec<_>, Vec<_>) = running.into_iter().unzip();
        for (member, answer) in members.into_iter().zip(together(futures).await) {
            told.push((member, answer));
        }
        self.rig.world.disarm();
        self.see_prompts();
        told
    }

    /// A session was shown a text: each message in it is new to whoever acknowledged it.
    fn show(&mut self, member: usize, text: &str, at_turn: bool) {
        for part in text.split("messageId=\"").skip(1) {
            let id = part.split('"').next().expect("an id").to_owned();
            let key = (id, member);
            assert!(!self.model.acknowledged.contains(&key), "{key:?} was acknowledged, and is told again");
            if at_turn {
                self.model.by_this_life.insert(key.clone());
            }
            self.model.shown.insert(key);
        }
    }

    fn see_prompts(&mut self) {
        let prompts = self.rig.fake.change(|state| state.prompts.split_off(0));
        for prompt in prompts {
            self.prompts += 1;
            if let Some(member) = self.sessions.iter().position(|session| *session == prompt.session) {
                self.show(member, &prompt.text, false);
            }
        }
    }

    async fn idle(&mut self, member: usize, wrong: &Wrong) {
        // Two idles in half a second are one.
        self.rig.pass(Duration::from_secs(1)).await;
        let session = self.sessions[member].clone();
        let before: Vec<_> = self.model.shown.iter().filter(|(_, of)| *of == member).cloned().collect();
        self.arm(wrong);
        let host = self.rig.host();
        let team = self.rig.team();
        let handled = team.on_event(Event::Idle { session: session.clone() });
        let limit = Duration::from_secs(3600);
        let handled = self.within(limit, handled).await;
        self.rig.world.disarm();
        if handled && !host.is_dead() && wrong.is_none() && !self.stale_lock_held() {
            let history = self.rig.fake.change(|state| state.sessions[&session].history.clone());
            for key in before {
                // What a host has no record of is known to be told only to the life that told it.
                if history.contains(&key.0) || self.model.by_this_life.contains(&key) {
                    self.model.acknowledged.insert(key);
                }
            }
        }
        self.see_prompts();
    }

    async fn within(&self, limit: Duration, future: impl Future<Output = ()>) -> bool {
        self.rig.visitor.clock().within(limit, future).await.is_some()
    }

    /// A dead process holds the state, so that nothing can be put away for a while.
    fn stale_lock_held(&self) -> bool {
        !self.rig.files(&self.run, "").iter().all(|file| file != "state.lock")
    }

    async fn turn(&mut self, member: usize, wrong: &Wrong) {
        self.turns += 1;
        let session = self.sessions[member].clone();
        self.arm(wrong);
        let (team, host) = (self.rig.team(), self.rig.host());
        let asked = team.mail_for(&session, self.turns);
        let told = self.rig.visitor.clock().within(Duration::from_secs(3600), asked).await;
        self.rig.world.disarm();
        if let Some(Ok(Some(text))) = told
            && !host.is_dead()
        {
            self.show(member, &text, true);
            if self.persists {
                self.rig.fake.change(|state| {
                    state.sessions.get_mut(&session).expect("a session").history.push_str(&text);
                });
            }
        }
    }

    async fn carry_out(&mut self, command: &Command) {
        match command {
            Command::Send { from, to, wrong } => {
                let to = to.map_or("*", |to| MEMBERS[to]);
                let call = (*from, "team_send_message", json!({ "to": to, "body": "news" }));
                for (_, told) in self.call(vec![call], wrong).await {
                    let Some(told) = told else { continue };
                    let id = told.get("messageId").and_then(Value::as_str);
                    for name in told.get("deliveredTo").and_then(Value::as_array).into_iter().flatten() {
                        let to = MEMBERS.iter().position(|member| name == member).expect("a member");
                        self.model.sent.insert((id.expect("an id").to_owned(), to));
                    }
                }
            }
            Command::Turn { member, wrong } => self.turn(*member, wrong).await,
            Command::Idle { member, wrong } => self.idle(*member, wrong).await,
            Command::NewTask { member, wrong } => {
                let call = (*member, "team_task_create", json!({ "subject": "s", "description": "d" }));
                for (_, told) in self.call(vec![call], wrong).await {
                    if let Some(id) =
                        told.as_ref().and_then(|told| told.get("taskId")).and_then(Value::as_str)
                    {
                        let id = id.parse().expect("a number");
                        assert!(self.model.tasks.insert(id), "the number {id} was given twice");
                    }
                }
            }
            Command::Claim { members, task, wrong } => {
                let mut members = members.clone();
                members.sort_unstable();
                members.dedup();
                let args = json!({ "taskId": task.to_string(), "status": "claimed" });
                let calls =
                    members.iter().map(|member| (*member, "team_task_update", args.clone())).collect();
                for (member, told) in self.call(calls, wrong).await {
                    self.owns(member, *task, told);
                }
            }
            Command::Step { member, task, status, wrong } => {
                let args = json!({ "taskId": task.to_string(), "status": status });
                for (member, told) in self.call(vec![(*member, "team_task_update", args)], wrong).await {
                    if *status != "deleted" {
                        self.owns(member, *task, told);
                    }
                }
            }
            Command::Resume { wrong } => {
                self.arm(wrong);
                let team = self.rig.team();
                let resumed = async { drop(team.resume().await) };
                self.within(Duration::from_secs(3600), resumed).await;
                self.rig.world.disarm();
            }
            Command::Die => {
                self.rig.machine.running().into_iter().for_each(|(pid, ..)| self.rig.machine.kill(pid))
            }
            Command::Cut(fate) => self.rig.machine.power_cut(*fate),
            Command::Jump(minutes) => self.rig.machine.jump(minutes * 60_000),
            Command::Pass(seconds) => self.rig.pass(Duration::from_secs(*seconds)).await,
        }
        if self.rig.host().is_dead() {
            self.rig.restart().await;
            self.model.by_this_life.clear();
        }
    }

    /// A member was told that a task is its own.
    fn owns(&mut self, member: usize, task: u64, told: Option<Value>) {
        let owner = told.as_ref().and_then(|told| told.pointer("/task/owner")).and_then(Value::as_str);
        let Some(owner) = owner else { return };
        let claimed = told.as_ref().is_some_and(|told| told["task"]["status"] == "claimed");
        if owner != MEMBERS[member] && !claimed {
            // It stands there already, which is told to everybody: whose it is stays so.
            let owner = MEMBERS.iter().position(|name| *name == owner).expect("a member");
            let known = self.model.owners.get(&task);
            assert!(
                known.is_none_or(|known| *known == owner),
                "task {task} has two owners: {known:?} and {owner}"
            );
            return;
        }
        assert_eq!(owner, MEMBERS[member], "a task of somebody else was claimed");
        let known = self.model.owners.insert(task, member);
        assert!(
            known.is_none_or(|known| known == member),
            "task {task} has two owners: {known:?} and {member}"
        );
    }

    async fn settle(&mut self) {
        // Whatever lock or reservation is left is old by then, however the clock was set.
        for _ in 0..2 {
            self.rig.pass(Duration::from_secs(3 * 86_400)).await;
            let report = self.rig.team().resume().await;
            assert_eq!((report.errors, report.marked_orphaned, report.marked_failed), (Vec::new(), 0, 0));
        }
        for _ in 0..3 {
            for member in 0..MEMBERS.len() {
                self.idle(member, &None).await;
                self.turn(member, &None).await;
                self.idle(member, &None).await;
            }
        }
        for key in &self.model.sent {
            assert!(self.model.shown.contains(key), "{key:?} was lost");
        }
        let unread = self.rig.files(&self.run, "inboxes");
        let left: Vec<_> =
            unread.iter().filter(|file| file.ends_with(".json") && !file.contains("processed/")).collect();
        assert!(left.is_empty(), "what was read is not put away: {left:?}");
        for (task, owner) in &self.model.owners {
            let file = self.rig.json(&self.run, &format!("tasks/{task}.json"));
            assert_eq!(file["owner"], MEMBERS[*owner], "the owner of {task} was forgotten");
        }
    }

    async fn delete(&mut self, wrong: &Wrong) {
        self.arm(wrong);
        let args = self.args(json!({ "force": true }));
        let told = self.rig.try_call("boss", "team_delete", args.clone()).await;
        self.rig.world.disarm();
        let done = told.as_ref().is_some_and(|told| told["deleted"] == true);
        if self.rig.host().is_dead() {
            self.rig.restart().await;
        }
        if !done {
            self.rig.pass(Duration::from_secs(3600)).await;
            let again = self.rig.call("boss", "team_delete", args).await;
            if again["deleted"] != true {
                // Its state is gone: what is left is nothing but a folder, which the next resume takes.
                assert_eq!(again["class"], "ENOENT", "{again} after {told:?}");
                let report = self.rig.team().resume().await;
                assert_eq!(report.errors, Vec::<String>::new());
            }
        }
        let folder = std::path::Path::new(rig::BASE).join("runtime").join(self.run.as_str());
        assert!(self.rig.machine.disk().stat(&folder).is_err(), "the team is still there");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 384, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_crashes_nothing_is_lost_doubled_or_stuck(
        seed in 0..8_u8,
        persists in any::<bool>(),
        commands in commands(),
        last in wrong_at(60),
    ) {
        rig::run(seed, async |rig| {
            let (run, sessions) = rig.team_of(&["a", "b"]).await;
            let sessions = MEMBERS.iter().map(|name| sessions[*name].clone()).collect();
            let model = Model::default();
            let mut bench = Bench { rig, run, sessions, model, persists, prompts: 0, turns: 0 };
            for command in &commands {
                bench.carry_out(command).await;
            }
            bench.settle().await;
            bench.delete(&last).await;
        });
    }
}
