//! The store of replies against a naive model, over both mechanics of the disk: what was confirmed is there once, for ever; what was
//! not may be; and nothing else is.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use gauntlet_runtime::fleet::{Deliveries, Delivery};
use gauntlet_world::fault::{Errno, Happening, Moment, Rule, Unsynced};
use gauntlet_world::simulated::{Launch, program};
use gauntlet_world::touch::Op;
use gauntlet_world::{Host, Identity, Machine, World, WorldSettings};
use proptest::prelude::*;

/// What happens to the store.
#[derive(Debug, Clone)]
enum Command {
    /// A reply comes; perhaps the next call of this kind goes wrong.
    Take { id: u8, context: u8, wrong: Option<(Op, Moment, Happening)> },
    /// Its process dies, and another one opens it.
    Die,
    /// The power goes, and comes back.
    Cut(Unsynced),
    /// The wall clock jumps by so many minutes.
    Jump(i64),
}

fn fate() -> impl Strategy<Value = Unsynced> {
    prop_oneof![Just(Unsynced::Lost), Just(Unsynced::Kept), Just(Unsynced::Torn), Just(Unsynced::Drawn),]
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let op = prop_oneof![Just(Op::DiskAppend), Just(Op::DiskSync)];
    let moment = prop_oneof![Just(Moment::Before), Just(Moment::After)];
    let happening = prop_oneof![
        Just(Happening::Kill),
        fate().prop_map(Happening::PowerCut),
        Just(Happening::Fail(Errno::Io)),
        Just(Happening::Torn(Errno::NoSpace)),
    ];
    let wrong = prop::option::weighted(0.4, (op, moment, happening));
    let take = (0..4_u8, 0..2_u8, wrong);
    prop::collection::vec(
        prop_oneof![
            6 => take.prop_map(|(id, context, wrong)| Command::Take { id, context, wrong }),
            1 => Just(Command::Die),
            1 => fate().prop_map(Command::Cut),
            1 => (-3000..3000_i64).prop_map(Command::Jump),
        ],
        1..24,
    )
}

type Key = (String, String);

/// What the store must hold, and what it may.
#[derive(Debug, Default)]
struct Model {
    confirmed: BTreeSet<Key>,
    tried: BTreeSet<Key>,
}

impl Model {
    /// What came of taking a reply; nothing when its process died on the way.
    fn took(&mut self, key: Key, outcome: Option<std::io::Result<bool>>) {
        match outcome {
            Some(Ok(is_new)) => {
                assert!(!is_new || !self.confirmed.contains(&key), "{key:?} was delivered before");
                assert!(
                    is_new || self.confirmed.contains(&key) || self.tried.contains(&key),
                    "{key:?} is new"
                );
                self.confirmed.insert(key);
            }
            Some(Err(_)) | None => {
                assert!(!self.confirmed.contains(&key) || outcome.is_none(), "{key:?} was there and failed");
                self.tried.insert(key);
            }
        }
    }

    fn fits(&self, store: &Deliveries) {
        let mut held: BTreeMap<Key, usize> = BTreeMap::new();
        for context in 0..2_u8 {
            for delivery in store.to(&context.to_string()) {
                *held.entry((delivery.id, delivery.context)).or_default() += 1;
            }
        }
        assert!(held.values().all(|times| *times == 1), "{held:?}");
        for key in &self.confirmed {
            assert!(held.contains_key(key), "{key:?} was confirmed and is gone");
        }
        for key in held.keys() {
            assert!(self.confirmed.contains(key) || self.tried.contains(key), "{key:?} never came");
        }
    }
}

fn reply(id: u8, context: u8) -> Delivery {
    Delivery { id: id.to_string(), context: context.to_string(), text: "a text".repeat(9), late: false }
}

type Opened = (Host, Rc<Deliveries>);

/// A process that has the store open.
struct Simulated {
    world: World,
    machine: Machine,
    visitor: Host,
    opened: Rc<RefCell<Option<Opened>>>,
}

