//! Kills and ends: what stops, what stays, and who learns of it.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::rc::Rc;

use futures_util::FutureExt;
use gauntlet_world::Host;
use gauntlet_world::network::{Address, Listener, Stream};
use gauntlet_world::process::{ExitStatus, Signal, Stdin};
use gauntlet_world::simulated::ProcessState;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::lab::{MS, command, run};

async fn rest(stream: &mut Stream) -> std::io::Result<String> {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.map(|_| text)
}

#[test]
fn a_killed_process_writes_nothing_more() {
    run(async |lab| {
        let (pid, exit) = lab.launch(|host| async move {
            let ticking = host.clone();
            host.spawn(async move {
                loop {
                    ticking.disk().append("ticks", b".").await.unwrap();
                    ticking.clock().sleep(10 * MS).await;
                }
            });
            host.clock().sleep(10_000 * MS).await;
            0
        });
        lab.pass(45 * MS).await;
        lab.machine.kill(pid);
        assert_eq!(exit.wait().await, ExitStatus::Signal(9));
        assert_eq!(lab.file("ticks").as_deref(), Some("....."), "completed writes stay");
        lab.pass(1000 * MS).await;
        assert_eq!(lab.file("ticks").as_deref(), Some("....."));
        assert_eq!(lab.running(), Vec::<String>::new());
    });
}

/// Tries every port when it is dropped, as a destructor that wants to tidy up does.
struct Tidier {
    host: Host,
    stream: Stream,
    dropped: Rc<Cell<u32>>,
}

impl Drop for Tidier {
    fn drop(&mut self) {
        let host = &self.host;
        self.dropped.set(self.dropped.get() + 1);
        assert!(host.disk().write("traces", b"x").now_or_never().is_none());
        assert!(host.disk().remove("marker").now_or_never().is_none());
        assert!(host.processes().spawn(command("child")).now_or_never().is_none());
        assert!(host.processes().print(b"x").now_or_never().is_none());
        assert!(host.network().connect(&Address::loopback(80)).now_or_never().is_none());
        assert!(host.clock().sleep(MS).now_or_never().is_none());
        assert!(self.stream.write_all(b"last words").now_or_never().is_none());
        assert!(self.stream.shutdown().now_or_never().is_none());
        let late = host.clone();
        host.spawn(async move { late.disk().write("late", b"x").await });
    }
}

#[test]
fn a_killed_process_does_nothing_from_its_destructors() {
    run(async |lab| {
        lab.install("child", async |_| 0);
        lab.machine.disk_mut(|disk| disk.write("/lab/marker".as_ref(), b"", 0o600)).unwrap();
        let listener = lab.visitor.network().listen(&Address::loopback(80)).await.unwrap();
        let dropped = Rc::new(Cell::new(0));
        let count = dropped.clone();
        let (pid, _) = lab.launch(move |host| {
            let dropped = count.clone();
            async move {
                for inside_a_task in [true, false] {
                    let stream = host.network().connect(&Address::loopback(80)).await.unwrap();
                    let tidier = Tidier { host: host.clone(), stream, dropped: dropped.clone() };
                    let waiting = async move {
                        std::future::pending::<()>().await;
                        drop(tidier);
                    };
                    if inside_a_task {
                        host.spawn(waiting);
                    } else {
                        waiting.await;
                    }
                }
                0
            }
        });
        let (mut one, mut two) = (listener.accept().await.unwrap(), listener.accept().await.unwrap());
        let touches = lab.world.touches();
        lab.machine.kill(pid);
        lab.pass(1000 * MS).await;
        assert_eq!(dropped.get(), 2);
        assert_eq!(lab.world.touches(), touches, "not even counted");
        assert_eq!((lab.file("traces"), lab.file("late")), (None, None));
        assert_eq!(lab.file("marker").as_deref(), Some(""));
        assert_eq!(
            (rest(&mut one).await.unwrap(), rest(&mut two).await.unwrap()),
            (String::new(), String::new())
        );
        assert_eq!(lab.world.panics(), Vec::<String>::new());
    });
}

