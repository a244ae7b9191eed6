//! Judging a specification of which sense was made (team sheet 3.2, 3.4, 3.5).

use std::path::{Component, Path};

use serde_json::Value;

use super::agents::{self, Verdict};
use super::normalise::MOST;
use super::{Draft, Drafted, Kind, SpecError, SpecMember, TeamSpec};

/// The categories that a team of this name must have.
const HYPERPLAN: [&str; 4] = ["unspecified-low", "unspecified-high", "ultrabrain", "artistry"];
const MEMBER_FIELDS: [&str; 11] = [
    "name",
    "cwd",
    "worktreePath",
    "subscriptions",
    "backendType",
    "color",
    "isActive",
    "kind",
    "category",
    "subagent_type",
    "prompt",
];

pub(super) fn spec(drafted: Drafted, max_members: usize) -> Result<TeamSpec, SpecError> {
    let Drafted { fields, members, lead } = drafted;
    match fields.get("version") {
        None => {}
        Some(version) if version.as_u64() == Some(1) => {}
        Some(other) => return Err(SpecError::invalid("version", &format!("expected 1, found {other}"))),
    }
    let name =
        text(&fields, "name", "name")?.ok_or_else(|| SpecError::invalid("name", "a name is required"))?;
    for key in ["description", "sessionPermission", "leadAgentId"] {
        text(&fields, key, key)?;
    }
    if let Some(created) = fields.get("createdAt")
        && created.as_i64().is_none_or(|created| created <= 0)
    {
        return Err(SpecError::invalid("createdAt", "expected a whole number over 0"));
    }
    texts(&fields, "teamAllowedPaths", "teamAllowedPaths")?;
    if members.is_empty() {
        return Err(SpecError::invalid("members", "at least one member is required"));
    }
    let most = if max_members == 0 { MOST } else { max_members.min(MOST) };
    if members.len() > most {
        let message = format!("team '{name}' exceeds max {most} members: it has {}", members.len());
        return Err(SpecError::new("TEAM_MEMBER_LIMIT_EXCEEDED", "members", message));
    }
    let read: Result<Vec<SpecMember>, SpecError> =
        members.iter().map(|draft| member(draft).map_err(|error| error.of(draft.name()))).collect();
    let read = read?;
    for (place, member) in read.iter().enumerate() {
        if read.iter().take(place).any(|other| other.name == member.name) {
            let message = format!("the member name '{}' is there twice", member.name);
            let field = members.get(place).map(|draft| draft.place("name")).unwrap_or_default();
            return Err(SpecError::new("DUPLICATE_MEMBER_NAME", field, message).of(&member.name));
        }
    }
    let lead = lead.ok_or_else(|| {
        let message = "leadAgentId required: it must be the name of one of the members";
        SpecError::new("INVALID_LEAD_AGENT_ID", "leadAgentId", message)
    })?;
    if !read.iter().any(|member| member.name == lead) {
        let names: Vec<&str> = read.iter().map(|member| member.name.as_str()).collect();
        let message =
            format!("leadAgentId '{lead}' must be the name of one member, of: {}", names.join(", "));
        return Err(SpecError::new("INVALID_LEAD_AGENT_ID", "leadAgentId", message));
    }
    if name == "hyperplan" {
        let missing: Vec<&str> = HYPERPLAN
            .into_iter()
            .filter(|needed| !read.iter().any(|member| member.category() == Some(needed)))
            .collect();
        if !missing.is_empty() {
            let message = format!("team 'hyperplan' lacks members of the categories {}", missing.join(", "));
            return Err(SpecError::new("HYPERPLAN_REQUIRED_CATEGORY_MISSING", "members", message));
        }
    }
    Ok(TeamSpec { name: name.to_owned(), lead, members: read })
}

