//! Crates depend on each other only as the rooms allow. Arrows point down only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Which rooms a room may use.
const ALLOWED: &[(&str, &[&str])] = &[
    ("gauntlet-protocol", &[]),
    ("gauntlet-world", &["gauntlet-protocol"]),
    ("gauntlet-runtime", &["gauntlet-world", "gauntlet-protocol"]),
    ("gauntlet-simulators", &["gauntlet-world", "gauntlet-protocol"]),
    ("gauntlet-reports", &[]),
    ("gauntlet-scenarios", &[]),
    (
        "gauntlet-engine",
        &[
            "gauntlet-protocol",
            "gauntlet-reports",
            "gauntlet-runtime",
            "gauntlet-scenarios",
            "gauntlet-simulators",
            "gauntlet-world",
        ],
    ),
    (
        "gauntlet",
        &[
            "gauntlet-engine",
            "gauntlet-protocol",
            "gauntlet-reports",
            // What `gauntlet serve` is to receivers, `gauntlet send` is to the runtime: a program of its room, as a process.
            "gauntlet-runtime",
            "gauntlet-simulators",
            "gauntlet-world",
        ],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn manifest(path: &Path) -> toml::Table {
    let text = std::fs::read_to_string(path.join("Cargo.toml")).expect("a member has a manifest");
    text.parse().expect("a manifest is TOML")
}

fn rooms() -> BTreeMap<String, BTreeSet<String>> {
    let members = manifest(&root())["workspace"]["members"]
        .as_array()
        .cloned()
        .expect("the workspace lists its members");
    members
        .iter()
        .map(|member| {
            let manifest = manifest(&root().join(member.as_str().expect("a member is a path")));
            let name = manifest["package"]["name"].as_str().expect("a package has a name").to_owned();
            let mut used = BTreeSet::new();
            for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
                let table = manifest.get(section).and_then(toml::Value::as_table);
                used.extend(
                    table
                        .into_iter()
                        .flat_map(|table| table.keys())
                        .filter(|name| name.starts_with("gauntlet"))
                        .cloned(),
                );
            }
            (name, used)
        })
        .collect()
}

#[test]
fn every_arrow_points_down() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    for (room, used) in rooms() {
        let allowed =
            allowed.get(room.as_str()).unwrap_or_else(|| panic!("{room} is not on the map of rooms"));
        for other in used {
            assert!(allowed.contains(&other.as_str()), "{room} must not use {other}");
        }
    }
}

#[test]
fn runtime_and_simulators_never_see_each_other() {
    let rooms = rooms();
    assert!(!rooms["gauntlet-runtime"].contains("gauntlet-simulators"));
    assert!(!rooms["gauntlet-simulators"].contains("gauntlet-runtime"));
}

#[test]
fn every_room_says_what_belongs_in_it() {
    for room in [
        "harness/protocol",
        "harness/world",
        "harness/runtime",
        "harness/engine",
        "harness/cli",
        "simulators",
        "reports",
        "scenarios",
        "tests",
    ] {
        let readme = std::fs::read_to_string(root().join(room).join("README.md")).unwrap_or_default();
        assert!(readme.len() > 300, "{room} has no README that says something");
    }
}