impl Simulated {
    async fn open(&self) -> Opened {
        let opened = self.opened.clone();
        *opened.borrow_mut() = None;
        let body = program(move |host: Host| {
            let opened = opened.clone();
            async move {
                let store = Deliveries::open(&host, PathBuf::from("/home/deliveries.jsonl")).await;
                *opened.borrow_mut() = Some((host, Rc::new(store.expect("the disk behaves"))));
                std::future::pending().await
            }
        });
        self.machine.launch(Launch {
            name: "runtime".to_owned(),
            program: body,
            args: Vec::new(),
            env: BTreeMap::new(),
            cwd: PathBuf::from("/home"),
            log: None,
            tap: None,
        });
        self.visitor.clock().sleep(Duration::from_millis(1)).await;
        self.opened.borrow().clone().expect("it is open")
    }

    fn end(&self) {
        self.machine.running().into_iter().for_each(|(pid, ..)| self.machine.kill(pid));
    }

    async fn run(&self, commands: &[Command]) {
        let (mut model, mut opened) = (Model::default(), self.open().await);
        for command in commands {
            match command {
                Command::Take { id, context, wrong } => {
                    let delivery = reply(*id, *context);
                    let key = (delivery.id.clone(), delivery.context.clone());
                    if let Some((at, moment, happening)) = wrong {
                        let host = "runtime".to_owned();
                        let (at, moment, happening) = (*at, *moment, *happening);
                        self.world.arm(Rule { host, at, target: None, nth: 1, moment, happening });
                    }
                    let limit = Duration::from_secs(1);
                    let taking = opened.1.deliver(&opened.0, delivery);
                    model.took(key, self.visitor.clock().within(limit, taking).await);
                    self.world.disarm();
                }
                Command::Die => self.end(),
                Command::Cut(fate) => self.machine.power_cut(*fate),
                Command::Jump(minutes) => self.machine.jump(minutes * 60_000),
            }
            if opened.0.is_dead() {
                opened = self.open().await;
            }
            model.fits(&opened.1);
        }
        // Whatever is held in memory, the disk holds.
        self.machine.power_cut(Unsynced::Lost);
        model.fits(&self.open().await.1);
    }
}

fn in_a_world(seed: u8, commands: &[Command]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let world = World::new(WorldSettings { seed: [seed; 32], ..WorldSettings::default() });
        let machine = Machine::new(&world, "box");
        let made = machine.disk_mut(|disk| {
            disk.make_dir(Path::new("/home"))?;
            disk.write(Path::new("/home/deliveries.jsonl"), b"", 0o600)?;
            disk.settle();
            Ok::<_, std::io::Error>(())
        });
        made.expect("an empty disk takes a folder");
        let visitor = machine.visitor("tester", BTreeMap::new(), PathBuf::from("/"), None);
        let simulated = Simulated { world: world.clone(), machine, visitor, opened: Rc::default() };
        simulated.run(commands).await;
        assert_eq!(world.panics(), Vec::<String>::new());
    });
}

fn on_this_computer(commands: &[Command]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deliveries.jsonl");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let identity = || Identity { cwd: folder.path().to_path_buf(), ..Identity::default() };
        let mut model = Model::default();
        let open = async || {
            let host = Host::real(identity(), None);
            let store = Deliveries::open(&host, path.clone()).await.expect("the disk behaves");
            (host, store)
        };
        let (mut host, mut store) = open().await;
        for command in commands {
            match command {
                Command::Take { id, context, .. } => {
                    let delivery = reply(*id, *context);
                    let key = (delivery.id.clone(), delivery.context.clone());
                    model.took(key, Some(store.deliver(&host, delivery).await));
                }
                // A real computer is not unplugged by a test: its process dies in either case.
                Command::Die | Command::Cut(_) => {
                    host.end();
                    (host, store) = open().await;
                }
                Command::Jump(_) => {}
            }
            model.fits(&store);
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn what_was_confirmed_is_there_once_whatever_crashes(seed in 0..8_u8, commands in commands()) {
        in_a_world(seed, &commands);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn the_same_on_the_disk_of_this_computer(commands in commands()) {
        on_this_computer(&commands);
    }
}
