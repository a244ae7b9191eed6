//! `gauntlet budget`.

use std::io::Write;

use gauntlet_engine::budget::{self, BudgetError, Standing};
use gauntlet_engine::exit::ExitCode;
use gauntlet_world::Host;
use miette::{IntoDiagnostic, miette};
use serde_json::json;

use crate::Outcome;
use crate::args::{BudgetCommand, BudgetFormat};

pub(crate) fn run(command: &BudgetCommand) -> Outcome {
    match command {
        BudgetCommand::Show(args) => {
            let standings = live(async |host| budget::show(&host, args.peer.as_deref()).await)?;
            let text = match args.format {
                BudgetFormat::Text => standings.iter().map(table).collect(),
                BudgetFormat::Json => {
                    let all: Vec<_> = standings.iter().map(Standing::to_value).collect();
                    format!("{:#}\n", json!({ "budgets": all }))
                }
            };
            Ok(said(&text, standings.is_empty()))
        }
        BudgetCommand::Reset(args) => {
            let peers = live(async |host| budget::reset(&host, args.peer.as_deref()).await)?;
            let text = match args.format {
                BudgetFormat::Text => peers.iter().map(|peer| format!("{peer}: begins anew\n")).collect(),
                BudgetFormat::Json => format!("{:#}\n", json!({ "reset": peers })),
            };
            Ok(said(&text, peers.is_empty()))
        }
    }
}

/// Does something as a process of this computer.
fn live<T>(what: impl AsyncFnOnce(Host) -> Result<T, BudgetError>) -> Result<T, (miette::Report, ExitCode)> {
    let host = crate::process::host("gauntlet", Vec::new())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.into_diagnostic().map_err(|error| (error, ExitCode::Broken))?;
    tokio::task::LocalSet::new().block_on(&runtime, what(host)).map_err(failed)
}

fn said(text: &str, nothing: bool) -> u8 {
    // A reader that has seen enough is no reason to fail.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    let code = if nothing { ExitCode::NothingSelected } else { ExitCode::Pass };
    code.code()
}

/// One peer, for people.
fn table(standing: &Standing) -> String {
    let value = standing.to_value();
    let shown = |pointer: &str| match value.pointer(pointer) {
        None | Some(serde_json::Value::Null) => "-".to_owned(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let mut text =
        format!("{}  per {}, resets at {}\n", shown("/peer"), shown("/period"), shown("/resets_at"));
    for name in ["turns", "tokens", "cost_usd"] {
        if shown(&format!("/{name}/limit")) != "-" {
            let part = |what: &str| shown(&format!("/{name}/{what}"));
            text.push_str(&format!(
                "  {name:<9} {} of {} used, {} held, {} turns unknown\n",
                part("used"),
                part("limit"),
                part("held"),
                part("unknown_turns")
            ));
        }
    }
    if let Some(why) = standing.refusal() {
        text.push_str(&format!("  {why}\n"));
    }
    text
}

/// What is wrong in a file or in what was asked for is its writer's affair; the rest is the machine's.
fn failed(error: BudgetError) -> (miette::Report, ExitCode) {
    let code = match &error {
        BudgetError::Broken { .. } | BudgetError::NoBudget { .. } | BudgetError::Config(_) => ExitCode::Usage,
        BudgetError::Lost { .. } | BudgetError::Unusable { .. } | BudgetError::Held { .. } => {
            ExitCode::Broken
        }
    };
    (miette!("{error}"), code)
}
