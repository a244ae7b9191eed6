//! The map of sessions: what was remembered of a context is there until something else is, whatever became of the others; and there is
//! never anything that nobody remembered.

use std::collections::BTreeSet;
use std::io;

use gauntlet_protocol::codex::MODE;
use gauntlet_protocol::fleet::{LastOutput, Session, SessionMap, Sessions};
use gauntlet_world::fault::Unsynced;
use gauntlet_world::trial::{End, Wrong};
use proptest::prelude::*;

use super::{Held, end, in_a_world, on_this_computer, wrong};

#[derive(Debug, Clone)]
enum Command {
    Remember(usize, Option<Wrong>),
    Forget(usize, Option<Wrong>),
    End(End, Option<Wrong>),
    Jump(i64),
}

const CONTEXTS: [&str; 3] = ["c1", "c2", "täxt \"3\""];

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let context = || 0..CONTEXTS.len();
    prop::collection::vec(
        prop_oneof![
            5 => (context(), wrong()).prop_map(|(context, wrong)| Command::Remember(context, wrong)),
            2 => (context(), wrong()).prop_map(|(context, wrong)| Command::Forget(context, wrong)),
            2 => (end(), wrong()).prop_map(|(end, wrong)| Command::End(end, wrong)),
            1 => (-3000..3000_i64).prop_map(Command::Jump),
        ],
        1..40,
    )
}

/// What the map may say of each context.
struct Model([BTreeSet<Option<u32>>; 3]);

impl Model {
    fn fits(&self, seen: [Option<u32>; 3]) {
        for (number, seen) in seen.into_iter().enumerate() {
            assert!(
                self.0[number].contains(&seen),
                "{}: {seen:?}, expected one of {:?}",
                CONTEXTS[number],
                self.0[number]
            );
        }
    }

    /// Something was written, and what the others were seen to say with it.
    fn wrote(&mut self, context: usize, what: Option<u32>, seen: [Option<u32>; 3], certainly: bool) {
        if !certainly {
            self.0[context].insert(what);
            return;
        }
        // One map is on the disk whole, so that no other one comes back.
        self.0 = seen.map(|seen| [seen].into());
        self.0[context] = [what].into();
    }
}

fn session(number: u32) -> Session {
    let last_output = (number.is_multiple_of(3)).then(|| LastOutput {
        text: format!("said {number}\n"),
        drifted_at: (number.is_multiple_of(2)).then_some(5),
    });
    Session { id: format!("s{number}"), updated_at: i64::from(number), last_output }
}

async fn look(trial: &Held) -> io::Result<[Option<u32>; 3]> {
    let Sessions::Map { file, key } = MODE.sessions else { unreachable!("codex names its sessions") };
    let path = format!(".hermes/{file}");
    let content = trial.visitor().disk().read_if_present(path).await?.unwrap_or_default();
    assert!(content.is_empty() || content.ends_with(b"}\n"), "half a map: {content:?}");
    let map = SessionMap::parse(key, &content);
    Ok(CONTEXTS.map(|context| {
        let found = map.get(context)?;
        let number =
            found.id.strip_prefix('s').and_then(|number| number.parse().ok()).expect("a session of ours");
        assert_eq!(*found, session(number));
        Some(number)
    }))
}

async fn run(mut trial: Held, commands: Vec<Command>) -> io::Result<()> {
    let mut model = Model(std::array::from_fn(|_| [None].into()));
    for (number, command) in (1..).zip(commands) {
        let seen = look(&trial).await?;
        match command {
            Command::Remember(context, wrong) => {
                let remembering = trial.call(wrong, async |_, receiver| {
                    receiver.remember(CONTEXTS[context], session(number)).await
                });
                let certainly = remembering.await?.is_some_and(|outcome| outcome.is_ok());
                model.wrote(context, Some(number), seen, certainly);
            }
            Command::Forget(context, wrong) => {
                let forgetting = trial.call(wrong, async |_, receiver| {
                    let known = seen[context].map(|number| format!("s{number}")).unwrap_or_default();
                    receiver.forget(CONTEXTS[context], &known).await
                });
                let forgotten = forgetting.await?.is_some_and(|outcome| outcome.is_ok());
                // Of what is not there nothing is written.
                if seen[context].is_some() || !forgotten {
                    model.wrote(context, None, seen, forgotten);
                }
            }
            Command::End(end, wrong) => trial.end(end, wrong).await?,
            Command::Jump(minutes) => trial.jump(minutes),
        }
        model.fits(look(&trial).await?);
    }
    trial.end(End::PowerCut(Unsynced::Lost), None).await?;
    model.fits(look(&trial).await?);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn what_was_remembered_is_there_until_something_else_is(seed in 0..8_u8, commands in commands()) {
        in_a_world(seed, |trial| run(trial, commands));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn the_same_map_on_the_disk_of_this_computer(commands in commands()) {
        on_this_computer(|trial| run(trial, commands));
    }
}
