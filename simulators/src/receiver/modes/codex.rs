//! The Codex CLI (fleet sheet 3.4).

use gauntlet_protocol::codex::{NO_ROLLOUT, TurnOutput};
use gauntlet_protocol::fleet::with_role;

use super::flags::sanitised;
use super::{Spoken, Talk};
use crate::receiver::cli::Output;
use crate::receiver::config::Config;

const NEVER: &[&str] = &["--ephemeral"];
const NEVER_ON_RESUME: &[&str] = &["--ephemeral", "--color", "-s", "--sandbox"];

pub(super) struct Codex;

impl Talk for Codex {
    fn args(
        &self,
        config: &Config,
        role: &str,
        prompt: &str,
        session: Option<&str>,
    ) -> (Vec<String>, Vec<String>) {
        let prompt = with_role(role, prompt);
        // A resumed thread keeps its own sandbox (FLEET-CDX-02).
        let (head, forbidden) = match session {
            None => (vec!["exec".to_owned(), prompt, "-s".to_owned(), config.sandbox.clone()], NEVER),
            Some(thread) => {
                (vec!["exec".to_owned(), "resume".to_owned(), thread.to_owned(), prompt], NEVER_ON_RESUME)
            }
        };
        let mut args = head;
        args.extend(["--json".to_owned(), "--skip-git-repo-check".to_owned()]);
        if let Some(model) = &config.model {
            args.extend(["-m".to_owned(), model.clone()]);
        }
        let (extra, dropped) = sanitised(&config.extra_flags, forbidden);
        args.extend(extra);
        (args, dropped)
    }

    fn read(&self, output: &Output) -> Spoken {
        let turn = TurnOutput::read(&output.stdout);
        let says_dead = |text: &str| text.contains(NO_ROLLOUT);
        // A reply that merely quotes the phrase is an answer, not a sign: the CLI says it on standard error, with no reply.
        let session_is_dead = turn.reply.is_none() && says_dead(&output.stderr);
        Spoken { reply: turn.reply, session: turn.thread_id, session_is_dead }
    }
}
