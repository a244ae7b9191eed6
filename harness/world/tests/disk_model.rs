//! The simulated disk against a naive model of two states, one visible and one durable; and a replaced file that is whole
//! after a crash at any touch.

use std::collections::BTreeMap;
use std::path::Path;

use gauntlet_world::fault::{Happening, Moment, Rule, Unsynced};
use gauntlet_world::process::ExitStatus;
use gauntlet_world::simulated::disk::DiskImage;
use gauntlet_world::simulated::{Launch, program};
use gauntlet_world::touch::Op;
use gauntlet_world::{Machine, World, WorldSettings};
use proptest::prelude::*;

/// A file of the model: what is seen, what is durable, and whether it was emptied since.
#[derive(Debug, Clone, Default)]
struct File {
    visible: Vec<u8>,
    durable: Vec<u8>,
    emptied: bool,
}

/// The naive model: every file that ever was, and per directory which name stands for which.
#[derive(Debug, Default)]
struct Model {
    files: Vec<File>,
    visible: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
}

#[derive(Debug, Clone)]
enum Step {
    Write(String, Vec<u8>),
    Append(String, Vec<u8>),
    CreateNew(String, Vec<u8>),
    Sync(String),
    SyncDir(&'static str),
    Rename(String, String),
    Remove(String),
}

const DIRECTORIES: [&str; 2] = ["/a", "/b"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let path = || (0..2_usize, 0..3_u8).prop_map(|(d, f)| format!("{}/{f}", DIRECTORIES[d]));
    let bytes = || prop::collection::vec(b'a'..b'e', 0..6);
    let step = prop_oneof![
        3 => (path(), bytes()).prop_map(|(path, bytes)| Step::Write(path, bytes)),
        4 => (path(), bytes()).prop_map(|(path, bytes)| Step::Append(path, bytes)),
        1 => (path(), bytes()).prop_map(|(path, bytes)| Step::CreateNew(path, bytes)),
        3 => path().prop_map(Step::Sync),
        2 => (0..2_usize).prop_map(|d| Step::SyncDir(DIRECTORIES[d])),
        2 => (path(), path()).prop_map(|(from, to)| Step::Rename(from, to)),
        1 => path().prop_map(Step::Remove),
    ];
    prop::collection::vec(step, 0..40)
}

impl Model {
    /// Takes a step; the error number when it fails.
    fn take(&mut self, step: &Step) -> Result<(), i32> {
        match step {
            Step::CreateNew(path, _) if self.visible.contains_key(path) => return Err(17),
            Step::Write(path, bytes) | Step::CreateNew(path, bytes) => {
                let file = self.open(path);
                (file.visible, file.emptied) = (bytes.clone(), true);
            }
            Step::Append(path, bytes) => self.open(path).visible.extend(bytes),
            Step::Sync(path) => {
                let number = *self.visible.get(path).ok_or(2)?;
                let file = &mut self.files[number];
                (file.durable, file.emptied) = (file.visible.clone(), false);
            }
            Step::SyncDir(directory) => {
                let is_in = |path: &String| path.starts_with(directory);
                self.durable.retain(|path, _| !is_in(path));
                self.durable.extend(self.visible.clone().into_iter().filter(|(path, _)| is_in(path)));
            }
            Step::Rename(from, to) => {
                let number = *self.visible.get(from).ok_or(2)?;
                self.visible.remove(from);
                self.visible.insert(to.clone(), number);
            }
            Step::Remove(path) => {
                self.visible.remove(path).ok_or(2)?;
            }
        }
        Ok(())
    }

    fn open(&mut self, path: &str) -> &mut File {
        let fresh = self.files.len();
        let number = *self.visible.entry(path.to_owned()).or_insert(fresh);
        if number == fresh {
            self.files.push(File { emptied: true, ..File::default() });
        }
        &mut self.files[number]
    }

