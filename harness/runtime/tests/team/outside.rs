//! What a team has outside of its folder: working trees made by git, panes made by tmux; and the look at both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use gauntlet_runtime::registry::{Caller, Session};
use gauntlet_runtime::team::{Team, TeamConfig, TeamSettings, doctor, tools};
use gauntlet_world::process::{Command, ExitStatus};
use gauntlet_world::simulated::program;
use gauntlet_world::{Host, Identity};
use serde_json::{Value, json};

use crate::rig::{BASE, Rig, run};

/// Installs a program that notes what it is asked, and does what git and tmux would do that teams look at.
fn install(rig: &Rig, name: &'static str, code: i32) {
    let body = program(move |host: Host| async move {
        let args = host.args().to_vec();
        let line = format!("{name} {}\n", args.join(" "));
        host.disk().append("/log", line.as_bytes()).await.expect("a log");
        if args.starts_with(&["worktree".to_owned(), "add".to_owned()]) && code == 0 {
            host.disk().make_dir(&args[3]).await.expect("a folder");
            host.disk().write(Path::new(&args[3]).join(".git"), b"gitdir: /x\n").await.expect("a file");
        }
        if args.first().is_some_and(|first| first == "split-window") {
            let log = host.disk().read("/log").await.expect("a log");
            let panes = String::from_utf8_lossy(&log).matches("split-window").count();
            host.processes().print(format!("%{panes}\n").as_bytes()).await.expect("an output");
        }
        code
    });
    rig.machine.install(&Path::new("/bin").join(name), name, body).expect("it is installed");
}

fn log(rig: &Rig, of: &str) -> Vec<String> {
    let log = rig.machine.disk().read(Path::new("/log")).unwrap_or_default();
    let log = String::from_utf8(log).expect("text");
    log.lines().filter(|line| line.starts_with(of)).map(str::to_owned).collect()
}

fn spec(path: &str) -> Value {
    let member = json!({ "name": "a", "category": "quick", "prompt": "do what comes", "worktreePath": path });
    json!({ "inline_spec": { "name": "trees", "members": [member] } })
}

#[test]
fn a_member_works_in_a_tree_of_its_own_and_only_that_is_removed() {
    run(1, async |rig| {
        let told = rig.call("boss", "team_create", spec("./trees/a")).await;
        assert!(told["error"].as_str().unwrap().contains("git required for worktree members"), "{told}");
        install(rig, "git", 0);
        rig.put("/project/mine/notes.txt", b"mine");
        let told = rig.call("boss", "team_create", spec("./mine")).await;
        assert!(told["error"].as_str().unwrap().contains("/project/mine is there already"), "{told}");
        assert_eq!(rig.machine.disk().read("/project/mine/notes.txt".as_ref()).unwrap(), b"mine");
        let told = rig.call("boss", "team_create", spec("./trees/a")).await;
        assert_eq!(told["runtimeState"]["members"][1]["worktreePath"], "/project/trees/a");
        let launch = rig.fake.change(|state| state.launches.last().cloned()).unwrap();
        assert_eq!(launch.directory.as_deref(), Some("/project/trees/a"));
        assert!(launch.prompt.contains("\nWorktree: /project/trees/a\n"));
        let force = json!({ "teamRunId": told["teamRunId"], "force": true });
        let gone = rig.call("boss", "team_delete", force).await;
        assert_eq!(gone["removedWorktrees"], json!(["/project/trees/a"]));
        assert!(rig.machine.disk().stat("/project/trees/a".as_ref()).is_err());
        assert!(log(rig, "git").contains(&"git worktree remove --force /project/trees/a".to_owned()));
    });
}

