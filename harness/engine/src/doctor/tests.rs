use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gauntlet_world::simulated::{Launch, program};
use gauntlet_world::touch::{Op, Touch};
use gauntlet_world::{Host, Machine, World, WorldSettings};

use super::clis::{Fit, fit, version_in};
use super::fleet::without_secrets;
use super::*;
use crate::data::Source;

fn library() -> Library {
    Library::load(&[Source::Embedded]).expect("the embedded data is sound")
}

/// A computer with a file system, and what is written on it.
fn computer(world: &World, mounts: &str, fleet: Option<&str>) -> Machine {
    let machine = Machine::new(world, "computer");
    machine.disk_mut(|disk| {
        for folder in ["/tmp", "/proc/self", "/home/me/.hermes", "/work", "/bin"] {
            disk.make_dir(Path::new(folder)).expect("a folder");
        }
        disk.write(Path::new("/proc/self/mounts"), mounts.as_bytes(), 0o444).expect("a file");
        if let Some(fleet) = fleet {
            disk.write(Path::new("/home/me/.hermes/fleet.yaml"), fleet.as_bytes(), 0o600).expect("a file");
        }
    });
    let install = |name: &str, says: &'static str| {
        let program = program(move |host: Host| async move {
            let _ = host.processes().print(says.as_bytes()).await;
            0
        });
        machine.install(&Path::new("/bin").join(name), name, program).expect("a program");
    };
    install("git", "git version 2.99.0\n");
    install("codex", "codex-cli 0.169.0\n");
    install("opencode", "9.0.0\n");
    let silent = program(|host: Host| async move {
        host.clock().sleep(Duration::from_secs(3600)).await;
        0
    });
    machine.install(Path::new("/bin/claude"), "claude", silent).expect("a program");
    machine
}

const MOUNTS: &str = "disk / ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\n";

/// Lets a process live on a computer, to its end, and gives what it touched.
fn live<F, R>(mounts: &str, fleet: Option<&str>, body: F) -> (Machine, Vec<Touch>)
where
    F: Fn(Host) -> R + 'static,
    R: Future<Output = ()> + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let world = World::new(WorldSettings { log_touches: true, ..WorldSettings::default() });
        let machine = computer(&world, mounts, fleet);
        let body = std::rc::Rc::new(body);
        let (_, exit) = machine.launch(Launch {
            name: "doctor".to_owned(),
            program: program(move |host: Host| {
                let body = body.clone();
                async move {
                    body(host).await;
                    0
                }
            }),
            args: Vec::new(),
            env: BTreeMap::from([
                ("PATH".to_owned(), "/bin".to_owned()),
                ("HOME".to_owned(), "/home/me".to_owned()),
            ]),
            cwd: PathBuf::from("/work"),
            log: None,
            tap: None,
        });
        exit.wait().await;
        assert_eq!(machine.running(), Vec::new(), "nothing is left running");
        (machine, world.log())
    })
}

/// What of these would change a disk.
fn writes(touches: &[Touch]) -> Vec<&Touch> {
    let reads = [Op::DiskRead, Op::DiskStat, Op::DiskList];
    touches
        .iter()
        .filter(|touch| touch.op.name().starts_with("disk.") && !reads.contains(&touch.op))
        .collect()
}

fn examined(mounts: &str, fleet: Option<&str>) -> (Diagnosis, Vec<Touch>) {
    let found = std::rc::Rc::new(std::cell::RefCell::new(Diagnosis::default()));
    let into = found.clone();
    let (_, touches) = live(mounts, fleet, move |host| {
        let into = into.clone();
        async move {
            let diagnosis = examine(&host, &library()).await;
            *into.borrow_mut() = diagnosis;
        }
    });
    (found.take(), touches)
}

fn found<'d>(diagnosis: &'d Diagnosis, what: &str) -> &'d Finding {
    diagnosis.findings.iter().find(|finding| finding.what.starts_with(what)).expect("it was looked at")
}

#[test]
fn nothing_is_written_and_a_write_would_be_seen() {
    let (diagnosis, touches) = examined(MOUNTS, None);
    assert!(diagnosis.findings.len() > 8 && touches.len() > 50, "it did look: {}", touches.len());
    assert_eq!(writes(&touches), Vec::<&Touch>::new());
    let (_, touches) = live(MOUNTS, None, |host: Host| async move {
        host.disk().append("/tmp/probe", b"x").await.expect("there is a disk");
        host.disk().set_mode("/tmp/probe", 0o755).await.expect("there is a file");
        host.disk().remove("/tmp/probe").await.expect("there is a file");
    });
    assert_eq!(writes(&touches).len(), 3, "who tries out whether programs run is seen");
}