    /// Names and contents: of the visible state, or of the durable one.
    fn contents(&self, durable: bool) -> BTreeMap<String, Vec<u8>> {
        let names = if durable { &self.durable } else { &self.visible };
        let content = |number: usize| {
            let file = &self.files[number];
            if durable { file.durable.clone() } else { file.visible.clone() }
        };
        names.iter().map(|(path, number)| (path.clone(), content(*number))).collect()
    }
}

fn take(disk: &mut DiskImage, step: &Step) -> Result<(), i32> {
    let path = |text: &str| Path::new(text).to_owned();
    let outcome = match step {
        Step::Write(file, bytes) => disk.write(&path(file), bytes, 0o644),
        Step::Append(file, bytes) => disk.append(&path(file), bytes, 0o600),
        Step::CreateNew(file, bytes) => disk.create_new(&path(file), bytes, 0o600),
        Step::Sync(file) => disk.sync(&path(file)),
        Step::SyncDir(directory) => disk.sync_dir(&path(directory)),
        Step::Rename(from, to) => disk.rename(&path(from), &path(to)),
        Step::Remove(file) => disk.remove(&path(file)),
    };
    outcome.map_err(|error| error.raw_os_error().unwrap_or_default())
}

/// All files of a disk, by absolute path. Both ways of looking show the same.
fn contents(disk: &DiskImage) -> BTreeMap<String, Vec<u8>> {
    let files = disk.files_below(Path::new("/"));
    let mut visited = BTreeMap::new();
    disk.visit_files(Path::new("/"), "", &mut |path, mode, content| {
        visited.insert(path.to_owned(), (mode, content.clone()));
    });
    let listed = files.iter().map(|(path, file)| (path.clone(), (file.mode, file.content.clone())));
    assert_eq!(visited, listed.collect());
    files.into_iter().map(|(path, file)| (format!("/{path}"), file.content.to_vec())).collect()
}

/// Runs the steps on an empty machine and on the model, comparing every outcome, and then cuts the power.
fn after(steps: &[Step], fate: Unsynced, seed: u8) -> (Model, BTreeMap<String, Vec<u8>>) {
    on_a_machine(WorldSettings { seed: [seed; 32], ..WorldSettings::default() }, async |machine| {
        let mut model = Model::default();
        machine.disk_mut(|disk| {
            for directory in DIRECTORIES {
                disk.make_dir(Path::new(directory)).expect("an empty disk");
            }
            disk.settle();
            for step in steps {
                let (before, changes) = (contents(disk), disk.changes());
                assert_eq!(take(disk, step), model.take(step), "{step:?}");
                assert_eq!(contents(disk), model.contents(false), "after {step:?}");
                assert!(contents(disk) == before || disk.changes() != changes, "{step:?} is not counted");
            }
        });
        let snapshot = machine.disk().clone();
        machine.power_cut(fate);
        assert_ne!(machine.disk().changes(), snapshot.changes(), "a power cut counts as a change");
        assert_eq!(contents(&snapshot), model.contents(false), "a snapshot does not change with its disk");
        let found = contents(&machine.disk());
        machine.power_cut(Unsynced::Lost);
        assert_eq!(contents(&machine.disk()), found, "what is there after a power cut is durable");
        (model, found)
    })
}

fn on_a_machine<R>(settings: WorldSettings, body: impl AsyncFnOnce(Machine) -> R) -> R {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let world = World::new(settings);
        body(Machine::new(&world, "lab")).await
    })
}

proptest! {
    #[test]
    fn when_all_is_lost_exactly_the_durable_state_is_left(steps in steps()) {
        let (model, found) = after(&steps, Unsynced::Lost, 0);
        prop_assert_eq!(found, model.contents(true));
    }

    #[test]
    fn when_all_is_kept_exactly_the_visible_state_is_left(steps in steps()) {
        let (model, found) = after(&steps, Unsynced::Kept, 0);
        prop_assert_eq!(found, model.contents(false));
    }

    #[test]
    fn when_chance_decides_every_file_is_old_new_or_a_beginning(steps in steps(), seed: u8, torn: bool) {
        let fate = if torn { Unsynced::Torn } else { Unsynced::Drawn };
        let (model, found) = after(&steps, fate, seed);
        for directory in DIRECTORIES {
            let names = |state: &BTreeMap<String, usize>| -> Vec<String> {
                state.keys().filter(|path| path.starts_with(directory)).cloned().collect()
            };
            let left: Vec<String> = found.keys().filter(|path| path.starts_with(directory)).cloned().collect();
            let is_durable = left == names(&model.durable) && !torn;
            prop_assert!(is_durable || left == names(&model.visible), "the names of {directory} are mixed");
        }
        for (path, content) in &found {
            let numbers = [model.visible.get(path), model.durable.get(path)];
            let is_possible = numbers.into_iter().flatten().any(|number| {
                let File { visible, durable, emptied } = &model.files[*number];
                let floor = if *emptied { 0 } else { durable.len() };
                content == durable || content.len() >= floor && visible.starts_with(content)
            });
            prop_assert!(is_possible, "{path} holds {content:?}");
        }
        let (_, again) = after(&steps, fate, seed);
        prop_assert_eq!(found, again, "the same seed draws the same");
    }
}

