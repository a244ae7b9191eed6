//! The published JSON Schemas, generated from the model (draft 2020-12).
//!
//! The files under `reports/schema/` are these values; a test keeps them equal. A change that an old reader would not
//! understand gets a new number in the `$id` and in the file's name.

use schemars::{JsonSchema, consts::meta_schemas, generate::SchemaSettings};
use serde_json::{Map, Value};

use crate::cell::CellLine;
use crate::drift::{self, Drift};
use crate::explore::{self, Crashes, FaultSearch, Soak};
use crate::json;
use crate::printed::{
    self, BudgetCommand, Client, Diagnosis, Explained, JudgedAgain, List, QuirkCheck, Sent,
};
use crate::replay::{self, Replay};
use crate::report::{self, ExecutorReport};
use crate::summary::{self, Summary};

/// The `$id` of the schema of a line of `results.jsonl`.
pub const RESULTS_LINE: &str = "gauntlet.results_line/1";

/// The schema of `report.json`.
pub fn report() -> Value {
    published::<ExecutorReport>(report::SCHEMA, "Gauntlet: compliance report of one executor")
}

/// The schema of `summary.json`.
pub fn summary() -> Value {
    published::<Summary>(summary::SCHEMA, "Gauntlet: summary of one run")
}

/// The schema of what `gauntlet replay --format json` prints.
pub fn replay() -> Value {
    published::<Replay>(replay::SCHEMA, "Gauntlet: one cell, run again")
}

/// The schema of what `gauntlet drift --format json` prints.
pub fn drift() -> Value {
    published::<Drift>(drift::SCHEMA, "Gauntlet: versions of one CLI behind one release of a receiver")
}

/// The schema of what `gauntlet explore crash --format json` prints.
pub fn explore_crash() -> Value {
    published::<Crashes>(explore::CRASHES, "Gauntlet: what came of killing processes at every point")
}

/// The schema of what `gauntlet explore faults --format json` prints.
pub fn explore_faults() -> Value {
    published::<FaultSearch>(explore::FAULTS, "Gauntlet: what came of worlds that nobody thought of")
}

/// The schema of what `gauntlet explore real --format json` prints.
pub fn explore_real() -> Value {
    published::<Soak>(explore::REAL, "Gauntlet: what came of work under disturbance over real processes")
}

/// The schema of one line of `results.jsonl`.
pub fn results_line() -> Value {
    published::<CellLine>(RESULTS_LINE, "Gauntlet: result of one cell")
}

/// The schema of what `gauntlet judge --format json` prints.
pub fn judge() -> Value {
    published::<JudgedAgain>(printed::JUDGE, "Gauntlet: a saved trace, judged again")
}

/// The schema of what `gauntlet quirk check --format json` prints.
pub fn quirk_check() -> Value {
    published::<QuirkCheck>(printed::QUIRK_CHECK, "Gauntlet: what quirks violate")
}

/// The schema of what `gauntlet list --format json` prints.
pub fn list() -> Value {
    published::<List>("gauntlet.list/1", "Gauntlet: a list")
}

/// The schema of what `gauntlet explain --format json` prints.
pub fn explain() -> Value {
    published::<Explained>("gauntlet.explain/1", "Gauntlet: what is known of a name")
}

/// The schema of what `gauntlet doctor --format json` prints.
pub fn doctor() -> Value {
    published::<Diagnosis>("gauntlet.doctor/1", "Gauntlet: what a computer has for a run")
}

/// The schema of what `gauntlet budget show --format json` and `budget reset --format json` print.
pub fn budget() -> Value {
    published::<BudgetCommand>("gauntlet.budget/1", "Gauntlet: budgets of peers")
}

/// The schema of what `gauntlet send --json` prints.
pub fn send() -> Value {
    published::<Sent>("gauntlet.send/1", "Gauntlet: what became of a message")
}

/// The schema of `client.json`, which `gauntlet serve --judge` writes.
pub fn client() -> Value {
    published::<Client>("gauntlet.client/1", "Gauntlet: what a receiver saw its client keep and break")
}

/// The files under `reports/schema/`: name and content.
pub fn files() -> [(&'static str, String); 16] {
    [
        ("client-1.json", json::file(&client())),
        ("send-1.json", json::file(&send())),
        ("judge-1.json", json::file(&judge())),
        ("quirk-check-1.json", json::file(&quirk_check())),
        ("list-1.json", json::file(&list())),
        ("explain-1.json", json::file(&explain())),
        ("doctor-1.json", json::file(&doctor())),
        ("budget-1.json", json::file(&budget())),
        ("report-1.json", json::file(&report())),
        ("drift-1.json", json::file(&drift())),
        ("explore-crash-1.json", json::file(&explore_crash())),
        ("explore-faults-1.json", json::file(&explore_faults())),
        ("explore-real-1.json", json::file(&explore_real())),
        ("replay-1.json", json::file(&replay())),
        ("summary-1.json", json::file(&summary())),
        ("results-line-1.json", json::file(&results_line())),
    ]
}

/// A schema with what it is at its head.
pub fn published<T: JsonSchema>(id: &str, title: &str) -> Value {
    let schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    // What the schema is comes first, then what was generated.
    let mut head = Map::new();
    for (key, value) in [("$schema", meta_schemas::DRAFT2020_12), ("$id", id), ("title", title)] {
        head.insert(key.to_owned(), value.into());
    }
    if let Value::Object(generated) = schema.to_value() {
        head.extend(generated.into_iter().filter(|(key, _)| key != "title" && key != "$schema"));
    }
    Value::Object(head)
}
