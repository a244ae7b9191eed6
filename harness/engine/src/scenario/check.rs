//! The checks at the end of a scenario: one subject, one comparison, one requirement.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::mistake::Mistake;
use super::{HostSeen, Scenario, known};

/// One check. Exactly one subject and exactly one comparison; `at` narrows the subject down by a JSON pointer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Subject: the result of a named step. `{status, headers, body, answers, elapsed_ms, …}`; of a
    /// request also `surplus`, how many bytes came behind the last answer that was asked for; of a dispatch also `tool`, what its
    /// caller got, and `sent`, what went over the wire: `{method, path, headers, authorization, body}`.
    #[serde(default)]
    pub result: Option<String>,
    /// Subject: the turns of the CLI, as the CLI saw them. A list of `{dispatch, args, prompt, session, cwd, env, stdin_at_end,
    /// started_ms, ended_ms, code, stdout, stderr, messages, thread_lines}`, narrowed to a context unless empty.
    #[serde(default)]
    pub cli_turns: Option<Which>,
    /// Subject: the starts of the CLI that it refused, as the CLI said. A list of `{dispatch, context, args, reason}`. Nothing to look
    /// at when the CLI was never started.
    #[serde(default)]
    pub refusals: Option<Which>,
    /// Subject: how many pairs of turns of the CLI overlapped in time. Nothing to look at when the CLI was not started twice.
    #[serde(default)]
    pub overlaps: Option<Which>,
    /// Subject: what the agents behind the Hermes nodes were asked. A list of `{node, context, session, peer, text}`.
    #[serde(default)]
    pub agent_turns: Option<Which>,
    /// Subject: what the model behind the Hermes node was asked. A list of `{node, messages, max_tokens, temperature}`, each message
    /// with `role` and `content`.
    #[serde(default)]
    pub model_calls: Option<bool>,
    /// Subject: the callbacks, as they came over the wire. A list of `{id, jsonrpc, method, role,
    /// context, text, metadata, path, authorization, status, recorded, at_ms}`.
    #[serde(default)]
    pub callbacks: Option<Which>,
    /// Subject: the replies that the runtime delivered. A list of `{id, context, text, late}`.
    #[serde(default)]
    pub deliveries: Option<Which>,
    /// Subject: the receiver's transcript. A list of records.
    #[serde(default)]
    pub transcript: Option<Which>,
    /// Subject: the receiver's inbox. A list of records.
    #[serde(default)]
    pub inbox: Option<Which>,
    /// Subject: a file of the working directory: `{exists, text, mode, json}`. `~/` stands for the executor's home,
    /// `~hermes/` for the runtime's, and `~log` for the receiver's log.
    #[serde(default)]
    pub file: Option<String>,
    /// Subject: a file of lines of JSON, by a path as that of `file`. A list of records.
    #[serde(default)]
    pub conversation: Option<String>,
    /// Subject: the names of the files below a folder, by their paths below it, in order. The folder is a path as that of `file`. A folder
    /// that is not there has none.
    #[serde(default)]
    pub files: Option<String>,
    /// Subject: what the session host of a team did. A list of `{what, session, title, parent, agent, text, at_ms}`.
    #[serde(default)]
    pub host: Option<HostSeen>,
    /// Subject: the names of processes that the receiver left behind.
    #[serde(default)]
    pub leftovers: Option<bool>,
    /// Where in the subject to look, as a JSON pointer.
    #[serde(default)]
    pub at: Option<String>,
    /// Comparison: it is this.
    #[serde(default, deserialize_with = "given")]
    pub equals: Option<Value>,
    /// Comparison: it is not this.
    #[serde(default, deserialize_with = "given")]
    pub differs: Option<Value>,
    /// Comparison: the text contains this, or the list has this element.
    #[serde(default)]
    pub contains: Option<Value>,
    /// Comparison: the text does not contain this, or the list does not have this element.
    #[serde(default)]
    pub lacks: Option<Value>,
    /// Comparison: the list has so many elements, or the text so many characters.
    #[serde(default)]
    pub count: Option<usize>,
    /// Comparison: the number is at most this.
    #[serde(default)]
    pub at_most: Option<f64>,
    /// Comparison: the number is at least this.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// Comparison: it is there (true) or not (false).
    #[serde(default)]
    pub present: Option<bool>,
    /// Comparison: these members of each element of the list, by JSON pointer, have these values in this order.
    #[serde(default)]
    pub column: Option<Column>,
    /// Only for this executor; for every one when absent.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub executor: Option<Spanned<String>>,
    /// The requirement that the check judges.
    #[schemars(with = "String")]
    pub requirement: Spanned<String>,
}

