//! Power cuts: which bytes and which names are there afterwards.

use std::collections::BTreeSet;
use std::path::Path;

use gauntlet_world::fault::Unsynced;
use gauntlet_world::network::Address;
use gauntlet_world::process::ExitStatus;
use gauntlet_world::{Machine, WorldSettings};
use tokio::io::AsyncReadExt;

use crate::lab::{Lab, MS, run, run_with};

const FATES: [Unsynced; 4] = [Unsynced::Lost, Unsynced::Kept, Unsynced::Torn, Unsynced::Drawn];

#[test]
fn a_power_cut_ends_every_process_and_their_connections() {
    run(async |lab| {
        let (_, one) = lab.launch_as("one", |host| async move {
            let listener = host.network().listen(&Address::loopback(7000)).await.unwrap();
            let _stream = listener.accept().await.unwrap();
            std::future::pending().await
        });
        let (_, two) = lab.launch_as("two", |_| std::future::pending());
        lab.pass(MS).await;
        let mut stream = lab.connect(7000).await;
        lab.pass(MS).await;
        lab.machine.power_cut(Unsynced::Kept);
        assert_eq!(lab.running(), Vec::<String>::new());
        assert_eq!((one.wait().await, two.wait().await), (ExitStatus::Signal(9), ExitStatus::Signal(9)));
        assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
        assert!(!lab.visitor.is_dead(), "the harness is not on that machine's power");
    });
}

#[test]
fn what_was_synced_survives_every_fate() {
    for fate in FATES {
        run(async |lab| {
            let disk = lab.visitor.disk();
            disk.write("file", b"synced").await.unwrap();
            disk.sync("file").await.unwrap();
            disk.sync_dir(".").await.unwrap();
            lab.machine.power_cut(fate);
            assert_eq!(lab.file("file").as_deref(), Some("synced"), "{fate:?}");
        });
    }
}

/// A file with a synced line and an unsynced one, after a power cut.
async fn after_an_unsynced_append(lab: &Lab, fate: Unsynced) -> String {
    let disk = lab.visitor.disk();
    disk.append_durably("log", b"one\n").await.unwrap();
    disk.sync_dir(".").await.unwrap();
    disk.append("log", b"twotwo").await.unwrap();
    lab.machine.power_cut(fate);
    lab.file("log").unwrap()
}

#[test]
fn an_unsynced_tail_is_lost_kept_or_torn() {
    for (fate, expected) in
        [(Unsynced::Lost, "one\n"), (Unsynced::Kept, "one\ntwotwo"), (Unsynced::Torn, "one\ntwo")]
    {
        let found = run(async |lab| after_an_unsynced_append(&lab, fate).await);
        assert_eq!(found, expected, "{fate:?}");
    }
}

#[test]
fn a_drawn_fate_is_any_of_these_and_the_seed_chooses() {
    let draw = |seed: u8| {
        let settings = WorldSettings { seed: [seed; 32], ..WorldSettings::default() };
        run_with(settings, async |lab| after_an_unsynced_append(&lab, Unsynced::Drawn).await)
    };
    let found: Vec<String> = (0..60).map(draw).collect();
    for text in &found {
        assert!("one\ntwotwo".starts_with(text.as_str()) && text.starts_with("one\n"), "{text:?}");
    }
    let kinds: BTreeSet<&String> = found.iter().collect();
    assert!(kinds.len() > 4, "nothing, all, and several parts: {kinds:?}");
    assert_eq!(found, (0..60).map(draw).collect::<Vec<_>>());
}

#[test]
fn every_cut_and_every_machine_draws_anew() {
    run(async |lab| {
        let other = Machine::new(&lab.world, "other");
        let outcome = |machine: &Machine| {
            let path = Path::new("/file");
            machine.disk_mut(|disk| {
                disk.write(path, b"", 0o600).unwrap();
                disk.settle();
                disk.append(path, &[b'x'; 100], 0o600).unwrap();
            });
            machine.power_cut(Unsynced::Drawn);
            machine.disk().read(path).unwrap().len()
        };
        let here: Vec<usize> = (0..8).map(|_| outcome(&lab.machine)).collect();
        let there: Vec<usize> = (0..8).map(|_| outcome(&other)).collect();
        assert!(here.iter().collect::<BTreeSet<_>>().len() > 1, "{here:?}");
        assert_ne!(here, there);
    });
}

