//! The stand-in for tmux as a process that others start.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gauntlet_simulators::tmux::{self, TmuxScript, calls, log_path, panes};
use gauntlet_world::process::{Command, Signal};
use gauntlet_world::simulated::program;
use gauntlet_world::{Host, Machine, World, WorldSettings};
use tokio::io::AsyncReadExt;

fn on_a_machine<R: Future>(script: TmuxScript, body: impl FnOnce(Host) -> R) -> R::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let world = World::new(WorldSettings::default());
        let machine = Machine::new(&world, "lab");
        machine
            .disk_mut(|disk| disk.make_dir(Path::new("/my work")))
            .expect("an empty disk takes a directory");
        let run = move |host: Host| {
            let script = script.clone();
            async move { tmux::run(host, &log_path(Path::new("/my work")), &script).await }
        };
        machine.install(Path::new("/bin/tmux"), "tmux", program(run)).expect("the program is installed");
        let host = machine.visitor("tester", BTreeMap::new(), PathBuf::from("/my work"), None);
        body(host).await
    })
}

async fn call(host: &Host, args: &[&str]) -> (i32, String) {
    let mut command = Command::new("tmux", "/my work");
    command.args = args.iter().map(|arg| (*arg).to_owned()).collect();
    command.env =
        BTreeMap::from([("PATH".to_owned(), "/bin".to_owned()), ("TMUX_PANE".to_owned(), "%0".to_owned())]);
    let mut child = host.processes().spawn(command).await.expect("tmux is installed");
    let mut said = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut said).await.expect("text");
    }
    (child.wait().await.expect("an end").return_code(), said)
}

#[test]
fn every_call_is_written_down_word_for_word_with_where_it_was_made() {
    on_a_machine(TmuxScript { fails: vec!["select-layout".to_owned()], hangs: Vec::new() }, async |host| {
        let keys = "opencode attach 'http://h' --dir '/my work/it'\\''s'";
        assert_eq!(
            call(&host, &["split-window", "-h", "-P", "-F", "#{pane_id}"]).await,
            (0, "%1\n".to_owned())
        );
        assert_eq!(call(&host, &["send-keys", "-t", "%1", keys, "Enter"]).await, (0, String::new()));
        assert_eq!(call(&host, &["select-layout", "main-vertical"]).await.0, 1);
        assert_eq!(call(&host, &["send-keys", "-t", "%9", "x"]).await.0, 1);
        let log = host.disk().read(log_path(Path::new("/my work"))).await.expect("a log");
        let calls = calls(&log);
        assert_eq!(
            calls.iter().map(|call| call.code).collect::<Vec<_>>(),
            [Some(0), Some(0), Some(1), Some(1)]
        );
        assert_eq!(calls[1].args[3], keys);
        assert_eq!((calls[0].cwd.as_str(), calls[0].pane.as_deref()), ("/my work", Some("%0")));
        assert_eq!(panes(&calls), ["%0", "%1"]);
    });
}

#[test]
fn a_call_that_hangs_is_written_down_and_can_be_ended() {
    on_a_machine(TmuxScript { fails: Vec::new(), hangs: vec!["kill-pane".to_owned()] }, async |host| {
        let ended =
            host.clock().within(Duration::from_secs(60), call(&host, &["kill-pane", "-t", "%0"])).await;
        assert_eq!(ended, None);
        let log = host.disk().read(log_path(Path::new("/my work"))).await.expect("a log");
        assert_eq!(calls(&log)[0].code, None);
        let mut command = Command::new("tmux", "/my work");
        command.args = vec!["kill-pane".to_owned()];
        command.env = BTreeMap::from([("PATH".to_owned(), "/bin".to_owned())]);
        let mut child = host.processes().spawn(command).await.expect("tmux is installed");
        host.processes().signal(child.pid, Signal::Kill).await.expect("it runs");
        assert!(child.wait().await.is_ok());
    });
}