#[test]
fn a_kill_during_any_wait_ends_it_for_good() {
    run(async |lab| {
        lab.install("child", async |host| {
            host.clock().sleep(50 * MS).await;
            0
        });
        let (pid, exit) = lab.launch(|host| async move {
            let (a, b, c, d) = (host.clone(), host.clone(), host.clone(), host.clone());
            let done = async |host: &Host| host.disk().append("woken", b"!").await.unwrap();
            let listener = host.network().listen(&Address::loopback(7000)).await.unwrap();
            host.spawn(async move {
                listener.accept().await.unwrap();
                done(&a).await;
            });
            host.spawn(async move {
                let mut child = b.processes().spawn(command("child")).await.unwrap();
                child.wait().await.unwrap();
                done(&b).await;
            });
            host.spawn(async move {
                c.processes().signals().unwrap().next().await;
                done(&c).await;
            });
            host.spawn(async move {
                let near = d.network().connect(&Address::loopback(7001)).await.unwrap();
                let (mut reader, _writer) = tokio::io::split(near);
                reader.read_u8().await.unwrap();
                done(&d).await;
            });
            host.clock().sleep(50 * MS).await;
            done(&host).await;
            0
        });
        let far = lab.visitor.network().listen(&Address::loopback(7001)).await.unwrap();
        let mut peer = far.accept().await.unwrap();
        lab.pass(20 * MS).await;
        lab.machine.kill(pid);
        // All that was waited for happens now, or would.
        lab.machine.send(pid, Signal::Terminate);
        assert!(peer.write_all(b"x").await.is_err(), "nobody is there any more");
        let refused = lab.visitor.network().connect(&Address::loopback(7000)).await.map(|_| ());
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        lab.pass(1000 * MS).await;
        assert_eq!(lab.file("woken"), None);
        assert_eq!(exit.state(), ProcessState::Ended(ExitStatus::Signal(9)));
    });
}

#[test]
fn peers_of_a_killed_process_come_to_the_end_of_their_streams() {
    run(async |lab| {
        let (pid, _) = lab.launch(|host| async move {
            let listener = host.network().listen(&Address::loopback(7000)).await.unwrap();
            let mut streams = Vec::new();
            loop {
                let mut stream = listener.accept().await.unwrap();
                stream.write_all(b"welcome").await.unwrap();
                streams.push(stream);
                if streams.len() == 1 {
                    host.clock().sleep(100 * MS).await;
                }
            }
        });
        lab.pass(MS).await;
        let mut accepted = lab.connect(7000).await;
        lab.pass(MS).await;
        let mut waiting = lab.connect(7000).await;
        lab.pass(MS).await;
        lab.machine.kill(pid);
        assert_eq!(rest(&mut accepted).await.unwrap(), "welcome", "what was sent arrives");
        assert_eq!(rest(&mut waiting).await.unwrap(), "", "nobody had taken it yet");
        // The port is free for the next incarnation.
        let again = lab.visitor.network().listen(&Address::loopback(7000)).await.unwrap();
        assert_eq!(again.port(), 7000);
    });
}

#[test]
fn what_a_killed_process_held_is_closed_even_when_somebody_keeps_it() {
    run(async |lab| {
        let kept: Rc<RefCell<Option<(Listener, Stream)>>> = Rc::default();
        let keep = kept.clone();
        let (pid, _) = lab.launch(move |host| {
            let keep = keep.clone();
            async move {
                let listener = host.network().listen(&Address::loopback(7000)).await.unwrap();
                let stream = listener.accept().await.unwrap();
                *keep.borrow_mut() = Some((listener, stream));
                std::future::pending().await
            }
        });
        lab.pass(MS).await;
        let (mut accepted, mut waiting) = (lab.connect(7000).await, lab.connect(7000).await);
        lab.pass(MS).await;
        lab.machine.kill(pid);
        assert_eq!(rest(&mut accepted).await.unwrap(), "");
        assert_eq!(rest(&mut waiting).await.unwrap(), "");
        let next = lab.visitor.network().listen(&Address::loopback(7000)).await.unwrap();
        // When the old handles go at last, they take nothing of their successor's with them.
        let (listener, mut stream) = kept.take().unwrap();
        assert!(stream.write_all(b"x").now_or_never().is_none());
        assert!(stream.read_u8().now_or_never().is_none());
        drop((listener, stream));
        lab.connect(7000).await.write_all(b"still here").await.unwrap();
        assert_eq!(rest(&mut next.accept().await.unwrap()).await.unwrap(), "still here");
    });
}

