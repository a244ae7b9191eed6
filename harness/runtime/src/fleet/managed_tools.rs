//! The tools that look after receivers, three for each kind (fleet sheet 5.4), and the one that revives all of them.

use std::future::Future;
use std::rc::Rc;

use gauntlet_protocol::fleet::workdir::{ReceiverOptions, Sandbox};
use gauntlet_protocol::fleet::{MODES, Managed, Sandboxes, Setting};
use serde_json::{Value, json};

use super::Fleet;
use super::managed::{ManagedError, Order};
use super::tools::TOOLSET;
use crate::registry::{Schema, Tool};

/// The name of the tool that revives.
const RECONCILE: &str = "fleet_reconcile";

/// The names of all tools of this file.
pub fn names() -> Vec<&'static str> {
    let each = MODES.iter().map(|mode| mode.managed.tools);
    let each = each.flat_map(|tools| [tools.deploy, tools.status, tools.stop]);
    each.chain([RECONCILE]).collect()
}

/// The tools of a fleet for every kind of receiver.
pub(super) fn all(fleet: &Rc<Fleet>) -> Vec<Tool> {
    let kinds = MODES.iter().map(|mode| &mode.managed);
    let mut tools: Vec<Tool> =
        kinds.flat_map(|kind| [deploy(fleet, kind), status(fleet, kind), stop(fleet, kind)]).collect();
    tools.push(tool(
        fleet,
        RECONCILE,
        "Looks after all managed receivers: leaves alone what is well, and starts again what is down.",
        Schema::new(|| json!({ "type": "object", "properties": {}, "required": [] })),
        |fleet, _| async move { fleet.reconcile().await },
    ));
    tools
}

fn tool<R: Future<Output = Value> + 'static>(
    fleet: &Rc<Fleet>,
    name: &'static str,
    description: &'static str,
    arguments: Schema,
    body: impl Fn(Rc<Fleet>, Value) -> R + 'static,
) -> Tool {
    let fleet = fleet.clone();
    Tool {
        name,
        toolset: TOOLSET,
        description,
        arguments,
        result: Schema::new(|| json!({ "type": "object" })),
        handler: Rc::new(move |_, arguments| Box::pin(body(fleet.clone(), arguments))),
    }
}

fn deploy(fleet: &Rc<Fleet>, kind: &'static Managed) -> Tool {
    let description = "Puts a receiver into a repository, starts it, and enters it as a peer. Doing it again replaces the receiver.";
    let schema = Schema::new(move || of_repo(deploy_arguments(kind)));
    tool(fleet, kind.tools.deploy, description, schema, move |fleet, arguments| async move {
        let outcome = async {
            let receiver = fleet.receiver_at(kind, &repo_path(&arguments)).await?;
            let order = merged(order(&arguments)?, &arguments, fleet.earlier_options(&receiver).await);
            fleet.deploy(&receiver, &order).await
        };
        outcome.await.unwrap_or_else(|error| error.to_value())
    })
}

/// What can be said of a deploy beside the repository.
fn deploy_arguments(kind: &Managed) -> Value {
    let mut further = json!({
        "bind_port": { "type": "integer", "description": "The port; chosen from the band of its kind if absent." },
        "hermes_auth_token_env": { "type": "string", "description": "The variable with the bearer for its replies." },
        "no_auth": { "type": "boolean", "description": "Without a bearer of its own; nobody looks after it then." },
    });
    for setting in kind.settings {
        match setting {
            Setting::Model => {
                further["model"] = json!({ "type": "string", "description": "The model that it passes on." });
            }
            Setting::Sandbox(Sandboxes::Named { .. }) => {
                further["sandbox"] =
                    json!({ "type": "string", "description": "The sandbox of a first turn." });
            }
            Setting::Sandbox(Sandboxes::OnOrOff) => {
                further["sandbox"] =
                    json!({ "type": "boolean", "description": "Whether turns run in a sandbox." });
            }
            Setting::RolePrompt
            | Setting::Poll
            | Setting::Cap
            | Setting::LockWait
            | Setting::TrackedContexts
            | Setting::ExtraFlags => {}
        }
    }
    further
}

