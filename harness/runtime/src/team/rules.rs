//! What members are told when they are started, and the skill text (team sheet 5.1).

use std::path::Path;

use super::TeamConfig;
use super::names::RunId;
use super::spec::SpecMember;

/// The rules by which members talk to each other. They are part of every launch prompt (TEAM-CREATE-06).
const RULES: &str = "\
How this team talks:
- team_send_message(teamRunId, to, body) writes to one member by name. What you say otherwise, nobody else reads.
- Messages for you come by themselves as <peer_message ...> at the beginning of a turn. Do not wait or poll for them.
- team_task_list, team_task_get and team_task_update are the common list of tasks. Claim a task (status claimed) before you begin, set it \
in_progress while you work and completed when it is done.
- team_status shows where the team stands.
- For the lead alone: team_delete, team_shutdown_request, and messages to everybody (to \"*\").
- To be idle at the end of a turn is normal: the next message wakes you.
- Do not hand your work to further agents, and create no team of your own.
- Wrapping up: report to the lead, set your tasks completed, answer a shutdown request with team_approve_shutdown or \
team_reject_shutdown, and end your turn.";

/// What a member is told when it is started.
pub(crate) fn launch_prompt(team: &str, run: &RunId, member: &SpecMember, worktree: Option<&Path>) -> String {
    let mut prompt = format!("Team: {team}\nTeamRunId: {run}\nMember: {}\n", member.name);
    if let Some(worktree) = worktree {
        prompt.push_str(&format!("Worktree: {}\n", worktree.display()));
    }
    if let Some(own) = member.prompt() {
        prompt.push_str(&format!("\n{own}\n"));
    }
    prompt.push_str(&format!("\n{RULES}\n"));
    prompt
}

/// The skill that explains team mode to a model; none where it is off (TEAM-CFG-01).
pub fn skill(config: &TeamConfig) -> Option<&'static str> {
    config.enabled.then_some(SKILL)
}

const SKILL: &str = "\
# Teams
team_create makes a team: by teamName of a declared one (.omo/teams/NAME/config.json of the project, or ~/.omo/teams/NAME/config.json), or by \
inline_spec. A member has a category with a prompt, or a subagent_type of sisyphus, atlas, sisyphus-junior, hephaestus. At most 8.
{\"name\": \"pair\", \"members\": [{\"name\": \"writer\", \"category\": \"quick\", \"prompt\": \"Write what the lead asks for.\"}, \
{\"name\": \"reader\", \"subagent_type\": \"atlas\"}]}
You lead the team that you create. Give out work by team_task_create and team_send_message, look at team_status, ask members to end by \
team_shutdown_request, and remove the team by team_delete.";

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::team::spec::{Author, read};

    #[test]
    fn the_example_of_the_skill_is_a_team_and_none_is_shown_where_team_mode_is_off() {
        assert_eq!(skill(&TeamConfig::default()), None);
        let text = skill(&TeamConfig { enabled: true, ..TeamConfig::default() }).unwrap();
        let example = text.lines().find(|line| line.starts_with('{')).unwrap();
        let example: Value = serde_json::from_str(example).unwrap();
        let author = Author { caller: Some("sisyphus".to_owned()), default_category: None, max_members: 8 };
        assert_eq!(read(&example, &author).unwrap().members.len(), 3);
    }

    #[test]
    fn a_member_is_told_who_it_is_before_what_it_is_to_do() {
        let written = serde_json::json!({ "name": "t", "members": [{ "name": "a", "subagent_type": "atlas", "prompt": "read it all" }] });
        let spec = read(&written, &Author { max_members: 8, ..Author::default() }).unwrap();
        let run = RunId::new("r-1").unwrap();
        let prompt = launch_prompt("t", &run, &spec.members[0], Some(Path::new("/w")));
        assert!(
            prompt.starts_with("Team: t\nTeamRunId: r-1\nMember: a\nWorktree: /w\n\nread it all\n\n"),
            "{prompt}"
        );
        assert!(prompt.contains("team_send_message"));
    }
}