#[test]
fn children_live_on_after_their_parents_kill() {
    run(async |lab| {
        lab.install("child", async |host| {
            let mut input = host.processes().stdin().unwrap();
            let mut nothing = Vec::new();
            input.read_to_end(&mut nothing).await.unwrap();
            host.disk().write("input", b"at its end").await.unwrap();
            let broken = host.processes().print(b"anyone?").await.unwrap_err();
            assert_eq!(broken.kind(), ErrorKind::BrokenPipe);
            host.clock().sleep(500 * MS).await;
            host.disk().write("child", b"done").await.unwrap();
            0
        });
        let (pid, _) = lab.launch(|host| async move {
            let mut held = command("child");
            held.stdin = Stdin::Held;
            let mut child = host.processes().spawn(held).await.unwrap();
            child.wait().await.unwrap();
            0
        });
        lab.pass(10 * MS).await;
        assert_eq!(lab.file("input"), None, "the parent holds it open");
        lab.machine.kill(pid);
        lab.pass(10 * MS).await;
        assert_eq!(lab.running(), ["child"]);
        assert_eq!(lab.file("input").as_deref(), Some("at its end"));
        lab.pass(1000 * MS).await;
        assert_eq!(lab.file("child").as_deref(), Some("done"));
        assert_eq!(lab.running(), Vec::<String>::new());
        assert_eq!(lab.world.panics(), Vec::<String>::new());
    });
}

#[test]
fn a_process_that_ends_takes_its_tasks_and_streams_with_it() {
    run(async |lab| {
        let kept: Rc<RefCell<Option<Host>>> = Rc::default();
        let keep = kept.clone();
        lab.install("child", move |host: Host| {
            let keep = keep.clone();
            async move {
                // Somebody keeps a handle: the process is over all the same.
                *keep.borrow_mut() = Some(host.clone());
                let task = host.clone();
                host.spawn(async move {
                    task.clock().sleep(100 * MS).await;
                    task.disk().write("late", b"x").await.unwrap();
                });
                host.processes().print(b"bye").await.unwrap();
                0
            }
        });
        let mut child = lab.visitor.processes().spawn(command("child")).await.unwrap();
        let mut said = String::new();
        child.stdout.as_mut().unwrap().read_to_string(&mut said).await.unwrap();
        assert_eq!(said, "bye");
        assert_eq!(child.wait().await.unwrap(), ExitStatus::Code(0));
        assert!(kept.borrow().as_ref().unwrap().is_dead());
        lab.pass(1000 * MS).await;
        assert_eq!(lab.file("late"), None);
    });
}

#[test]
fn a_writer_that_waits_for_room_learns_that_its_reader_died() {
    run(async |lab| {
        lab.install("flood", async |host| {
            let error = host.processes().print(&[0; 1_000_000]).await.unwrap_err();
            host.disk().write("error", format!("{:?}", error.kind()).as_bytes()).await.unwrap();
            0
        });
        let (pid, _) = lab.launch(|host| async move {
            let child = host.processes().spawn(command("flood")).await.unwrap();
            host.clock().sleep(1000 * MS).await;
            drop(child);
            0
        });
        lab.pass(10 * MS).await;
        assert_eq!(lab.file("error"), None);
        lab.machine.kill(pid);
        lab.pass(10 * MS).await;
        assert_eq!(lab.file("error").as_deref(), Some("BrokenPipe"));
    });
}

#[test]
fn a_process_can_end_its_own_group() {
    run(async |lab| {
        let (_, exit) = lab.launch(|host| async move {
            host.processes().signal_group(host.pid(), Signal::Kill).await.unwrap();
            host.disk().write("after", b"x").await.unwrap();
            0
        });
        assert_eq!(exit.wait().await, ExitStatus::Signal(9));
        lab.pass(10 * MS).await;
        assert_eq!(lab.file("after"), None);
    });
}

#[test]
fn a_parent_sees_the_low_eight_bits_of_a_code() {
    run(async |lab| {
        for (code, seen) in [(300, 44), (-1, 255), (7, 7)] {
            let (_, exit) = lab.launch(move |_| async move { code });
            assert_eq!(exit.wait().await, ExitStatus::Code(seen));
        }
    });
}

