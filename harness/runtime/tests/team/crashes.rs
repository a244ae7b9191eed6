//! A kill and a power cut at every change of the disk that a call makes.

use std::time::Duration;

use gauntlet_world::fault::{Happening, Moment, Rule, Unsynced};
use gauntlet_world::touch::Op;
use serde_json::json;

use crate::rig::{BASE, run};

const CHANGES: [Op; 7] = [
    Op::DiskCreate,
    Op::DiskSync,
    Op::DiskRename,
    Op::DiskSyncDir,
    Op::DiskMakeDir,
    Op::DiskRemove,
    Op::DiskAppend,
];

#[test]
fn a_delete_that_dies_anywhere_is_finished_later() {
    for happening in
        [Happening::Kill, Happening::PowerCut(Unsynced::Lost), Happening::PowerCut(Unsynced::Drawn)]
    {
        for at in CHANGES {
            for nth in 1..60 {
                let mut bit = false;
                run(2, async |rig| {
                    let (team, _) = rig.team_of(&["a"]).await;
                    rig.call(
                        "boss",
                        "team_send_message",
                        json!({ "teamRunId": team.as_str(), "to": "a", "body": "x" }),
                    )
                    .await;
                    let host = "runtime".to_owned();
                    rig.world.arm(Rule { host, at, target: None, nth, moment: Moment::Before, happening });
                    let force = json!({ "teamRunId": team.as_str(), "force": true });
                    rig.try_call("boss", "team_delete", force).await;
                    bit = rig.host().is_dead();
                    rig.world.disarm();
                    if bit {
                        rig.restart().await;
                        rig.pass(Duration::from_secs(3600)).await;
                        let told = rig
                            .call("boss", "team_delete", json!({ "teamRunId": team.as_str(), "force": true }))
                            .await;
                        assert!(told["deleted"] == true || told["class"] == "ENOENT", "{told}");
                        let report = rig.team().resume().await;
                        assert_eq!(report.errors, Vec::<String>::new(), "{at:?} {nth} {happening:?}");
                    }
                    let folder = format!("{BASE}/runtime/{team}");
                    assert!(rig.machine.disk().stat(folder.as_ref()).is_err(), "{at:?} {nth} {happening:?}");
                });
                if !bit {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_creation_that_dies_anywhere_is_cleared_away_and_can_be_done_again() {
    for happening in [Happening::Kill, Happening::PowerCut(Unsynced::Lost)] {
        for at in CHANGES {
            for nth in 1..40 {
                let mut bit = false;
                run(3, async |rig| {
                    let host = "runtime".to_owned();
                    rig.world.arm(Rule { host, at, target: None, nth, moment: Moment::After, happening });
                    let member = json!({ "name": "a", "category": "quick", "prompt": "do what comes" });
                    let spec = json!({ "inline_spec": { "name": "pair", "members": [member] } });
                    rig.try_call("boss", "team_create", spec).await;
                    bit = rig.host().is_dead();
                    rig.world.disarm();
                    if bit {
                        rig.restart().await;
                        rig.pass(Duration::from_secs(3600)).await;
                        for _ in 0..2 {
                            rig.team().resume().await;
                        }
                        let left = rig.call("boss", "team_list", json!({})).await;
                        let runs = left.as_array().map_or(0, Vec::len);
                        assert!(runs == 0 || left[0]["status"] == "active", "{at:?} {nth}: {left}");
                        if runs == 0 {
                            rig.team_of(&["a"]).await;
                        }
                    }
                });
                if !bit {
                    break;
                }
            }
        }
    }
}