fn member(draft: &Draft) -> Result<SpecMember, SpecError> {
    let fields = &draft.fields;
    let wrong = |key: &str, reason: &str| Err(SpecError::invalid(draft.place(key), reason));
    if let Some(unknown) = fields.keys().find(|key| !MEMBER_FIELDS.contains(&key.as_str())) {
        return wrong(
            unknown,
            &format!("a member has no field of this name; it has {}", MEMBER_FIELDS.join(", ")),
        );
    }
    for key in ["name", "cwd", "worktreePath", "color", "kind", "category", "subagent_type", "prompt"] {
        text(fields, key, &draft.place(key))?;
    }
    texts(fields, "subscriptions", &draft.place("subscriptions"))?;
    if !matches!(fields.get("isActive"), None | Some(Value::Bool(_))) {
        return wrong("isActive", "expected true or false");
    }
    if !matches!(draft.text("backendType"), None | Some("in-process" | "tmux")) {
        return wrong("backendType", "expected in-process or tmux");
    }
    let worktree_path = draft.text("worktreePath");
    if let Some(path) = worktree_path {
        worktree(path).map_err(|reason| SpecError::invalid(draft.place("worktreePath"), &reason))?;
    }
    Ok(SpecMember {
        name: draft.name().to_owned(),
        kind: kind(draft)?,
        worktree_path: worktree_path.map(str::to_owned),
        color: draft.text("color").map(str::to_owned),
    })
}

fn kind(draft: &Draft) -> Result<Kind, SpecError> {
    let refuse = |code, key: &str, message: String| Err(SpecError::new(code, draft.place(key), message));
    let (category, agent) = (draft.text("category"), draft.text("subagent_type"));
    let name = draft.name();
    if category.is_some() && agent.is_some() {
        let message =
            format!("member '{name}' has both category and subagent_type; it must have one of them");
        return refuse("AMBIGUOUS_MEMBER_KIND", "kind", message);
    }
    let prompt = draft.text("prompt");
    if prompt.is_some_and(|prompt| prompt.trim().is_empty()) {
        return refuse("EMPTY_PROMPT", "prompt", format!("the prompt of member '{name}' is blank"));
    }
    match (draft.text("kind"), category, agent) {
        (Some("category"), Some(category), _) => {
            let Some(prompt) = prompt else {
                let message = format!("member '{name}' of category '{category}' has no prompt");
                return refuse("MISSING_CATEGORY_PROMPT", "prompt", message);
            };
            if prompt.trim().chars().count() < 8 {
                let message = format!("the prompt of member '{name}' must have at least 8 characters");
                return refuse("CATEGORY_PROMPT_TOO_SHORT", "prompt", message);
            }
            Ok(Kind::Category { category: category.to_owned(), prompt: prompt.to_owned() })
        }
        (Some("subagent_type"), _, Some(agent)) => match agents::judge(agent) {
            Verdict::Eligible => {
                Ok(Kind::Agent { agent: agent.to_owned(), prompt: prompt.map(str::to_owned) })
            }
            Verdict::Rejected(why) => refuse("INELIGIBLE_AGENT", "subagent_type", why),
            Verdict::Unknown(why) => refuse("UNKNOWN_SUBAGENT_TYPE", "subagent_type", why),
        },
        _ => {
            let message = format!("member '{name}' must say what it is: category or subagent_type");
            refuse("MISSING_MEMBER_KIND", "kind", message)
        }
    }
}

/// What a path of a worktree must look like (TEAM-WT-01).
fn worktree(path: &str) -> Result<(), String> {
    let refused =
        |reason: &str| Err(format!("worktreePath must be a filesystem path ({reason}), found {path:?}"));
    let rest = ["./", "../", "/"].iter().find_map(|start| path.strip_prefix(start));
    if rest.is_none_or(str::is_empty) || path.contains('\0') {
        return refused("it starts with ./, ../ or / and has more after it");
    }
    let ups = Path::new(path).components().filter(|part| *part == Component::ParentDir).count();
    let named = Path::new(path).components().any(|part| matches!(part, Component::Normal(_)));
    if ups > 2 || !named {
        return refused("with at most two .. and a name");
    }
    Ok(())
}

fn text<'f>(
    fields: &'f serde_json::Map<String, Value>,
    key: &str,
    place: &str,
) -> Result<Option<&'f str>, SpecError> {
    match fields.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => {
            let found = gauntlet_protocol::json::type_name(other);
            Err(SpecError::invalid(place, &format!("expected a text, found {found}")))
        }
    }
}

