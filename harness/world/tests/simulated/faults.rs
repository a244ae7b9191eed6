//! Faults bite the touch that they are aimed at, at the moment that they name, and no other.

use std::io::ErrorKind;

use gauntlet_world::Host;
use gauntlet_world::fault::{Errno, Happening, Moment, Rule, Unsynced};
use gauntlet_world::network::Address;
use gauntlet_world::process::{ExitStatus, Signal};
use gauntlet_world::simulated::Crash;
use gauntlet_world::touch::Op;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::lab::{MS, command, run, run_with};

/// Appends 1, 2, 3, … to a file and notes each error beside it.
async fn count(host: Host) -> i32 {
    for number in 1..=4 {
        let outcome = host.disk().append("numbers", format!("{number}{number}").as_bytes()).await;
        if let Err(error) = outcome {
            host.disk().write("error", format!("{number}: {:?}", error.kind()).as_bytes()).await.unwrap();
        }
    }
    0
}

fn killed() -> Crash {
    Crash::Killed { host: "subject".to_owned() }
}

#[test]
fn the_nth_call_fails_and_has_no_effect() {
    run(async |lab| {
        lab.arm(Op::DiskAppend, 2, Moment::Before, Happening::Fail(Errno::NoSpace));
        let (_, exit) = lab.launch(count);
        assert_eq!(exit.wait().await, ExitStatus::Code(0));
        assert_eq!(lab.file("numbers").as_deref(), Some("113344"));
        assert_eq!(lab.file("error").as_deref(), Some("2: StorageFull"));
    });
}

#[test]
fn a_replacement_that_fails_leaves_nothing_beside_the_file() {
    for (at, nth) in [(Op::DiskCreate, 1), (Op::DiskSync, 1), (Op::DiskRename, 1)] {
        run(async |lab| {
            lab.arm(at, nth, Moment::Before, Happening::Torn(Errno::NoSpace));
            let (_, exit) = lab.launch(async |host| {
                let error = host.disk().replace("state", b"content").await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::StorageFull);
                assert_eq!(host.disk().list(".").await.unwrap(), []);
                0
            });
            assert_eq!(exit.wait().await, ExitStatus::Code(0), "{at:?}");
            assert_eq!(lab.world.panics(), [""; 0], "{at:?}");
        });
    }
}

#[test]
fn a_failure_after_an_effect_has_nothing_left_to_prevent() {
    run(async |lab| {
        lab.arm(Op::DiskAppend, 2, Moment::After, Happening::Fail(Errno::NoSpace));
        lab.arm(Op::NetWrite, 1, Moment::After, Happening::Fail(Errno::ConnectionReset));
        let listener = lab.visitor.network().listen(&Address::loopback(7000)).await.unwrap();
        let (_, exit) = lab.launch(async |host| {
            let mut stream = host.network().connect(&Address::loopback(7000)).await.unwrap();
            stream.write_all(b"hello").await.unwrap();
            count(host).await
        });
        assert_eq!(exit.wait().await, ExitStatus::Code(0));
        assert_eq!((lab.file("numbers").as_deref(), lab.file("error")), (Some("11223344"), None));
        let mut heard = String::new();
        listener.accept().await.unwrap().read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "hello");
    });
}

#[test]
fn a_torn_write_brings_its_first_half() {
    run(async |lab| {
        for at in [Op::DiskAppend, Op::DiskWrite, Op::NetWrite, Op::ProcessPrint] {
            lab.arm(at, 2, Moment::Before, Happening::Torn(Errno::Io));
        }
        lab.arm(Op::DiskCreate, 1, Moment::Before, Happening::Torn(Errno::NoSpace));
        let listener = lab.visitor.network().listen(&Address::loopback(7000)).await.unwrap();
        lab.install("subject", async |host| {
            let disk = host.disk();
            let mut stream = host.network().connect(&Address::loopback(7000)).await.unwrap();
            for round in [1, 2] {
                let outcomes = [
                    disk.append("appended", b"1234").await,
                    disk.write("written", b"1234").await,
                    stream.write_all(b"1234").await,
                    host.processes().print(b"1234").await,
                ];
                for outcome in outcomes {
                    let number = outcome.err().and_then(|error| error.raw_os_error());
                    assert_eq!(number, if round == 2 { Some(5) } else { None });
                }
            }
            let error = disk.create_new("created", b"1234", 0o600).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StorageFull);
            0
        });
        let mut child = lab.visitor.processes().spawn(command("subject")).await.unwrap();
        let (mut printed, mut sent) = (String::new(), String::new());
        child.stdout.as_mut().unwrap().read_to_string(&mut printed).await.unwrap();
        listener.accept().await.unwrap().read_to_string(&mut sent).await.unwrap();
        assert_eq!(lab.world.panics(), Vec::<String>::new());
        assert_eq!((printed.as_str(), sent.as_str()), ("123412", "123412"));
        assert_eq!(lab.file("appended").as_deref(), Some("123412"));
        assert_eq!(lab.file("written").as_deref(), Some("12"));
        assert_eq!(lab.file("created").as_deref(), Some("12"));
    });
}