#[test]
fn everyone_who_waits_for_an_end_learns_of_it() {
    run(async |lab| {
        let (pid, exit) = lab.launch(|_| std::future::pending());
        let learned = Rc::new(Cell::new(0));
        for _ in 0..5 {
            let (exit, learned) = (exit.clone(), learned.clone());
            lab.visitor.spawn(async move {
                exit.wait().await;
                learned.set(learned.get() + 1);
            });
        }
        lab.pass(MS).await;
        assert_eq!(learned.get(), 0);
        lab.machine.send(pid, Signal::Interrupt);
        lab.pass(MS).await;
        assert_eq!(learned.get(), 5);
        assert_eq!(exit.state(), ProcessState::Ended(ExitStatus::Signal(2)));
    });
}

#[test]
fn every_connection_reaches_one_of_several_acceptors() {
    run(async |lab| {
        let listener = Rc::new(lab.visitor.network().listen(&Address::loopback(7000)).await.unwrap());
        let taken = Rc::new(RefCell::new(Vec::new()));
        for acceptor in 0..4 {
            let (listener, taken, host) = (listener.clone(), taken.clone(), lab.visitor.clone());
            let task = lab.visitor.spawn(async move {
                loop {
                    let byte = listener.accept().await.unwrap().read_u8().await.unwrap();
                    taken.borrow_mut().push((acceptor, byte));
                    host.clock().sleep(MS).await;
                }
            });
            if acceptor == 0 {
                // One that was woken and then stopped must not take the wake-up with it.
                lab.pass(MS).await;
                lab.connect(7000).await.write_u8(100).await.unwrap();
                task.cancel();
            }
        }
        for byte in 0..20 {
            lab.connect(7000).await.write_u8(byte).await.unwrap();
        }
        lab.pass(100 * MS).await;
        let mut bytes: Vec<u8> = taken.borrow().iter().map(|(_, byte)| *byte).collect();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..20).chain([100]).collect::<Vec<_>>());
    });
}

#[test]
fn signals_arrive_in_order_and_none_is_lost() {
    run(async |lab| {
        let (pid, exit) = lab.launch(|host| async move {
            let mut signals = host.processes().signals().unwrap();
            host.clock().sleep(10 * MS).await;
            for expected in [Signal::Terminate, Signal::Interrupt, Signal::Terminate] {
                assert_eq!(signals.next().await, expected);
            }
            0
        });
        lab.pass(MS).await;
        for signal in [Signal::Terminate, Signal::Interrupt, Signal::Terminate] {
            lab.machine.send(pid, signal);
        }
        assert_eq!(exit.wait().await, ExitStatus::Code(0));
        assert_eq!(lab.world.panics(), Vec::<String>::new());
    });
}

#[test]
fn a_restart_is_another_incarnation_with_other_random_numbers() {
    let ids = || {
        run(async |lab| {
            for _ in 0..2 {
                let (pid, exit) = lab.launch(|host| async move {
                    let line = format!("{} {}\n", host.incarnation(), host.entropy().uuid());
                    host.disk().append("ids", line.as_bytes()).await.unwrap();
                    std::future::pending().await
                });
                lab.pass(MS).await;
                lab.machine.kill(pid);
                exit.wait().await;
            }
            for _ in 0..2 {
                let visitor = lab.machine.visitor("subject", Default::default(), "/lab".into(), None);
                let line = format!("{} {}\n", visitor.incarnation(), visitor.entropy().uuid());
                lab.visitor.disk().append("ids", line.as_bytes()).await.unwrap();
            }
            lab.file("ids").unwrap()
        })
    };
    let first = ids();
    let lines: Vec<&str> = first.lines().collect();
    let incarnations: Vec<&str> = lines.iter().map(|line| &line[..1]).collect();
    assert_eq!(incarnations, ["0", "1", "0", "1"]);
    let different: std::collections::BTreeSet<&str> = lines.iter().map(|line| &line[2..]).collect();
    assert_eq!(different.len(), 4, "{first}");
    assert_eq!(ids(), first, "the same seed gives the same ids");
}
