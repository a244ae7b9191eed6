//! Two that replace one file at once: each succeeds, and what is there is what one of them wrote.
#![expect(clippy::disallowed_methods, reason = "only threads let real calls meet")]

use gauntlet_world::disk::Kind;
use gauntlet_world::simulated::Exploration;
use gauntlet_world::{Host, Identity, Machine, World, WorldSettings};

const WRITERS: [&str; 2] = ["one", "another, longer"];

async fn replaces_over_and_over(host: Host, content: &str) {
    for _ in 0..100 {
        host.disk().replace("state", content.as_bytes()).await.unwrap();
    }
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
            for task in tasks {
                task.join().await.unwrap();
            }
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