#[test]
fn panes_are_opened_in_the_callers_window_and_closed_with_the_team() {
    run(1, async |rig| {
        rig.config.tmux_visualization = true;
        rig.env.insert("TMUX".to_owned(), "/tmp/tmux-0/default,1,0".to_owned());
        rig.env.insert("TMUX_PANE".to_owned(), "%0".to_owned());
        install(rig, "tmux", 0);
        rig.restart().await;
        let (team, sessions) = rig.team_of(&["a", "b"]).await;
        let layout = rig.json(&team, "state.json")["tmuxLayout"].clone();
        assert_eq!((&layout["ownedSession"], &layout["paneIds"]), (&json!(false), &json!(["%1", "%2"])));
        let keys = log(rig, "tmux send-keys");
        let line = format!(
            "tmux send-keys -t %1 'agent' 'attach' '--session' '{}' '--dir' '/project' Enter",
            sessions["a"]
        );
        assert_eq!(keys[0], line);
        assert!(log(rig, "tmux split-window")[0].contains("-t %0"));
        let gone =
            rig.call("boss", "team_delete", json!({ "teamRunId": team.as_str(), "force": true })).await;
        assert_eq!(gone["removedLayout"], true);
        assert_eq!(log(rig, "tmux kill-pane"), ["tmux kill-pane -t %1", "tmux kill-pane -t %2"]);
        assert_eq!(log(rig, "tmux kill-session"), Vec::<String>::new());
        // A tmux that fails is no reason for anything.
        install(rig, "tmux", 1);
        let (team, _) = rig.team_of(&["a"]).await;
        assert_eq!(rig.json(&team, "state.json")["status"], "active");
        let gone =
            rig.call("boss", "team_delete", json!({ "teamRunId": team.as_str(), "force": true })).await;
        assert_eq!(gone["deleted"], true);
    });
}

#[test]
fn the_doctor_looks_and_changes_nothing() {
    run(1, async |rig| {
        let look = async |rig: &Rig| doctor::look(&rig.host(), Path::new("/project")).await;
        assert_eq!(look(rig).await.message, "team_mode: disabled");
        rig.put("/home/.omo/config.jsonc", b"{ // mine\n \"team_mode\": { \"enabled\": true, } }");
        let before = rig.machine.disk().changes();
        let found = look(rig).await;
        assert_eq!((found.status, rig.machine.disk().changes()), ("warn", before));
        assert_eq!(
            found.message,
            "team_mode: enabled | tmux: missing | git: missing | base dir: ok | declared: 0 | runtime dirs: 0"
        );
        install(rig, "git", 0);
        install(rig, "tmux", 0);
        rig.put(format!("{BASE}/teams/one/config.json"), b"{}");
        let found = look(rig).await;
        assert_eq!(found.status, "pass");
        assert!(found.message.ends_with("declared: 1 | runtime dirs: 0"), "{}", found.message);
    });
}

#[test]
fn the_real_git_makes_and_removes_the_tree() {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let project = folder.path().join("a project");
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let env: BTreeMap<String, String> = [
            ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
            ("HOME", text(folder.path())),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        let host =
            Host::real(Identity { cwd: folder.path().into(), env: env.clone(), ..Identity::default() }, None);
        host.disk().make_dir(&project).await.expect("a folder");
        let git = async |args: &[&str]| {
            let mut command = Command::new("git", &project);
            command.args = args.iter().map(|arg| (*arg).to_owned()).collect();
            command.env = env.clone();
            let mut child = host.processes().spawn(command).await.expect("git is installed");
            assert_eq!(child.wait().await.expect("it ends"), ExitStatus::Code(0), "{args:?}");
        };
        git(&["init", "-q"]).await;
        git(&[
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b.example",
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "first",
        ])
        .await;
        let rig = crate::rig::fake_on(&host);
        let settings = TeamSettings {
            project: project.clone(),
            sessions: Rc::new(move |_| Some(Rc::new(rig.clone()))),
            injector: gauntlet_world::injection::Injector::default(),
            turns_carry_mail: true,
            default_category: "quick".to_owned(),
            attach: Vec::new(),
        };
        let config = TeamConfig { enabled: true, ..TeamConfig::default() };
        let team = Team::new(host.clone(), config, settings);
        let call = async |tool: &str, args: Value| {
            let tools = tools::all(&team);
            let tool = tools.iter().find(|known| known.name == tool).expect("there is such a tool");
            let session = Session {
                id: Some("boss".to_owned()),
                agent: Some("sisyphus".to_owned()),
                ..Session::default()
            };
            (tool.handler)(&Caller::with(["team"]).of_session(session), args).await
        };
        let told = call("team_create", spec("../trees/of a")).await;
        let place: PathBuf = folder.path().join("trees/of a");
        assert_eq!(told["runtimeState"]["members"][1]["worktreePath"], text(&place), "{told}");
        assert!(host.disk().read(place.join(".git")).await.is_ok(), "it is a linked tree");
        let gone = call("team_delete", json!({ "teamRunId": told["teamRunId"], "force": true })).await;
        assert_eq!(gone["removedWorktrees"], json!([text(&place)]), "{gone}");
        assert!(host.disk().stat(&place).await.is_err());
        let known = host.disk().list(project.join(".git/worktrees")).await.unwrap_or_default();
        assert_eq!(known, [], "git has forgotten it, too");
    });
}
