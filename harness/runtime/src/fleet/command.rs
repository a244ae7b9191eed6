//! The fleet's client as a command: one message from a shell (fleet sheet 5.3), sent by the same tools that a model calls.
//!
//! It is a program over a host's ports like every other one, so that the `gauntlet` command and the cells of both lanes run the
//! same function.

use gauntlet_world::Host;
use gauntlet_world::injection::{Injector, Point};
use serde_json::{Map, Value, json};

use super::budget::command::BudgetCommand;
use super::tools::{SEND, SEND_AND_WAIT, TOOLSET};
use super::{Class, budget};
use crate::registry::{CallError, Caller};
use crate::runtime::{Runtime, StartError};

/// What the command is told.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct SendArgs {
    /// The agent's name in fleet.yaml
    pub agent: String,
    /// The message; its words are joined by one space, also those that look like options
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<String>,
    /// Go on with this conversation; a new one if absent
    #[arg(long, value_name = "ID")]
    pub context: Option<String>,
    /// Wait for the final reply of a receiver on this machine, where only an acknowledgement would be printed
    #[arg(long)]
    pub wait: bool,
    /// How long to wait, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 280.0, requires = "wait")]
    pub max_wait: f64,
    /// Print the whole result as a line of JSON; that of a failure has its class and whether sending again is safe
    #[arg(long)]
    pub json: bool,
}

/// The command line of a program that can do nothing else.
#[derive(Debug, clap::Parser)]
#[command(name = "gauntlet")]
enum Program {
    /// Send a message to an agent of the fleet
    Send(SendArgs),
    /// What peers with a budget have used
    #[command(subcommand)]
    Budget(BudgetCommand),
}

/// How [`program`] ends when its message was not answered.
const UNANSWERED: i32 = 1;
/// How [`program`] ends when its arguments, or files that people write, make no sense.
const USAGE: i32 = 2;
/// How [`program`] ends when the machine is in its way.
const BROKEN: i32 = 3;
/// How [`program`] ends when no peer has a budget.
const NOTHING_SELECTED: i32 = 4;

/// The command as a process of a host, by its arguments: the exit code. Quirks bite at what it does with its result; on the way there
/// those of a running runtime do.
pub async fn program(host: Host, injector: Injector) -> i32 {
    let words = ["gauntlet".to_owned()].into_iter().chain(host.args().iter().cloned());
    match <Program as clap::Parser>::try_parse_from(words) {
        Ok(Program::Send(args)) => {
            if send(&host, &args, &injector).await {
                0
            } else {
                UNANSWERED
            }
        }
        Ok(Program::Budget(command)) => match budget::command::run(&host, &command, &injector).await {
            Ok(true) => 0,
            Ok(false) => NOTHING_SELECTED,
            Err(error) => {
                let _ = host.processes().print_error(format!("error: {error}\n").as_bytes()).await;
                if error.is_of_its_user() { USAGE } else { BROKEN }
            }
        },
        Err(error) => {
            let text = error.render().to_string();
            // Help comes this way too, and is no mistake.
            if error.use_stderr() {
                let event = json!({ "printed": null, "error": text, "answered": false });
                let event =
                    injector.pass(&host, Point::RuntimeCommand, event).await.first().unwrap_or_default();
                let text = event["error"].as_str().unwrap_or_default();
                let _ = host.processes().print_error(text.as_bytes()).await;
                if event["answered"] == true { 0 } else { USAGE }
            } else {
                let _ = host.processes().print(text.as_bytes()).await;
                0
            }
        }
    }
}

/// Sends, and prints the answer, or on standard error why there is none. Whether there is one.
pub async fn send(host: &Host, args: &SendArgs, injector: &Injector) -> bool {
    let result = result(host, args).await;
    let error = error_in(&result);
    let reply = result.get("reply").and_then(Value::as_str).unwrap_or_default();
    let printed = match (args.json, &error) {
        (true, _) => Some(result.to_string()),
        (false, None) => Some(reply.to_owned()),
        (false, Some(_)) => None,
    };
    let event = json!({ "printed": printed, "error": error, "answered": error.is_none() });
    let event = injector.pass(host, Point::RuntimeCommand, event).await.first().unwrap_or_default();
    // What nobody reads was sent all the same.
    if let Some(text) = event["printed"].as_str() {
        let _ = host.processes().print(format!("{text}\n").as_bytes()).await;
    }
    if let Some(error) = event["error"].as_str() {
        let _ = host.processes().print_error(format!("error: {error}\n").as_bytes()).await;
    }
    event["answered"] == true
}

/// Why a result holds no answer, if it holds none.
fn error_in(result: &Value) -> Option<String> {
    let text = |name: &str| result.get(name).and_then(Value::as_str);
    // Whoever asked to wait, and did not come to see the reply, got an acknowledgement alone.
    let unseen = || text("reason").map(|reason| format!("the message was taken, but {reason}"));
    text("error").map(str::to_owned).or_else(unseen)
}

/// The result of the tool that a model would call.
async fn result(host: &Host, args: &SendArgs) -> Value {
    let runtime = match Runtime::visit(host.clone()).await {
        Ok(runtime) => runtime,
        Err(error) => return unsent(&wording(&error)),
    };
    let mut arguments = Map::new();
    arguments.insert("agent".to_owned(), json!(args.agent));
    arguments.insert("message".to_owned(), json!(args.words.join(" ")));
    arguments.extend(args.context.as_ref().map(|context| ("context_id".to_owned(), json!(context))));
    let tool = if args.wait { SEND_AND_WAIT } else { SEND };
    if args.wait {
        arguments.insert("max_wait_s".to_owned(), json!(args.max_wait));
    }
    match runtime.call(&Caller::with([TOOLSET]), tool, Value::Object(arguments)).await {
        Ok(result) => result,
        Err(CallError::NoSuchTool(_)) => unsent("the fleet is switched off in fleet.yaml"),
        Err(error) => unsent(&error.to_string()),
    }
}

fn wording(error: &StartError) -> String {
    match error {
        StartError::Files(error) => format!("the profile's files cannot be used: {error}"),
        other => other.to_string(),
    }
}

fn unsent(error: &str) -> Value {
    json!({ "error": error, "class": Class::NotSent.name(), "retry_safe": Class::NotSent.retry_is_safe() })
}
