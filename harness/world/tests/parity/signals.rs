//! How children are ended, and what is left of them.

use std::time::Duration;

use gauntlet_world::Host;
use gauntlet_world::process::{Command, ExitStatus, Output, Pid, Signal};
use gauntlet_world::simulated::{Program, program};

use crate::rig::{Rig, read_all, read_line};

both! {
    a_signal_ends_a_child
    a_handled_signal_lets_a_child_end_itself
    a_grandchild_outlives_its_parent_and_holds_the_pipe
    a_group_ends_with_its_grandchildren
    a_signal_to_what_has_ended_is_fine
    a_process_is_seen_to_run_until_it_has_ended
    a_mark_in_the_environment_finds_every_descendant
    a_reader_that_goes_ends_no_one_else
}

/// Says that it is there, then sleeps for long.
fn sleeps() -> Program {
    program(|host: Host| async move {
        host.processes().print(b"ready\n").await.unwrap();
        host.clock().sleep(Duration::from_secs(600)).await;
        0
    })
}

const SLEEPS: &str = "echo ready; exec sleep 600";

/// Starts a sleeper that shares its group and outputs, and ends.
fn leaves_a_sleeper() -> Program {
    program(|host: Host| async move {
        let mut command = Command::new("sleeps", host.cwd());
        command.env = host.environment().clone();
        (command.stdout, command.stderr, command.own_group) = (Output::Inherit, Output::Inherit, false);
        host.processes().spawn(command).await.unwrap();
        3
    })
}

const LEAVES_A_SLEEPER: &str = "sleeps & exit 3";

async fn install_sleepers(rig: &Rig) {
    rig.install("sleeps", SLEEPS, sleeps()).await;
    rig.install("leaves", LEAVES_A_SLEEPER, leaves_a_sleeper()).await;
}

async fn a_signal_ends_a_child(rig: Rig) {
    install_sleepers(&rig).await;
    let signals = [(Signal::HangUp, 1), (Signal::Interrupt, 2), (Signal::Terminate, 15), (Signal::Kill, 9)];
    for (signal, number) in signals {
        let mut child = rig.start("sleeps").await;
        assert_eq!(read_line(&mut child.stdout).await, "ready\n");
        assert!(rig.waits(child.wait()).await);
        rig.host.processes().signal(child.pid, signal).await.unwrap();
        let status = child.wait().await.unwrap();
        assert_eq!((status, status.return_code()), (ExitStatus::Signal(number), -number));
        assert_eq!(read_all(&mut child.stdout).await, "", "the dead hold no pipe open");
    }
}

async fn a_handled_signal_lets_a_child_end_itself(rig: Rig) {
    let script = "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.02; done";
    let simulated = program(|host: Host| async move {
        let mut signals = host.processes().signals().unwrap();
        host.processes().print(b"ready\n").await.unwrap();
        assert_eq!(signals.next().await, Signal::Terminate);
        host.processes().print(b"bye\n").await.unwrap();
        5
    });
    rig.install("polite", script, simulated).await;
    let mut child = rig.start("polite").await;
    assert_eq!(read_line(&mut child.stdout).await, "ready\n");
    rig.host.processes().signal(child.pid, Signal::Terminate).await.unwrap();
    assert_eq!(child.wait().await.unwrap(), ExitStatus::Code(5));
    assert_eq!(read_all(&mut child.stdout).await, "bye\n");
    let mut stubborn = rig.start("polite").await;
    assert_eq!(read_line(&mut stubborn.stdout).await, "ready\n");
    rig.host.processes().signal_group(stubborn.pid, Signal::Kill).await.unwrap();
    assert_eq!(stubborn.wait().await.unwrap(), ExitStatus::Signal(9), "a kill is not handled");
}

