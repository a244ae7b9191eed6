//! What a dispatch to a peer with a budget costs, by how many turns are in the ledger: `cargo bench -p gauntlet-engine --bench ledger`.
//!
//! The peer is not reached, so that a dispatch is a reservation and its release: the ledger is held twice, and the disk is waited for twice.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench is outside of any cell")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use gauntlet_runtime::Runtime;
use gauntlet_runtime::fleet::Settings;
use gauntlet_runtime::fleet::hermes::Minds;
use gauntlet_runtime::registry::Caller;
use gauntlet_world::{Host, Identity};
use serde_json::json;

/// So many dispatches are measured.
const DISPATCHES: u32 = 50;

fn main() {
    println!("{:>8}  {:>12}  {:>14}  {:>14}", "entries", "first", "each further", "new process");
    for entries in [10, 1_000, 100_000] {
        let home = tempfile::tempdir().expect("a folder");
        write_home(home.path(), entries);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let local = tokio::task::LocalSet::new();
        let (first, further, anew) = local.block_on(&runtime, measure(home.path()));
        println!("{entries:>8}  {first:>12.1?}  {further:>14.1?}  {anew:>14.1?}");
    }
}

fn write_home(home: &Path, entries: u64) {
    let fleet = "fleet:\n  server: { bind_port: 9219, token_env: T }\n  agents:\n    peer:\n      url: http://127.0.0.1:9\n      \
                 budget: { turns: 1000000, period: never, unknown: allow }\n";
    fs::write(home.join("fleet.yaml"), fleet).expect("a file");
    let mut text = String::new();
    for turn in 0..entries / 2 {
        let reserve = json!({
            "event": "reserve", "id": format!("t{turn}"), "peer": "peer", "at_ms": 1_767_000_000_000_u64 + turn * 1000,
            "context": format!("c{turn}"), "hold": { "tokens": 0, "nano_usd": 0 }, "v": 1,
        });
        let settle = json!({
            "event": "settle", "reply": format!("r{turn}"), "context": format!("c{turn}"), "of": null,
            "usage": { "input_tokens": 10, "output_tokens": 5 }, "notes": [], "v": 1,
        });
        let _ = writeln!(text, "{reserve}\n{settle}");
    }
    fs::write(home.join("budget.jsonl"), text).expect("a file");
}

async fn load(home: &Path) -> Runtime {
    let env = BTreeMap::from([("HERMES_HOME".to_owned(), home.to_string_lossy().into_owned())]);
    let identity = Identity { name: "bench".to_owned(), env, cwd: home.to_path_buf(), ..Identity::default() };
    Runtime::load(Host::real(identity, None), Settings::default(), Minds::default()).await.expect("it loads")
}

async fn send(runtime: &Runtime) -> Duration {
    let began = Instant::now();
    let arguments = json!({ "agent": "peer", "message": "x" });
    let answer = runtime.call(&Caller::with(["a2a"]), "fleet_send", arguments).await.expect("a known tool");
    assert_eq!(answer["class"], "not_sent", "{answer}");
    began.elapsed()
}

/// The first dispatch, the mean of further ones, and the mean of those of a process that is new each time.
async fn measure(home: &Path) -> (Duration, Duration, Duration) {
    let runtime = load(home).await;
    let first = send(&runtime).await;
    let mut further = Duration::ZERO;
    for _ in 0..DISPATCHES {
        further += send(&runtime).await;
    }
    let mut anew = Duration::ZERO;
    for _ in 0..DISPATCHES {
        anew += send(&load(home).await).await;
    }
    (first, further / DISPATCHES, anew / DISPATCHES)
}
