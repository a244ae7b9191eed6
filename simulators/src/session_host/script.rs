//! What a host and its members do, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use gauntlet_world::injection::Millis;

/// A session host in a scenario. What is not said is as a sound host does it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HostScript {
    /// The agents that it knows.
    pub agents: Vec<String>,
    /// The password that it wants; anybody may ask when there is none.
    pub password: Option<String>,
    /// How often it gives a sign of life to those who watch it.
    pub heartbeat: Millis,
    /// How long it takes until a prompt that was acknowledged is in the history and the session is busy.
    pub uptake: Millis,
    /// How long a turn runs until its model is asked.
    pub prepares: Millis,
    /// The members. The first that fits a session plays in it.
    pub members: Vec<MemberScript>,
    /// How prompts are answered, in order of their arrival; later ones as by a sound host.
    pub prompts: Vec<PromptAnswer>,
    /// What becomes of single events on their way to those who watch.
    pub events: Vec<Disturbance>,
}

impl Default for HostScript {
    fn default() -> Self {
        Self {
            agents: AGENTS.map(str::to_owned).to_vec(),
            password: None,
            heartbeat: Millis(10_000),
            uptake: Millis(5),
            prepares: Millis(5),
            members: Vec::new(),
            prompts: Vec::new(),
            events: Vec::new(),
        }
    }
}

/// The agents of a host without a configuration (recording, 1.18.33), in the order in which it names them.
const AGENTS: [&str; 4] = ["build", "explore", "general", "plan"];

/// Who plays in sessions that fit, turn by turn.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MemberScript {
    /// Its sessions' title has this in it; any when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its sessions were made for this agent; any when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Its turns in one session, in order. Later ones are as by a sound member.
    pub turns: Vec<MemberTurn>,
}

/// One turn of a member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MemberTurn {
    /// How long its model thinks.
    pub after: Millis,
    /// What it says.
    pub reply: String,
    /// How it ends.
    pub ends: Ends,
    /// How often its model is overloaded before, each time with a longer pause, beginning with two seconds.
    pub retries: u32,
    /// An error is told in the middle of it, and it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stumbles: Option<String>,
    /// The end is told at its beginning, too, while it runs.
    pub idle_early: bool,
    /// The end is told so much later than it comes.
    pub idle_late: Millis,
    /// How often the end is told.
    pub idles: u32,
    /// The prompt never reaches the history, although it was acknowledged; no turn follows.
    pub unheard: bool,
}

impl Default for MemberTurn {
    fn default() -> Self {
        Self {
            after: Millis(50),
            reply: "done".to_owned(),
            ends: Ends::Answers,
            retries: 0,
            stumbles: None,
            idle_early: false,
            idle_late: Millis(0),
            idles: 1,
            unheard: false,
        }
    }
}

/// How a turn ends.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Ends {
    /// With its reply.
    #[default]
    Answers,
    /// Never: the session stays busy until it is aborted.
    StaysSilent,
    /// The session is gone, and the host tells it.
    Dies,
    /// The session is gone, and the host tells nobody.
    Vanishes,
    /// The model refuses with this text; the session lives on.
    Fails(String),
}

/// How the host answers a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum PromptAnswer {
    /// As a sound one.
    Take,
    /// With this status, and it forgets the prompt.
    Refuse(u16),
    /// With the end of the connection, and it forgets the prompt.
    Drop,
    /// With the end of the connection, after it took the prompt.
    TakeAndDrop,
    /// Never, and it forgets the prompt.
    Stall,
    /// Never, after it took the prompt.
    TakeAndStall,
    /// Only so much later.
    Late(Millis),
}

/// What becomes of an event on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disturbance {
    /// Its type, for instance `session.idle`.
    pub of: String,
    /// Which of that type, counted from 1; each when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
    /// What becomes of it.
    pub does: Disturbs,
}

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Disturbs {
    /// Nobody is told.
    Loses,
    /// It is told again, with its id, so much later.
    Repeats(Millis),
    /// It is told behind the next one.
    Swaps,
    /// It is told so much later, and others before it.
    Delays(Millis),
    /// The streams end instead.
    CutsBefore,
    /// The streams end behind it.
    CutsAfter,
    /// The streams end in the middle of it.
    CutsWithin,
}