#[test]
fn each_cli_is_told_with_the_profile_that_speaks_for_it() {
    let (diagnosis, _) = examined(MOUNTS, None);
    let of = |what: &str| {
        let finding = found(&diagnosis, what);
        (finding.state, finding.found.as_str())
    };
    assert_eq!(of("codex"), (State::Fine, "0.169.0 in /bin/codex; its profile is recorded"));
    let (state, text) = of("opencode");
    assert!(state == State::Note && text.contains("the nearest recorded one is 1.18.33"), "{text}");
    let (state, text) = of("claude");
    assert!(state == State::Wrong && text.contains("does not say its version"), "{text}");
    assert_eq!(of("agy").0, State::Missing);
    assert_eq!(of("git"), (State::Fine, "git version 2.99.0"));
    assert_eq!(diagnosis.exit(), ExitCode::Pass, "a run needs none of them");
}

#[test]
fn a_place_where_no_run_would_work_is_exit_3() {
    for mounts in [
        "disk / ext4 rw 0 0\ntmpfs /tmp tmpfs rw,noexec 0 0\n",
        "disk / ext4 rw 0 0\ntmpfs /tmp tmpfs ro 0 0\n",
        "disk / ext4 rw 0 0\ndisk /work ext4 ro 0 0\n",
    ] {
        let (diagnosis, _) = examined(mounts, None);
        assert_eq!(diagnosis.exit(), ExitCode::Broken, "{mounts}");
        assert_eq!(diagnosis.json()["exit_code"], 3);
    }
    let mounts = "disk / ext4 rw 0 0\ntmpfs /tmp/other tmpfs rw,noexec 0 0\n";
    assert_eq!(examined(mounts, None).0.exit(), ExitCode::Pass, "another folder is no matter");
}

#[test]
fn a_fleet_is_read_and_no_bearer_of_it_is_shown() {
    let sound = "fleet:\n  server: { bind_port: 9219 }\n  agents:\n    lab:\n      url: http://127.0.0.1:9300\n      token_env: LAB_TOKEN\n";
    let (diagnosis, _) = examined(MOUNTS, Some(sound));
    let fleet = found(&diagnosis, "fleet");
    assert!(fleet.found.contains("1 peers: lab"), "{fleet:?}");
    for written in ["[tok-very-secret]", "\n        - tok-very-secret"] {
        let wrong = format!(
            "fleet:\n  server: {{ bind_port: 9219 }}\n  agents:\n    lab:\n      url: http://127.0.0.1:9300\n      token_env: {written}\n"
        );
        let (diagnosis, _) = examined(MOUNTS, Some(&wrong));
        let fleet = found(&diagnosis, "fleet");
        assert!(fleet.state == State::Wrong && fleet.found.contains("token_env"), "{fleet:?}");
        assert!(!format!("{diagnosis:?}").contains("very-secret"), "{fleet:?}");
        assert_eq!(diagnosis.exit(), ExitCode::Pass, "a run reads no fleet");
    }
    assert_eq!(without_secrets("got 'abcdef'", "  token_env: \"abcdef\"\n"), "got '…'");
}

#[test]
fn a_version_is_found_in_what_programs_say() {
    for (said, version) in [
        ("codex-cli 0.169.0", Some("0.169.0")),
        ("2.1.330 (Claude Code)", Some("2.1.330")),
        ("opencode v1.18.33-dev", Some("1.18.33-dev")),
        ("no version here.", None),
        ("", None),
    ] {
        assert_eq!(version_in(said), version, "{said}");
    }
    let library = library();
    assert_eq!(fit(&library.versions("codex"), "0.169.0"), Fit::Exact(true));
    assert_eq!(fit(&library.versions("codex"), "0.100.1"), Fit::Nearest("0.80.0".to_owned()));
    assert_eq!(fit(&library.versions("codex"), "0.1.0"), Fit::Nearest("0.36.0".to_owned()));
    assert_eq!(fit(&library.versions("agy"), "3.0.0"), Fit::None);
}
