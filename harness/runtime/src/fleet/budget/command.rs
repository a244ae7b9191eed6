//! `gauntlet budget`, as a program over a host's ports: the command and the cells of both lanes run the same function.

use gauntlet_world::Host;
use gauntlet_world::injection::{Injector, Point};
use serde_json::{Value, json};

use super::{BudgetError, Standing, reset, show};

/// What the command is told.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum BudgetCommand {
    /// Show what is used of each budget, and what is left. Nothing is written. Ends with 4 when no peer has a budget
    Show(BudgetArgs),
    /// Let budgets begin anew; that somebody did is written into the ledger
    Reset(BudgetArgs),
}

/// Of which peers, and how it is printed.
#[derive(Debug, Clone, clap::Args)]
pub struct BudgetArgs {
    /// Only this peer
    pub peer: Option<String>,
    /// How
    #[arg(long, value_enum, default_value = "text")]
    pub format: BudgetFormat,
}

/// How budgets are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum BudgetFormat {
    /// For people
    Text,
    /// An object
    Json,
}

/// Does it, and prints what there is to say. Whether there was a peer with a budget.
pub async fn run(host: &Host, command: &BudgetCommand, injector: &Injector) -> Result<bool, BudgetError> {
    let (does, args) = match command {
        BudgetCommand::Show(args) => ("show", args),
        BudgetCommand::Reset(args) => ("reset", args),
    };
    let standings = show(host, args.peer.as_deref()).await?;
    let is_any = !standings.is_empty();
    let event =
        json!({ "does": does, "standings": standings.iter().map(Standing::to_value).collect::<Vec<_>>() });
    let passed = injector.pass(host, Point::RuntimeBudgetCommand, event.clone()).await.first();
    if does == "reset" && passed.is_some() {
        reset(host, args.peer.as_deref()).await?;
    }
    let passed = passed.unwrap_or(event);
    let standings = passed.get("standings").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = match (does, args.format) {
        ("show", BudgetFormat::Text) => standings.iter().map(table).collect(),
        ("show", BudgetFormat::Json) => format!("{:#}\n", json!({ "budgets": standings })),
        (_, BudgetFormat::Text) => {
            let peers = standings.iter().map(|standing| member(standing, "/peer"));
            peers.map(|peer| format!("{peer}: begins anew\n")).collect()
        }
        (_, BudgetFormat::Json) => {
            let peers: Vec<_> = standings.iter().map(|standing| member(standing, "/peer")).collect();
            format!("{:#}\n", json!({ "reset": peers }))
        }
    };
    // A reader that has seen enough is no reason to fail.
    let _ = host.processes().print(text.as_bytes()).await;
    Ok(is_any)
}

fn member(standing: &Value, pointer: &str) -> String {
    match standing.pointer(pointer) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// One peer, for people.
fn table(standing: &Value) -> String {
    let shown = |pointer: &str| member(standing, pointer);
    let mut text =
        format!("{}  per {}, resets at {}\n", shown("/peer"), shown("/period"), shown("/resets_at"));
    for name in ["turns", "tokens", "cost_usd"] {
        let part = |what: &str| shown(&format!("/{name}/{what}"));
        if part("limit") != "-" {
            text.push_str(&format!(
                "  {name:<9} {} of {} used, {} held, {} turns unknown\n",
                part("used"),
                part("limit"),
                part("held"),
                part("unknown_turns")
            ));
        }
    }
    if let Some(why) = standing.get("refuses").and_then(Value::as_str) {
        text.push_str(&format!("  {why}\n"));
    }
    text
}