async fn a_grandchild_outlives_its_parent_and_holds_the_pipe(rig: Rig) {
    install_sleepers(&rig).await;
    let mut child = rig.start("leaves").await;
    assert_eq!(child.wait().await.unwrap(), ExitStatus::Code(3));
    assert_eq!(read_line(&mut child.stdout).await, "ready\n");
    assert!(rig.waits(read_all(&mut child.stdout)).await);
    rig.host.processes().signal_group(child.pid, Signal::Kill).await.unwrap();
}

async fn a_group_ends_with_its_grandchildren(rig: Rig) {
    install_sleepers(&rig).await;
    let mut child = rig.start("leaves").await;
    let mut bystander = rig.start("sleeps").await;
    assert_eq!(child.wait().await.unwrap(), ExitStatus::Code(3));
    assert_eq!(read_line(&mut child.stdout).await, "ready\n");
    rig.host.processes().signal_group(child.pid, Signal::Kill).await.unwrap();
    assert_eq!(read_all(&mut child.stdout).await, "");
    assert!(rig.waits(bystander.wait()).await, "another group lives on");
    rig.host.processes().signal(bystander.pid, Signal::Kill).await.unwrap();
}

async fn a_signal_to_what_has_ended_is_fine(rig: Rig) {
    install_sleepers(&rig).await;
    let processes = rig.host.processes();
    let mut child = rig.start("sleeps").await;
    processes.signal(child.pid, Signal::Kill).await.unwrap();
    child.wait().await.unwrap();
    for pid in [child.pid, Pid(0), Pid(u32::MAX)] {
        processes.signal(pid, Signal::Terminate).await.unwrap();
        processes.signal_group(pid, Signal::Kill).await.unwrap();
    }
}

async fn a_mark_in_the_environment_finds_every_descendant(rig: Rig) {
    install_sleepers(&rig).await;
    let processes = rig.host.processes();
    let mark = rig.host.entropy().uuid().to_string();
    let start = async |program: &str, value: &str| {
        let mut command = rig.command(program, &[]);
        command.env.insert("MARK".to_owned(), value.to_owned());
        let mut child = rig.spawn(command).await.unwrap();
        assert_eq!(read_line(&mut child.stdout).await, "ready\n");
        child
    };
    let child = start("sleeps", &mark).await;
    let mut orphaned = start("leaves", &mark).await;
    let other = start("sleeps", &format!("{mark}x")).await;
    orphaned.wait().await.unwrap();
    let found = processes.marked("MARK", &mark).await.unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.contains(&child.pid) && !found.contains(&orphaned.pid) && found.is_sorted());
    for leader in [child.pid, orphaned.pid, other.pid] {
        processes.signal_group(leader, Signal::Kill).await.unwrap();
    }
    while !processes.marked("MARK", &mark).await.unwrap().is_empty() {
        rig.host.clock().sleep(Duration::from_millis(5)).await;
    }
}

async fn a_reader_that_goes_ends_no_one_else(rig: Rig) {
    install_sleepers(&rig).await;
    let mut child = rig.start("sleeps").await;
    assert_eq!(read_line(&mut child.stdout).await, "ready\n");
    child.stdout = None;
    assert!(rig.waits(child.wait()).await, "who does not write does not notice");
    rig.host.processes().signal(child.pid, Signal::Kill).await.unwrap();
    assert_eq!(child.wait().await.unwrap(), ExitStatus::Signal(9));
}

async fn a_process_is_seen_to_run_until_it_has_ended(rig: Rig) {
    install_sleepers(&rig).await;
    let mut child = rig.start("sleeps").await;
    let processes = rig.host.processes();
    assert_eq!(read_line(&mut child.stdout).await, "ready\n");
    assert!(processes.runs(child.pid).await.unwrap());
    processes.signal(child.pid, Signal::Kill).await.unwrap();
    child.wait().await.unwrap();
    assert!(!processes.runs(child.pid).await.unwrap());
    assert!(!processes.runs(Pid(4_000_000)).await.unwrap(), "nobody ever had this number");
}