#[test]
fn what_cannot_tear_fails_whole() {
    run(async |lab| {
        for at in [Op::DiskRename, Op::NetConnect, Op::ProcessSpawn, Op::DiskRead] {
            lab.arm(at, 1, Moment::Before, Happening::Torn(Errno::Io));
        }
        lab.install("child", async |_| 0);
        let _listener = lab.visitor.network().listen(&Address::loopback(7000)).await.unwrap();
        let (_, exit) = lab.launch(async |host| {
            let disk = host.disk();
            disk.write("a", b"a").await.unwrap();
            let outcomes = [
                disk.rename("a", "b").await,
                host.network().connect(&Address::loopback(7000)).await.map(|_| ()),
                host.processes().spawn(command("child")).await.map(|_| ()),
                disk.read("a").await.map(|_| ()),
            ];
            outcomes
                .iter()
                .filter(|outcome| outcome.as_ref().is_err_and(|e| e.raw_os_error() == Some(5)))
                .count() as i32
        });
        assert_eq!(exit.wait().await, ExitStatus::Code(4));
        assert_eq!((lab.file("a").as_deref(), lab.file("b")), (Some("a"), None));
        assert_eq!(lab.running(), Vec::<String>::new());
    });
}

#[test]
fn a_kill_bites_before_or_after_the_effect() {
    for (moment, left) in [(Moment::Before, "11"), (Moment::After, "1122")] {
        run(async |lab| {
            lab.arm(Op::DiskAppend, 2, moment, Happening::Kill);
            let (_, exit) = lab.launch(count);
            assert_eq!(exit.wait().await, ExitStatus::Signal(9));
            assert_eq!(lab.world.next_crash().await, killed());
            lab.pass(100 * MS).await;
            assert_eq!(lab.file("numbers").as_deref(), Some(left), "{moment:?}");
        });
    }
}

#[test]
fn a_kill_bites_at_calls_that_wait_and_in_poll_functions() {
    for at in [Op::NetListen, Op::NetAccept, Op::NetWrite, Op::ProcessSpawn, Op::ProcessWait] {
        for moment in [Moment::Before, Moment::After] {
            run(async |lab| {
                lab.install("child", async |host| host.disk().write("child", b"").await.map_or(1, |()| 0));
                lab.arm(at, 1, moment, Happening::Kill);
                let (_, exit) = lab.launch(async |host| {
                    let listener = host.network().listen(&Address::loopback(7000)).await.unwrap();
                    let mut stream = listener.accept().await.unwrap();
                    stream.write_all(b"hello").await.unwrap();
                    let mut child = host.processes().spawn(command("child")).await.unwrap();
                    child.wait().await.unwrap();
                    0
                });
                lab.pass(MS).await;
                let peer = lab.visitor.network().connect(&Address::loopback(7000)).await;
                let mut heard = String::new();
                if let Ok(mut peer) = peer {
                    peer.read_to_string(&mut heard).await.unwrap();
                }
                let said = match (at, moment) {
                    (Op::NetListen | Op::NetAccept, _) | (Op::NetWrite, Moment::Before) => "",
                    _ => "hello",
                };
                assert_eq!(heard, said, "{at:?} {moment:?}");
                assert_eq!(exit.wait().await, ExitStatus::Signal(9), "{at:?} {moment:?}");
                assert_eq!(lab.world.next_crash().await, killed());
                lab.pass(MS).await;
                let was_started = at == Op::ProcessWait || (at, moment) == (Op::ProcessSpawn, Moment::After);
                assert_eq!(lab.file("child").is_some(), was_started, "{at:?} {moment:?}");
            });
        }
    }
}

#[test]
fn a_power_cut_can_be_aimed_at_a_touch() {
    for (fate, left) in [(Unsynced::Lost, None), (Unsynced::Kept, Some("1122"))] {
        run(async |lab| {
            lab.arm(Op::DiskAppend, 2, Moment::After, Happening::PowerCut(fate));
            let (_, bystander) = lab.launch_as("bystander", |_| std::future::pending());
            lab.launch(count);
            assert_eq!(lab.world.next_crash().await, Crash::PowerCut { machine: "lab".to_owned() });
            assert_eq!(bystander.wait().await, ExitStatus::Signal(9));
            assert_eq!(lab.file("numbers").as_deref(), left, "{fate:?}");
        });
    }
}

