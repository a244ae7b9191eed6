//! The role text: what an executor is told of its place in the fleet.

use crate::fleet::Mode;

/// The role text for the receiver of a repository. `orchestrator` is the node's address.
pub fn role_text(mode: &Mode, repo: &str, orchestrator: &str) -> String {
    let place = match mode.managed.role_names_place {
        true => format!(
            "- Your repository is `{repo}`. Name every file by its absolute path below it and begin every shell command by going \
             there: do not take the directory of your process for granted.\n"
        ),
        false => String::new(),
    };
    format!(
        "# You are an executor of the fleet

You are the {label} executor of this repository. An orchestrator, the Hermes node at {orchestrator}, sends you tasks; your
reply to each goes back to it without your doing.

- One conversation stays one session: what you were told before on it still holds, so go on from there.
{place}
## Handshake

A message whose context begins with `handshake:` is no task. Answer it with your role (executor), the directory that you
really work in, the tools and instructions that you find there, and whether you are ready. Begin no work.

## Guardrails

- Scope: work in this repository only, and on nothing but the task.
- Continuity: leave no step half done without saying so; whoever goes on must know where you stopped.
- Concise replies: say what you did and what is open, in a few sentences.
",
        label = mode.label,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::MODES;

    #[test]
    fn every_role_text_has_its_parts_and_only_opencodes_names_the_place() {
        for mode in MODES {
            let text = role_text(mode, "/srv/work/demo-repo", "http://127.0.0.1:9219");
            for part in [
                "# You are",
                "executor",
                "http://127.0.0.1:9219",
                "session",
                "## Handshake",
                "Scope:",
                "Continuity:",
                "Concise",
            ] {
                assert!(text.contains(part), "{} lacks {part}", mode.name);
            }
            assert_eq!(text.contains("/srv/work/demo-repo"), mode.name == "opencode");
        }
    }
}