fn status(fleet: &Rc<Fleet>, kind: &'static Managed) -> Tool {
    let description = "Tells whether the receiver of a repository runs and is well.";
    tool(
        fleet,
        kind.tools.status,
        description,
        Schema::new(|| of_repo(json!({}))),
        move |fleet, arguments| async move {
            match fleet.receiver_at(kind, &repo_path(&arguments)).await {
                Ok(receiver) => fleet.status(&receiver).await,
                Err(error) => error.to_value(),
            }
        },
    )
}

fn stop(fleet: &Rc<Fleet>, kind: &'static Managed) -> Tool {
    let description = "Ends the receiver of a repository.";
    tool(
        fleet,
        kind.tools.stop,
        description,
        Schema::new(|| of_repo(json!({}))),
        move |fleet, arguments| async move {
            let outcome = async {
                let receiver = fleet.receiver_at(kind, &repo_path(&arguments)).await?;
                fleet.stop(&receiver).await
            };
            outcome.await.unwrap_or_else(|error| error.to_value())
        },
    )
}

fn of_repo(further: Value) -> Value {
    let mut properties = json!({
        // Some callers wrap it once more, as an object with the same member.
        "repo_path": { "type": ["string", "object"], "description": "The repository's folder." },
    });
    if let (Value::Object(properties), Value::Object(further)) = (&mut properties, further) {
        properties.extend(further);
    }
    json!({ "type": "object", "properties": properties, "required": ["repo_path"] })
}

/// The repository, as a text or wrapped in an object.
fn repo_path(arguments: &Value) -> String {
    let given = arguments.get("repo_path").unwrap_or(&Value::Null);
    let wrapped = || given.get("repo_path").or_else(|| given.get("path")).and_then(Value::as_str);
    given.as_str().or_else(wrapped).unwrap_or_default().to_owned()
}

/// An order with what it does not speak of as the deploy before was told. Whoever wants none of it any more says so by an empty text.
/// That a receiver asks for a bearer is never forgotten so: `no_auth` is said each time.
fn merged(mut order: Order, arguments: &Value, earlier: ReceiverOptions) -> Order {
    let is_unsaid = |name: &str| arguments.get(name).is_none_or(Value::is_null);
    let asked = order.options.clone();
    if is_unsaid("model") {
        order.options.model = earlier.model;
    }
    if is_unsaid("sandbox") {
        order.options.sandbox = earlier.sandbox;
    }
    if is_unsaid("hermes_auth_token_env") {
        order.options.hermes_auth_token_env = earlier.hermes_auth_token_env;
    }
    order.again = order.options != asked;
    order
}

fn order(arguments: &Value) -> Result<Order, ManagedError> {
    let text = |name: &str| {
        let text = arguments.get(name).and_then(Value::as_str).map(str::trim);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let port = match arguments.get("bind_port").filter(|port| !port.is_null()) {
        None => None,
        Some(port) => {
            let number = port.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0);
            Some(number.ok_or_else(|| ManagedError::Port(port.to_string()))?)
        }
    };
    let sandbox = match arguments.get("sandbox") {
        Some(Value::String(name)) => Some(Sandbox::Named(name.clone())),
        Some(Value::Bool(on)) => Some(Sandbox::On(*on)),
        _ => None,
    };
    Ok(Order {
        port,
        again: false,
        no_auth: arguments.get("no_auth").and_then(Value::as_bool).unwrap_or_default(),
        options: ReceiverOptions {
            model: text("model"),
            sandbox,
            hermes_auth_token_env: text("hermes_auth_token_env"),
            // Not for whoever orders it to say: replies are for the profile that deploys.
            hermes_profile: None,
        },
    })
}