fn texts(fields: &serde_json::Map<String, Value>, key: &str, place: &str) -> Result<(), SpecError> {
    match fields.get(key) {
        None => Ok(()),
        Some(Value::Array(several)) if several.iter().all(Value::is_string) => Ok(()),
        Some(_) => Err(SpecError::invalid(place, "expected a list of texts")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use crate::team::spec::{Author, SpecError, TeamSpec, read};

    fn by(caller: Option<&str>) -> Author {
        Author {
            caller: caller.map(str::to_owned),
            default_category: Some("quick".to_owned()),
            max_members: 8,
        }
    }

    fn spec(written: Value) -> Result<TeamSpec, SpecError> {
        read(&written, &by(Some("sisyphus")))
    }

    fn names(spec: &TeamSpec) -> Vec<&str> {
        spec.members.iter().map(|member| member.name.as_str()).collect()
    }

    fn worker(name: &str) -> Value {
        json!({ "name": name, "category": "quick", "prompt": "work on what comes" })
    }

    #[test]
    fn a_member_without_a_name_gets_one_and_the_caller_leads() {
        let made = spec(
            json!({ "name": " My Team ", "members": [{ "category": "quick", "role": "reader" }, worker("A b"), worker("a-b")] }),
        );
        let made = made.unwrap();
        assert_eq!((made.name.as_str(), made.lead.as_str()), ("my-team", "lead"));
        assert_eq!(names(&made), ["lead", "quick-1", "a-b", "a-b-2"]);
        assert_eq!(made.members[1].prompt(), Some("Role: reader"));
        assert_eq!(made.members[0].agent(), "sisyphus");
        assert_eq!(made.members[1].agent(), "sisyphus-junior");
    }

    #[test]
    fn who_leads_is_found_in_the_order_of_the_sheet() {
        let team = |extra: Value| {
            let mut team = json!({ "name": "t", "members": [worker("a"), worker("b")] });
            for (key, value) in extra.as_object().unwrap() {
                team[key] = value.clone();
            }
            team
        };
        let lead = |written: Value, caller: Option<&str>| read(&written, &by(caller)).map(|spec| spec.lead);
        assert_eq!(lead(team(json!({ "leadAgentId": "B" })), Some("sisyphus")).unwrap(), "b");
        let own = json!({ "lead": { "name": "boss", "subagent_type": "atlas" } });
        assert_eq!(lead(team(own), Some("sisyphus")).unwrap(), "boss");
        assert_eq!(lead(team(json!({ "lead": { "name": "" } })), Some("atlas")).unwrap(), "lead");
        let mut marked = team(json!({}));
        marked["members"][1]["isLead"] = json!(true);
        assert_eq!(lead(marked, Some("sisyphus")).unwrap(), "b");
        let full =
            json!({ "name": "t", "members": (0..8).map(|n| worker(&format!("m{n}"))).collect::<Vec<_>>() });
        assert_eq!(lead(full, Some("sisyphus")).unwrap(), "m0");
        assert_eq!(lead(team(json!({})), None).unwrap_err().code, "INVALID_LEAD_AGENT_ID");
        assert!(lead(team(json!({})), Some("oracle")).unwrap_err().message.contains("'oracle'"));
        assert_eq!(lead(json!({ "name": "t", "members": [worker("only")] }), None).unwrap(), "only");
    }

    #[test]
    fn a_lead_never_silently_loses_to_a_member_of_its_name() {
        let lead = json!({ "name": "Boss", "subagent_type": "atlas" });
        let refused = spec(json!({ "name": "t", "lead": lead, "members": [worker("boss")] })).unwrap_err();
        assert_eq!((refused.code, refused.field.as_str()), ("DUPLICATE_MEMBER_NAME", "lead.name"));
        assert!(refused.message.contains("members[0]"), "{}", refused.message);
    }

    #[test]
    fn what_is_wrong_is_named_where_the_author_wrote_it() {
        let with = |member: Value| json!({ "name": "t", "members": [worker("a"), member] });
        for (written, code, field) in [
            (json!({ "members": [worker("a")] }), "INVALID_TEAM_SPEC", "name"),
            (json!({ "name": "t", "members": [] }), "INVALID_TEAM_SPEC", "members"),
            (json!({ "name": "t", "version": 2, "members": [worker("a")] }), "INVALID_TEAM_SPEC", "version"),
            (
                with(json!({ "category": "x", "subagent_type": "atlas" })),
                "AMBIGUOUS_MEMBER_KIND",
                "members[1].kind",
            ),
            (with(json!({ "kind": "subagent_type" })), "MISSING_MEMBER_KIND", "members[1].kind"),
            (with(json!({ "category": "x", "prompt": " " })), "EMPTY_PROMPT", "members[1].prompt"),
            (
                with(json!({ "category": "x", "prompt": "short" })),
                "CATEGORY_PROMPT_TOO_SHORT",
                "members[1].prompt",
            ),
            (with(json!({ "subagent_type": "oracle" })), "INELIGIBLE_AGENT", "members[1].subagent_type"),
            (with(json!({ "subagent_type": "nobody" })), "UNKNOWN_SUBAGENT_TYPE", "members[1].subagent_type"),
            (with(json!({ "subagent_type": "atlas", "later": 1 })), "INVALID_TEAM_SPEC", "members[1].later"),
            (
                with(json!({ "subagent_type": "atlas", "worktreePath": "branch" })),
                "INVALID_TEAM_SPEC",
                "members[1].worktreePath",
            ),
            (
                with(json!({ "subagent_type": "atlas", "worktreePath": "../../../x" })),
                "INVALID_TEAM_SPEC",
                "members[1].worktreePath",
            ),
            (with(json!("x")), "INVALID_TEAM_SPEC", "members[1]"),
            (
                json!({ "name": "t", "members": (0..9).map(|n| worker(&format!("m{n}"))).collect::<Vec<_>>() }),
                "TEAM_MEMBER_LIMIT_EXCEEDED",
                "members",
            ),
            (
                json!({ "name": "hyperplan", "members": [worker("a")] }),
                "HYPERPLAN_REQUIRED_CATEGORY_MISSING",
                "members",
            ),
        ] {
            let refused = spec(written.clone()).expect_err("it is wrong");
            assert_eq!((refused.code, refused.field.as_str()), (code, field), "{written}: {refused}");
        }
    }

    #[test]
    fn aliases_and_empty_texts_are_taken_as_they_are_meant() {
        let made = spec(json!({ "name": "t", "description": "", "leadAgentId": "", "members": [
            { "kind": "worker", "systemPrompt": "do this and that", "loadSkills": ["x"], "name": "" },
            { "kind": "artistry", "capabilities": ["draw", "paint"] },
            { "kind": "odd", "subagent_type": "atlas", "prompt": null },
        ] }));
        let made = made.unwrap();
        assert_eq!(names(&made), ["lead", "quick-1", "artistry-1", "atlas-1"]);
        assert_eq!(made.members[1].prompt(), Some("do this and that"));
        assert_eq!(made.members[2].prompt(), Some("Capabilities: draw, paint"));
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_or_refused(
            names in prop::collection::vec(prop::option::of(".{0,8}"), 0..10),
            kind in prop::option::of("(category|subagent_type|worker|[a-z]{0,5})"),
            agent in prop::option::of("(atlas|oracle|[a-z]{1,4})"),
        ) {
            let members: Vec<Value> = names.iter()
                .map(|name| json!({ "name": name, "kind": kind, "subagent_type": agent, "category": null }))
                .collect();
            if let Ok(made) = spec(json!({ "name": "t", "members": members })) {
                prop_assert!((1..=8).contains(&made.members.len()));
                prop_assert_eq!(made.members.iter().filter(|member| member.name == made.lead).count(), 1);
                for member in &made.members {
                    prop_assert!(!member.name.is_empty());
                    prop_assert!(member.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
                }
            }
        }
    }
}
