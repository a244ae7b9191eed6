//! What commands print as JSON that has no model of its own elsewhere: `judge`, `quirk check`; and the shapes of what others make by
//! hand (`list`, `explain`, `doctor`, `budget`, `send`), of which only the schemas are used.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::provenance::Tool;
use crate::replay::Judged;
use crate::verdict::Verdict;

/// The value of [`JudgedAgain::schema`].
pub const JUDGE: &str = "gauntlet.judge/1";
/// The value of [`QuirkCheck::schema`].
pub const QUIRK_CHECK: &str = "gauntlet.quirk_check/1";

/// A saved trace, judged by today's oracles, as `gauntlet judge --format json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JudgedAgain {
    /// The name and version of this format, `gauntlet.judge/1`.
    #[schemars(extend("const" = JUDGE))]
    pub schema: String,
    /// The cell's id.
    pub cell: String,
    /// Why the harness or its environment had failed, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What saved the trace.
    pub saved_by: Tool,
    /// Whether the data that it was judged by then is today's.
    pub same_data: bool,
    /// Today's verdicts, by id.
    pub requirements: Vec<Judged>,
    /// The requirements whose verdict is another one than it was.
    pub changed: Vec<Changed>,
    /// The requirements that were not judged again, since they look for what was redacted.
    pub left: Vec<String>,
}

/// A verdict that is another one than it was. Nothing: it was not judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// The id.
    pub id: String,
    /// What was found then.
    pub then: Option<Verdict>,
    /// What is found today.
    pub now: Option<Verdict>,
}

/// Whether `violates` of quirks is exact, as `gauntlet quirk check --format json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuirkCheck {
    /// The name and version of this format, `gauntlet.quirk_check/1`.
    #[schemars(extend("const" = QUIRK_CHECK))]
    pub schema: String,
    /// How many are exact.
    pub exact: usize,
    /// How many files were mended.
    pub mended: usize,
    /// Each quirk, by id.
    pub quirks: Vec<CheckedQuirk>,
}

/// One quirk that was checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckedQuirk {
    /// The id.
    pub id: String,
    /// Where it is written.
    pub place: String,
    /// The role that it breaks.
    pub role: String,
    /// How many cells it had something to bite on. None: it says nothing.
    pub cells: usize,
    /// Whether `violates` is what fails.
    pub exact: bool,
    /// What `violates` should be.
    pub violates: Vec<String>,
    /// What it names and what fails in none of its cells.
    pub missed: Vec<MissedRow>,
    /// What fails and is not named.
    pub unnamed: Vec<FailedRow>,
    /// What of other roles fails, which is a defect of theirs.
    pub hurt: Vec<FailedRow>,
    /// What came out over real processes, if it was looked there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub real: Option<OverProcessesRow>,
    /// How its file is mended, as a patch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    /// Whether the file was written.
    pub written: bool,
}

/// What a quirk does over real processes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverProcessesRow {
    /// The cells that were run there.
    pub cells: Vec<RealCellRow>,
    /// What the quirk names and none of them could show.
    pub left_out: Vec<MissedRow>,
}

/// A cell in both lanes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RealCellRow {
    /// The id, in the real lane.
    pub id: String,
    /// What failed in both lanes, of what the quirk names.
    pub agreed: Vec<String>,
    /// What failed in virtual time alone.
    pub not_here: Vec<MissedRow>,
    /// What failed over real processes alone.
    pub only_here: Vec<FailedRow>,
}

/// A requirement that is named and does not fail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MissedRow {
    /// The id.
    pub requirement: String,
    /// Why.
    pub because: String,
}

/// A requirement that fails without being named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailedRow {
    /// The id.
    pub requirement: String,
    /// In how many cells.
    pub cells: usize,
    /// The first of them.
    pub cell: String,
    /// What was expected there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What came instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<String>,
}

/// What `gauntlet list --format json` prints: rows, each with the same names of columns.
pub(crate) type List = Vec<BTreeMap<String, String>>;

/// What `gauntlet explain --format json` prints: the things of that name.
pub(crate) type Explained = Vec<Thing>;

/// One thing that is explained. Its facts are beside these members, each a text or a list of texts.
#[derive(Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = { "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] }))]
pub(crate) struct Thing {
    /// What it is, for instance `requirement`.
    kind: String,
    /// Its name.
    id: String,
    /// The file that it is written in.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// The line in it, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
}

/// What `gauntlet serve --judge` writes as `client.json`: what a receiver saw its client keep and break.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Client {
    /// What this is: `gauntlet.client/1`.
    #[schemars(extend("const" = "gauntlet.client/1"))]
    schema: String,
    /// With `--scenario`: the story whose requirements alone are judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<String>,
    /// The requirements of clients that something was seen of, by their ids.
    requirements: Vec<ClientRow>,
    /// 0 all kept, 1 something broken, 4 nothing was seen.
    exit_code: u8,
}

/// One requirement of clients.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ClientRow {
    /// Its id.
    id: String,
    /// Its level, where the catalogue has it.
    level: Option<crate::verdict::Level>,
    /// What it promises.
    statement: Option<String>,
    /// `pass` or `fail`.
    #[schemars(extend("enum" = ["pass", "fail"]))]
    verdict: String,
    /// How often it was seen kept.
    kept: u32,
    /// How often it was seen broken.
    broken: u32,
    /// What was wrong, of the first times.
    findings: Vec<String>,
}

/// What `gauntlet doctor --format json` prints.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Diagnosis {
    /// How the command ends.
    exit_code: u8,
    /// What was looked at, in order.
    findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Finding {
    /// What was looked at.
    what: String,
    /// How it stands with it.
    state: State,
    /// What was found.
    found: String,
    /// What to do about it.
    to_do: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only the names are used, by the schema")]
enum State {
    Fine,
    Note,
    Missing,
    Wrong,
    Broken,
}

/// What `gauntlet budget show|reset --format json` prints.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only the names are used, by the schema")]
pub(crate) enum BudgetCommand {
    /// How each peer stands.
    Budgets(Vec<Budget>),
    /// The peers whose budget begins anew.
    Reset(Vec<String>),
}

/// How a peer stands.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budget {
    peer: String,
    /// `day`, `week`, `month` or `never`.
    period: String,
    /// When the period began, in UTC.
    from: Option<String>,
    /// When the next one begins, in UTC.
    resets_at: Option<String>,
    /// What is done about turns that do not tell what they used.
    unknown: String,
    turns: Turns,
    tokens: Part,
    /// In US dollars.
    cost_usd: Part,
    /// Why the next dispatch would be refused, if so.
    refuses: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Turns {
    used: u64,
    limit: Option<u64>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Part {
    used: f64,
    /// By turns under way.
    held: f64,
    /// Turns of which nobody knows it.
    unknown_turns: u64,
    limit: Option<f64>,
}

/// What `gauntlet send --json` prints: what the tool tells that a model would call.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only the shape is used, by the schema")]
pub(crate) enum Sent {
    /// There is an answer.
    Answered(Answered),
    /// There is none.
    Failed(Failed),
}

/// An answer.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Answered {
    /// The answer; without `--wait`, or when nobody waits any more, that the message was taken.
    reply: String,
    /// The context of the message.
    context_id: String,
    /// With `--wait`: whether it is the reply itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    waited: Option<bool>,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// No answer.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Failed {
    /// What went wrong.
    error: String,
    /// Its class, which stays the same.
    class: String,
    /// Whether the message can be sent again without being done twice.
    retry_safe: bool,
}