#[test]
fn a_rewritten_file_may_be_torn_down_to_nothing() {
    run(async |lab| {
        let disk = lab.visitor.disk();
        disk.append_durably("state", b"old content").await.unwrap();
        disk.sync_dir(".").await.unwrap();
        disk.write("state", b"old but new").await.unwrap();
        lab.machine.power_cut(Unsynced::Torn);
        assert_eq!(lab.file("state").as_deref(), Some("old b"), "emptied first, then written in part");
    });
}

#[test]
fn an_entry_lives_as_long_as_its_directory_was_synced() {
    run(async |lab| {
        let disk = lab.visitor.disk();
        for (name, content) in [("old", "old"), ("removed", "removed"), ("moved", "moved")] {
            disk.append_durably(name, content.as_bytes()).await.unwrap();
        }
        disk.sync_dir(".").await.unwrap();
        // Each file's content is durable, but what the names stand for is not.
        disk.append_durably("new", b"new").await.unwrap();
        disk.rename("new", "old").await.unwrap();
        disk.append_durably("created", b"created").await.unwrap();
        disk.remove("removed").await.unwrap();
        disk.rename("moved", "elsewhere").await.unwrap();
        lab.machine.power_cut(Unsynced::Lost);
        assert_eq!(lab.file("old").as_deref(), Some("old"), "a rename goes back");
        assert_eq!(lab.file("removed").as_deref(), Some("removed"), "a removal goes back");
        assert_eq!(lab.file("moved").as_deref(), Some("moved"));
        assert_eq!((lab.file("created"), lab.file("new"), lab.file("elsewhere")), (None, None, None));
    });
}

#[test]
fn a_synced_directory_keeps_names_of_files_that_lost_their_content() {
    run(async |lab| {
        let disk = lab.visitor.disk();
        disk.write("file", b"never synced").await.unwrap();
        disk.sync_dir(".").await.unwrap();
        lab.machine.power_cut(Unsynced::Lost);
        assert_eq!(lab.file("file").as_deref(), Some(""));
    });
}

#[test]
fn an_installed_program_is_durable_and_nothing_else_becomes_so() {
    run(async |lab| {
        lab.visitor.disk().write("unsynced", b"x").await.unwrap();
        lab.visitor.disk().make_dir("/bin").await.unwrap();
        lab.visitor.disk().write("/bin/unsynced", b"x").await.unwrap();
        lab.install("program", async |_| 0);
        lab.machine.power_cut(Unsynced::Lost);
        assert_eq!(lab.file("unsynced"), None);
        assert_eq!(lab.file("/bin/unsynced"), None);
        assert_eq!(lab.file("/bin/program").as_deref(), Some("#!gauntlet program\n"));
    });
}

#[test]
fn a_full_disk_takes_what_fits_and_space_comes_back() {
    const NO_SPACE: Option<i32> = Some(28);
    run(async |lab| {
        let disk = lab.visitor.disk();
        lab.machine.disk_mut(|disk| disk.limit(Some(10)));
        disk.write("a", b"123456").await.unwrap();
        assert_eq!(disk.append("a", b"789abc").await.unwrap_err().raw_os_error(), NO_SPACE);
        assert_eq!(lab.file("a").as_deref(), Some("123456789a"));
        assert_eq!(disk.write("b", b"x").await.unwrap_err().raw_os_error(), NO_SPACE);
        assert_eq!(lab.file("b").as_deref(), Some(""), "the name fits, the content does not");
        assert_eq!(disk.write("a", b"0123456789abc").await.unwrap_err().raw_os_error(), NO_SPACE);
        assert_eq!(lab.file("a").as_deref(), Some("0123456789"), "the old content is gone by then");
        disk.remove("a").await.unwrap();
        for _ in 0..20 {
            disk.replace("c", b"1234").await.unwrap();
        }
        lab.machine.disk_mut(|disk| disk.limit(None));
        disk.write("b", &[b'x'; 1000]).await.unwrap();
    });
}
