//! Making sense of what authors write, who are mostly models (team sheet 3.3).

use serde_json::{Map, Value, json};

use super::{Draft, Drafted, SpecError, agents};
use crate::team::names::stem;

/// Who wrote a specification, and what it means to them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Author {
    /// The agent of the session that creates the team, where it is known.
    pub(crate) caller: Option<String>,
    /// The category of members that say nothing of what they are; only in a specification that comes with the call.
    pub(crate) default_category: Option<String>,
    /// How many members there may be.
    pub(crate) max_members: usize,
}

/// Words for a member that say nothing of what it is.
const GENERIC: [&str; 4] = ["agent", "member", "worker", "analyst"];
/// What authors add, and nobody keeps.
const DROPPED: [&str; 9] = [
    "capabilities",
    "description",
    "loadSkills",
    "load_skills",
    "permission",
    "responsibilities",
    "role",
    "systemPrompt",
    "system_prompt",
];
/// The most members of any team.
pub(super) const MOST: usize = 8;

pub(super) fn spec(written: &Map<String, Value>, author: &Author) -> Result<Drafted, SpecError> {
    let mut fields = without_empty(written);
    if let Some(name) = fields.get_mut("name")
        && let Some(text) = name.as_str()
    {
        *name = json!(stem(text));
    }
    let mut members = listed(&mut fields)?;
    let mut lead = fields.get("leadAgentId").and_then(Value::as_str).map(str::to_owned);
    if let Some(own) = own_lead(&mut fields)? {
        // A lead that silently lost to a member of its name was a defect (TEAM-SPEC-10).
        if let Some(same) =
            members.iter().find(|member| member.text("name").map(stem) == own.text("name").map(stem))
        {
            let message = format!(
                "lead and {} have the same name '{}'; name one of them otherwise",
                same.path,
                own.name()
            );
            return Err(SpecError::new("DUPLICATE_MEMBER_NAME", "lead.name", message).of(own.name()));
        }
        lead.get_or_insert_with(|| stem(own.name()));
        members.insert(0, own);
    }
    let is_lead = |member: &Draft| member.fields.get("isLead") == Some(&json!(true));
    let marked = members.iter().position(is_lead);
    if lead.is_none() && marked.is_none() {
        lead = lead_of_caller(&mut members, author)?;
    }
    let marked = marked.filter(|_| lead.is_none());
    for member in &mut members {
        if !matches!(member.fields.get("isLead"), Some(Value::Bool(_)) | None) {
            return Err(SpecError::invalid(member.place("isLead"), "expected true or false"));
        }
        member.fields.shift_remove("isLead");
        finish(member, author);
    }
    name_all(&mut members);
    if let Some(member) = marked.and_then(|place| members.get(place)) {
        lead = Some(member.name().to_owned());
    }
    // The first member leads where nobody else can be it.
    if lead.as_deref() == Some("") {
        lead = members.first().map(|first| first.name().to_owned());
    }
    if let Some(id) = &lead
        && !members.iter().any(|member| member.name() == id)
    {
        lead = Some(stem(id)).filter(|stem| members.iter().any(|member| member.name() == stem)).or(lead);
    }
    if lead.is_none() && members.len() == 1 {
        lead = members.first().map(|only| only.name().to_owned());
    }
    Ok(Drafted { fields, members, lead })
}