/// A value that is given, also when it is null.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// One member of every element of a list.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The member, by JSON pointer.
    pub of: String,
    /// Its values, in order.
    pub is: Vec<Value>,
}

/// Which of several things are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Which {
    /// Only those of this context, by its name in the scenario: one that a step names, or a dispatch whose context the
    /// receiver makes up.
    pub context: Option<String>,
    /// Only those of this dispatch. Turns of the CLI and its refusals have one; records and callbacks name a context alone.
    pub dispatch: Option<String>,
}

/// What a check looks at.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// See [`Check::result`].
    Result(&'a str),
    /// See [`Check::cli_turns`].
    CliTurns(&'a Which),
    /// See [`Check::refusals`].
    Refusals(&'a Which),
    /// See [`Check::overlaps`].
    Overlaps(&'a Which),
    /// See [`Check::agent_turns`].
    AgentTurns(&'a Which),
    /// See [`Check::model_calls`].
    ModelCalls,
    /// See [`Check::callbacks`].
    Callbacks(&'a Which),
    /// See [`Check::deliveries`].
    Deliveries(&'a Which),
    /// See [`Check::transcript`].
    Transcript(&'a Which),
    /// See [`Check::inbox`].
    Inbox(&'a Which),
    /// See [`Check::file`].
    File(&'a str),
    /// See [`Check::conversation`].
    Conversation(&'a str),
    /// See [`Check::files`].
    Files(&'a str),
    /// See [`Check::host`].
    Host(&'a HostSeen),
    /// See [`Check::leftovers`].
    Leftovers,
}

impl Subject<'_> {
    /// What it is made of, as far as that is known beforehand; a place in anything else is looked for in vain.
    fn shape(&self, scenario: &Scenario) -> Shape {
        match self {
            Subject::Result(name) => {
                let step = scenario.steps.iter().find(|step| step.name() == Some(name));
                Shape::Object(step.and_then(|step| step.verb()).map_or(&[], |verb| verb.result()))
            }
            Subject::CliTurns(_) => Shape::List(Some(TURN)),
            Subject::Refusals(_) => Shape::List(Some(REFUSAL)),
            Subject::AgentTurns(_) => Shape::List(Some(AGENT_TURN)),
            Subject::ModelCalls => Shape::List(Some(MODEL_CALL)),
            Subject::Callbacks(_) => Shape::List(Some(CALLBACK)),
            Subject::Deliveries(_) => Shape::List(Some(DELIVERY)),
            // A receiver may record more than is asked for.
            Subject::Transcript(_) | Subject::Inbox(_) | Subject::Conversation(_) => Shape::List(None),
            Subject::File(_) => Shape::Object(FILE),
            Subject::Files(_) => Shape::List(Some(&[])),
            Subject::Host(_) => Shape::List(Some(HOST_SEEN)),
            Subject::Leftovers => Shape::List(Some(&[])),
            Subject::Overlaps(_) => Shape::Object(&[]),
        }
    }
}

/// What a subject is made of.
enum Shape {
    /// An object with these members at most.
    Object(&'static [&'static str]),
    /// A list of objects with these members at most, or with any.
    List(Option<&'static [&'static str]>),
}

/// The members of a turn of the CLI.
pub(crate) const TURN: &[&str] = &[
    "dispatch",
    "context",
    "args",
    "prompt",
    "session",
    "cwd",
    "env",
    "stdin_at_end",
    "started_ms",
    "ended_ms",
    "printed_session",
    "thread_lines",
    "messages",
    "stdout",
    "stderr",
    "code",
];
/// The members of a start that the CLI refused.
pub(crate) const REFUSAL: &[&str] = &["dispatch", "context", "args", "reason"];
/// The members of what an agent was asked.
pub(crate) const AGENT_TURN: &[&str] = &["node", "context", "session", "peer", "text"];
/// The members of what a model was asked.
pub(crate) const MODEL_CALL: &[&str] = &["node", "messages", "max_tokens", "temperature"];
/// The members of a callback.
pub(crate) const CALLBACK: &[&str] = &[
    "id",
    "jsonrpc",
    "method",
    "role",
    "context",
    "text",
    "metadata",
    "path",
    "authorization",
    "status",
    "recorded",
    "at_ms",
];
/// The members of a reply that was delivered.
pub(crate) const DELIVERY: &[&str] = &["id", "context", "text", "late"];
/// The members of what a session host did.
pub(crate) const HOST_SEEN: &[&str] = &["what", "session", "title", "parent", "agent", "text", "at_ms"];
/// The members of a file.
pub(crate) const FILE: &[&str] = &["exists", "text", "json", "mode"];

impl Shape {
    /// What is wrong with a place in it, if anything is.
    fn wrong(&self, pointer: &str) -> Option<(String, Option<String>)> {
        if pointer.is_empty() {
            return None;
        }
        let Some(steps) = pointer.strip_prefix('/') else {
            let help = format!("did you mean {:?}?", format!("/{pointer}"));
            return Some((
                format!("expected a JSON pointer, which begins with `/`; found {pointer:?}"),
                Some(help),
            ));
        };
        let mut steps = steps.split('/');
        let members = match self {
            Shape::Object(members) => Some(*members),
            Shape::List(members) => {
                let number = steps.next().unwrap_or_default();
                if number.parse::<usize>().is_err() {
                    let message =
                        format!("expected the number of an element, counted from 0; found {number:?}");
                    return Some((message, Some("this subject is a list: begin with /0".to_owned())));
                }
                *members
            }
        };
        member(members?, steps.next()?)
    }

    /// What is wrong with a place in each element of a list that is at `at`, if anything is.
    fn wrong_in_element(&self, at: &str, of: &str) -> Option<(String, Option<String>)> {
        match self {
            Shape::List(Some(members)) if at.is_empty() => Shape::Object(members).wrong(of),
            _ => None,
        }
    }
}

fn member(members: &[&'static str], found: &str) -> Option<(String, Option<String>)> {
    (!members.contains(&found)).then(|| match members {
        [] => (format!("expected no place: there is nothing in this subject; found {found:?}"), None),
        _ => known::unknown(&format!("one of {}", members.join(", ")), found, members.iter().copied()),
    })
}

/// The first check of a scenario that looks where nothing ever is, if one does.
pub(super) fn mistake(scenario: &Scenario) -> Option<Mistake> {
    scenario.then.iter().enumerate().find_map(|(number, check)| {
        for (name, given) in [("leftovers", check.leftovers), ("model_calls", check.model_calls)] {
            if given == Some(false) {
                let message = "expected true; found false, which looks at nothing";
                return Some(Mistake::at(&["then", &number.to_string(), name], message));
            }
        }
        let (number, shape) = (number.to_string(), check.subject()?.shape(scenario));
        let at = check.at.as_deref().unwrap_or_default();
        if let Some((message, help)) = shape.wrong(at) {
            return Some(Mistake::at(&["then", &number, "at"], message).help(help));
        }
        let (message, help) = shape.wrong_in_element(at, &check.column.as_ref()?.of)?;
        Some(Mistake::at(&["then", &number, "column", "of"], message).help(help))
    })
}

/// How a check compares.
#[derive(Debug, Clone, Copy)]
pub enum Comparison<'a> {
    /// See [`Check::equals`].
    Equals(&'a Value),
    /// See [`Check::differs`].
    Differs(&'a Value),
    /// See [`Check::contains`].
    Contains(&'a Value),
    /// See [`Check::lacks`].
    Lacks(&'a Value),
    /// See [`Check::count`].
    Count(usize),
    /// See [`Check::at_most`].
    AtMost(f64),
    /// See [`Check::at_least`].
    AtLeast(f64),
    /// See [`Check::present`].
    Present(bool),
    /// See [`Check::column`].
    Column(&'a Column),
}

impl Check {
    pub(super) fn subjects(&self) -> Vec<Subject<'_>> {
        [
            self.result.as_deref().map(Subject::Result),
            self.cli_turns.as_ref().map(Subject::CliTurns),
            self.refusals.as_ref().map(Subject::Refusals),
            self.overlaps.as_ref().map(Subject::Overlaps),
            self.agent_turns.as_ref().map(Subject::AgentTurns),
            self.model_calls.map(|_| Subject::ModelCalls),
            self.callbacks.as_ref().map(Subject::Callbacks),
            self.deliveries.as_ref().map(Subject::Deliveries),
            self.transcript.as_ref().map(Subject::Transcript),
            self.inbox.as_ref().map(Subject::Inbox),
            self.file.as_deref().map(Subject::File),
            self.conversation.as_deref().map(Subject::Conversation),
            self.files.as_deref().map(Subject::Files),
            self.host.as_ref().map(Subject::Host),
            self.leftovers.map(|_| Subject::Leftovers),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    pub(super) fn comparisons(&self) -> Vec<Comparison<'_>> {
        [
            self.equals.as_ref().map(Comparison::Equals),
            self.differs.as_ref().map(Comparison::Differs),
            self.contains.as_ref().map(Comparison::Contains),
            self.lacks.as_ref().map(Comparison::Lacks),
            self.count.map(Comparison::Count),
            self.at_most.map(Comparison::AtMost),
            self.at_least.map(Comparison::AtLeast),
            self.present.map(Comparison::Present),
            self.column.as_ref().map(Comparison::Column),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// What the check looks at. Scenarios are only made of files whose checks have exactly one subject.
    pub fn subject(&self) -> Option<Subject<'_>> {
        self.subjects().into_iter().next()
    }

    /// Whether it holds when a subject did nothing at all, also one that was not there to do anything.
    pub(crate) fn holds_of_nothing(&self) -> bool {
        let of_list = match self.subject() {
            Some(
                Subject::CliTurns(_)
                | Subject::Callbacks(_)
                | Subject::Deliveries(_)
                | Subject::Transcript(_)
                | Subject::Inbox(_),
            ) => {
                let whole = self.at.as_deref().unwrap_or_default().is_empty();
                whole || matches!(self.comparison(), Some(Comparison::Present(false)))
            }
            _ => false,
        };
        of_list
            && match self.comparison() {
                Some(Comparison::Count(0) | Comparison::Lacks(_) | Comparison::Present(false)) => true,
                Some(Comparison::Equals(value)) => value.as_array().is_some_and(Vec::is_empty),
                Some(Comparison::Differs(value)) => value.as_array().is_none_or(|items| !items.is_empty()),
                Some(Comparison::Column(column)) => column.is.is_empty(),
                _ => false,
            }
    }

    /// How it compares. Scenarios are only made of files whose checks have exactly one comparison.
    pub fn comparison(&self) -> Option<Comparison<'_>> {
        self.comparisons().into_iter().next()
    }
}
