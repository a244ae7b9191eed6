//! The Codex CLI (fleet sheet 3.4).

use gauntlet_protocol::codex::{NO_ROLLOUT, TurnOutput, last_step, thread_total};
use gauntlet_protocol::fleet::with_role;
use gauntlet_protocol::step::Step;

use crate::receiver::account::Account;
use crate::receiver::flags::sanitised;
use crate::receiver::talk::{Ask, Heard, Spoken, Talk};

const NEVER: &[&str] = &["--ephemeral"];
const NEVER_ON_RESUME: &[&str] = &["--ephemeral", "--color", "-s", "--sandbox"];

pub(super) struct Codex;

impl Talk for Codex {
    fn args(&self, ask: &Ask<'_>) -> (Vec<String>, Vec<String>) {
        let config = ask.config;
        let prompt = with_role(ask.role, ask.prompt);
        // A resumed thread keeps its own sandbox (FLEET-CDX-02).
        let (head, forbidden) = match ask.session {
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

    fn account(&self, stdout: &[u8]) -> Account {
        Account::OfSession(thread_total(stdout))
    }

    fn last_step(&self, stdout: &[u8]) -> Option<Step> {
        last_step(stdout)
    }

    fn read(&self, heard: &Heard<'_>) -> Spoken {
        let turn = TurnOutput::read(&heard.output.stdout);
        let says_dead = |text: &str| text.contains(NO_ROLLOUT);
        // A reply that merely quotes the phrase is an answer, not a sign: the CLI says it on standard error, with no reply.
        let wrong_session = turn.reply.is_none() && says_dead(&heard.output.stderr);
        let quotes_dead_session = turn.reply.as_deref().is_some_and(says_dead);
        Spoken {
            answered: turn.reply.is_some(),
            reply: turn.reply,
            first: turn.first_of_several,
            session: turn.thread_id,
            wrong_session,
            quotes_dead_session,
            ..Spoken::default()
        }
    }
}