/// Without members that are an empty text or null: hosts of tools make those up for what was left out.
fn without_empty(written: &Map<String, Value>) -> Map<String, Value> {
    let is_empty = |value: &Value| value.is_null() || value.as_str() == Some("");
    written
        .iter()
        .filter(|(_, value)| !is_empty(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn listed(fields: &mut Map<String, Value>) -> Result<Vec<Draft>, SpecError> {
    let members = match fields.shift_remove("members") {
        None => return Ok(Vec::new()),
        Some(Value::Array(members)) => members,
        Some(_) => return Err(SpecError::invalid("members", "expected a list of members")),
    };
    let draft = |(place, member): (usize, Value)| match member {
        Value::Object(fields) => {
            Ok(Draft { path: format!("members[{place}]"), fields: without_empty(&fields) })
        }
        _ => Err(SpecError::invalid(format!("members[{place}]"), "expected an object")),
    };
    members.into_iter().enumerate().map(draft).collect()
}

/// The lead that stands beside the members, if it says anything.
fn own_lead(fields: &mut Map<String, Value>) -> Result<Option<Draft>, SpecError> {
    let written = match fields.shift_remove("lead") {
        None => return Ok(None),
        Some(Value::Object(written)) => without_empty(&written),
        Some(_) => return Err(SpecError::invalid("lead", "expected an object")),
    };
    if written.is_empty() {
        return Ok(None);
    }
    let mut lead = Draft { path: "lead".to_owned(), fields: written };
    lead.fields.entry("name").or_insert_with(|| json!("lead"));
    Ok(Some(lead))
}

/// Nobody says who leads: it is who creates the team, if that can be (rule 8).
fn lead_of_caller(members: &mut Vec<Draft>, author: &Author) -> Result<Option<String>, SpecError> {
    let Some(caller) = author.caller.as_deref() else { return Ok(None) };
    if members.is_empty() {
        return Ok(None);
    }
    if agents::judge(caller) != agents::Verdict::Eligible {
        let message = format!("caller '{caller}' cannot lead a team; say who leads by leadAgentId");
        return Err(SpecError::new("INVALID_LEAD_AGENT_ID", "leadAgentId", message));
    }
    if members.len() >= MOST {
        return Ok(Some(String::new()));
    }
    let fields = json!({ "name": "lead", "kind": "subagent_type", "subagent_type": caller });
    if let Value::Object(fields) = fields {
        members.insert(0, Draft { path: "lead".to_owned(), fields });
    }
    Ok(Some("lead".to_owned()))
}

/// What a member is, and what it is told (rules 3 to 6).
fn finish(member: &mut Draft, author: &Author) {
    if member.text("prompt").is_none()
        && let Some(prompt) = member.text("systemPrompt").or(member.text("system_prompt"))
    {
        let prompt = json!(prompt);
        member.fields.insert("prompt".to_owned(), prompt);
    }
    let has = |key: &str| member.text(key).is_some();
    let default = author.default_category.as_deref();
    let (kind, category) = match member.text("kind") {
        Some(known @ ("category" | "subagent_type")) => (Some(known.to_owned()), None),
        _ if has("category") => (Some("category".to_owned()), None),
        _ if has("subagent_type") => (Some("subagent_type".to_owned()), None),
        Some(word) if !GENERIC.contains(&word) => (Some("category".to_owned()), Some(word.to_owned())),
        _ => (default.map(|_| "category".to_owned()), default.map(str::to_owned)),
    };
    if let Some(category) = category {
        member.fields.insert("category".to_owned(), json!(category));
    }
    match kind {
        Some(kind) => drop(member.fields.insert("kind".to_owned(), json!(kind))),
        None => drop(member.fields.shift_remove("kind")),
    }
    if member.text("kind") == Some("category") && member.fields.get("prompt").is_none() {
        let prompt = prompt_of_words(member);
        member.fields.insert("prompt".to_owned(), json!(prompt));
    }
    for key in DROPPED {
        member.fields.shift_remove(key);
    }
}

/// A prompt of what else was said of a member. Of one of whom nothing was said it asks what the lead will say.
fn prompt_of_words(member: &Draft) -> String {
    let text = |key: &str| match member.fields.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Array(several) => {
            let several: Vec<&str> = several.iter().filter_map(Value::as_str).collect();
            (!several.is_empty()).then(|| several.join(", "))
        }
        _ => None,
    };
    let lines = [
        text("role").map(|role| format!("Role: {role}")),
        text("description"),
        text("capabilities").map(|can| format!("Capabilities: {can}")),
        text("responsibilities").map(|has| format!("Responsibilities: {has}")),
    ];
    let lines: Vec<String> = lines.into_iter().flatten().collect();
    if lines.is_empty() {
        return "Work on the tasks that your team lead gives you, and report what came of them.".to_owned();
    }
    lines.join("\n")
}

/// Gives every member a name of its own (rules 2 and 9).
fn name_all(members: &mut [Draft]) {
    let mut taken: Vec<String> = Vec::new();
    let named: Vec<Option<String>> = members.iter().map(|member| member.text("name").map(stem)).collect();
    for (member, name) in members.iter_mut().zip(&named) {
        let free = |name: &String| !taken.contains(name);
        let name = match name {
            Some(name) => std::iter::once(name.clone())
                .chain((2..).map(|number| format!("{name}-{number}")))
                .find(|name| free(name)),
            None => {
                let of = stem(member.text("category").or(member.text("subagent_type")).unwrap_or("member"));
                let others = |name: &String| free(name) && !named.iter().flatten().any(|named| named == name);
                (1..).map(|number| format!("{of}-{number}")).find(others)
            }
        };
        let name = name.unwrap_or_default();
        member.fields.insert("name".to_owned(), json!(name));
        taken.push(name);
    }
}