#[test]
fn a_rule_counts_only_what_matches_it() {
    let rule = Rule {
        host: "subject".to_owned(),
        at: Op::DiskWrite,
        target: Some("/b".to_owned()),
        nth: 2,
        moment: Moment::Before,
        happening: Happening::Kill,
    };
    let settings = gauntlet_world::WorldSettings { faults: vec![rule], ..Default::default() };
    run_with(settings, async |lab| {
        let writes = async |host: Host| {
            for name in ["a", "b", "a", "c/b", "b", "a"] {
                host.disk().make_dir("c").await.unwrap();
                host.disk().append("order", name.as_bytes()).await.unwrap();
                host.disk().write(name, b"x").await.unwrap();
            }
            0
        };
        let (_, other) = lab.launch_as("other", writes);
        assert_eq!(other.wait().await, ExitStatus::Code(0));
        writes(lab.machine.visitor("subject", Default::default(), "/lab".into(), None)).await;
        lab.visitor.disk().remove("order").await.unwrap();
        let (_, exit) = lab.launch(writes);
        assert_eq!(exit.wait().await, ExitStatus::Signal(9));
        assert_eq!(lab.file("order").as_deref(), Some("abac/b"));
        let (_, again) = lab.launch(writes);
        assert_eq!(again.wait().await, ExitStatus::Code(0), "a rule bites once");
    });
}

#[test]
fn disarmed_faults_do_not_bite() {
    run(async |lab| {
        lab.arm(Op::DiskAppend, 1, Moment::Before, Happening::Kill);
        lab.world.disarm();
        let (_, exit) = lab.launch(count);
        assert_eq!(exit.wait().await, ExitStatus::Code(0));
    });
}

#[test]
fn every_crash_is_told_once_and_in_order() {
    run(async |lab| {
        for name in ["one", "two", "three"] {
            let (host, at) = (name.to_owned(), Op::DiskStat);
            let (moment, happening) = (Moment::Before, Happening::Kill);
            lab.world.arm(Rule { host, at, target: None, nth: 1, moment, happening });
            lab.launch_as(name, async |host| {
                host.disk().stat("/").await.unwrap();
                0
            });
        }
        for name in ["one", "two", "three"] {
            assert_eq!(lab.world.next_crash().await, Crash::Killed { host: name.to_owned() });
        }
        assert_eq!(lab.visitor.clock().within(1000 * MS, lab.world.next_crash()).await, None);
    });
}

#[test]
fn a_write_that_waits_for_room_is_one_touch() {
    run(async |lab| {
        let listener = lab.visitor.network().listen(&Address::loopback(7000)).await.unwrap();
        let (_, exit) = lab.launch(async |host| {
            let mut stream = host.network().connect(&Address::loopback(7000)).await.unwrap();
            let (_, waking) = (host.clone(), host.clock());
            // Each wake-up of this task polls the write again.
            let mut writing = std::pin::pin!(stream.write_all(&[7; 4 * 65_536]));
            while waking.within(MS, writing.as_mut()).await.is_none() {}
            0
        });
        let mut far = listener.accept().await.unwrap();
        let mut page = vec![0; 65_536];
        for _ in 0..4 {
            lab.pass(20 * MS).await;
            far.read_exact(&mut page).await.unwrap();
        }
        assert_eq!(exit.wait().await, ExitStatus::Code(0));
        let writes = lab.world.log().iter().filter(|touch| touch.op == Op::NetWrite).count();
        assert_eq!(writes, 4, "one for each buffer that was filled");
    });
}

#[test]
fn a_fault_does_not_bite_what_its_own_call_ended() {
    run(async |lab| {
        lab.arm(Op::ProcessSignal, 1, Moment::After, Happening::Kill);
        let (_, exit) = lab.launch(async |host| {
            host.processes().signal_group(host.pid(), Signal::Terminate).await.unwrap();
            0
        });
        assert_eq!(exit.wait().await, ExitStatus::Signal(15));
        assert_eq!(lab.visitor.clock().within(1000 * MS, lab.world.next_crash()).await, None);
    });
}

#[test]
fn a_rule_counts_also_the_calls_at_which_another_bites() {
    run(async |lab| {
        for nth in [1, 2, 4] {
            lab.arm(Op::DiskAppend, nth, Moment::Before, Happening::Fail(Errno::Io));
        }
        let (_, exit) = lab.launch(count);
        exit.wait().await;
        assert_eq!(lab.file("numbers").as_deref(), Some("33"));
    });
}