const OLD: &[u8] = b"the old content, whole";
const NEW: &[u8] = b"the new content, which is longer, whole";

/// What a file holds after `Disk::replace` was interrupted at one touch; nothing when no touch was left to interrupt.
fn interrupted(
    at: (Op, u32),
    moment: Moment,
    happening: Happening,
    had_content: bool,
    seed: u8,
) -> Option<Option<Vec<u8>>> {
    let (op, nth) = at;
    let rule = Rule { host: "subject".to_owned(), at: op, target: None, nth, moment, happening };
    let settings = WorldSettings { seed: [seed; 32], faults: vec![rule], ..WorldSettings::default() };
    on_a_machine(settings, async |machine| {
        let path = Path::new("/home/state.json");
        machine.disk_mut(|disk| {
            disk.make_dir(Path::new("/home")).expect("an empty disk");
            if had_content {
                disk.write(path, OLD, 0o600).expect("room");
            }
            disk.settle();
        });
        let replace =
            program(|host| async move { i32::from(host.disk().replace("state.json", NEW).await.is_err()) });
        let (_, exit) = machine.launch(Launch {
            name: "subject".to_owned(),
            program: replace,
            args: Vec::new(),
            env: BTreeMap::new(),
            cwd: "/home".into(),
            log: None,
            tap: None,
        });
        let status = exit.wait().await;
        let content = machine.disk().read(path).ok();
        if status == ExitStatus::Code(0) {
            assert_eq!(content.as_deref(), Some(NEW));
            machine.power_cut(Unsynced::Lost);
            assert_eq!(
                machine.disk().read(path).ok().as_deref(),
                Some(NEW),
                "what was reported done is durable"
            );
            return None;
        }
        // A kill leaves the disk as it is; power may go right after.
        if happening == Happening::Kill {
            machine.power_cut(Unsynced::Drawn);
            let later = machine.disk().read(path).ok();
            assert!(is_whole(&later, had_content), "after the kill and a power cut: {later:?}");
        }
        Some(content)
    })
}

fn is_whole(content: &Option<Vec<u8>>, had_content: bool) -> bool {
    match content.as_deref() {
        None => !had_content,
        Some(content) => content == NEW || had_content && content == OLD,
    }
}

#[test]
fn a_replaced_file_is_old_or_new_after_a_crash_at_every_touch() {
    let ops = [
        Op::DiskRead,
        Op::DiskWrite,
        Op::DiskCreate,
        Op::DiskAppend,
        Op::DiskSync,
        Op::DiskSyncDir,
        Op::DiskRename,
        Op::DiskRemove,
        Op::DiskMakeDir,
        Op::DiskStat,
        Op::DiskList,
        Op::DiskChange,
    ];
    let fates = [Unsynced::Lost, Unsynced::Kept, Unsynced::Torn, Unsynced::Drawn];
    let crashes = fates.map(Happening::PowerCut).into_iter().chain([Happening::Kill]);
    let (mut interruptions, mut outcomes) = (0, std::collections::BTreeSet::new());
    for happening in crashes {
        for had_content in [true, false] {
            for moment in [Moment::Before, Moment::After] {
                // Chance is only in what is drawn, so that one seed is enough for the others.
                let seeds = if happening == Happening::PowerCut(Unsynced::Drawn) { 0..40 } else { 0..1 };
                for (op, seed) in ops.into_iter().flat_map(|op| seeds.clone().map(move |seed| (op, seed))) {
                    // Every touch: the first, second, … of each kind, until there is none left.
                    for nth in 1.. {
                        let Some(content) = interrupted((op, nth), moment, happening, had_content, seed)
                        else {
                            break;
                        };
                        let case = format!("{happening:?} {moment:?} {op:?} {nth}");
                        assert!(is_whole(&content, had_content), "{case}: {content:?}");
                        interruptions += 1;
                        outcomes.insert(content);
                    }
                }
            }
        }
    }
    // Creation, sync, rename and sync of the directory: four touches with two moments each, from two beginnings.
    assert_eq!(interruptions, (4 + 40) * 2 * 2 * 4);
    assert_eq!(outcomes.len(), 3, "nothing, the old and the new all came about");
}
