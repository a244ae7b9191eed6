//! Two that replace one file at once: each succeeds, and what is there is what one of them wrote. Whoever looks on sees nothing
//! that everybody may read.
#![expect(clippy::disallowed_methods, reason = "only threads let real calls meet")]

use std::sync::atomic::{AtomicBool, Ordering};

use gauntlet_world::disk::Kind;
use gauntlet_world::simulated::Exploration;
use gauntlet_world::{Host, Identity, Machine, World, WorldSettings};

const WRITERS: [&str; 2] = ["one", "another, longer"];

async fn replaces_over_and_over(host: Host, content: &str) {
    for _ in 0..100 {
        host.disk().replace("state", content.as_bytes()).await.unwrap();
    }
}

/// So often somebody looks on, or wants to have seen a file that is about to take the place of another.
const GLIMPSES: usize = 20;

/// Looks into the folder, and gives the permission bits of each file that is about to take the place of another.
async fn glimpses(host: &Host) -> Vec<u32> {
    let mut modes = Vec::new();
    for (name, _) in host.disk().list(".").await.unwrap() {
        // One that has taken its place meanwhile is not there any more.
        if name.ends_with(".tmp")
            && let Ok(meta) = host.disk().stat(&name).await
        {
            modes.push(meta.mode);
        }
    }
    modes
}

async fn one_of_them_is_there_and_nothing_else(host: Host) {
    let content = String::from_utf8(host.disk().read("state").await.unwrap()).unwrap();
    assert!(WRITERS.contains(&content.as_str()), "{content:?}");
    assert_eq!(host.disk().list(".").await.unwrap(), [("state".to_owned(), Kind::File)]);
}

#[test]
fn simulated() {
    for seed in 0..5 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        tokio::task::LocalSet::new().block_on(&runtime.unwrap(), async {
            let exploration = Exploration::Shake;
            let world =
                World::new(WorldSettings { seed: [seed; 32], exploration, ..WorldSettings::default() });
            let machine = Machine::new(&world, "lab");
            machine.disk_mut(|disk| disk.make_dir("/lab".as_ref())).unwrap();
            let host = || machine.visitor("tester", [].into(), "/lab".into(), None);
            // Two tasks of one process, and a second process.
            let (shared, other) = (host(), host());
            let hosts = [shared.clone(), shared.clone(), other];
            let tasks: Vec<_> = hosts
                .into_iter()
                .zip([WRITERS[0], WRITERS[1], WRITERS[1]])
                .map(|(host, content)| shared.spawn(replaces_over_and_over(host.clone(), content)))
                .collect();
            let mut seen = Vec::new();
            for _ in 0..GLIMPSES {
                seen.extend(glimpses(&shared).await);
            }
            for task in tasks {
                task.join().await.unwrap();
            }
            assert!(!seen.is_empty() && seen.iter().all(|mode| *mode == 0o600), "{seen:?}");
            one_of_them_is_there_and_nothing_else(shared).await;
        });
    }
}

#[test]
fn real() {
    let directory = tempfile::tempdir().unwrap();
    let in_a_process_of_its_own = |body: &dyn Fn(Host)| {
        let identity = Identity { cwd: directory.path().to_owned(), ..Identity::default() };
        body(Host::real(identity, None));
    };
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::scope(|scope| {
        for content in WRITERS {
            scope.spawn(move || {
                in_a_process_of_its_own(&|host| runtime().block_on(replaces_over_and_over(host, content)));
            });
        }
    });
    in_a_process_of_its_own(&|host| runtime().block_on(one_of_them_is_there_and_nothing_else(host)));
}

#[test]
fn whoever_looks_on_while_a_real_file_is_replaced_may_not_read_it() {
    let directory = tempfile::tempdir().unwrap();
    let on_a_host = |body: &dyn Fn(Host, tokio::runtime::Runtime)| {
        let identity = Identity { cwd: directory.path().to_owned(), ..Identity::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        body(Host::real(identity, None), runtime.unwrap());
    };
    // Long, so that writing it takes a while.
    let content = vec![b'x'; 1 << 20];
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            on_a_host(&|host, runtime| {
                while !over.load(Ordering::Relaxed) {
                    runtime.block_on(host.disk().replace("state", &content)).unwrap();
                }
            });
        });
        on_a_host(&|host, runtime| {
            let mut seen = Vec::new();
            while seen.len() < GLIMPSES {
                seen.extend(runtime.block_on(glimpses(&host)));
            }
            over.store(true, Ordering::Relaxed);
            assert!(seen.iter().all(|mode| *mode == 0o600), "{seen:?}");
        });
    });
}
