//! The inbox and its offset: what was accepted is there once and in order, what was refused never is, a line that was handed off keeps
//! its number, and the offset never goes back.

use std::collections::BTreeMap;
use std::io;

use proptest::prelude::*;

use super::{Held, end, in_a_world, on_this_computer, wrong};
use crate::receiver::inbox::{NotAccepted, lines_after};
use gauntlet_world::fault::Unsynced;
use gauntlet_world::trial::{End, Wrong};

#[derive(Debug, Clone)]
enum Command {
    Accept(Option<Wrong>),
    /// The next line is handed off.
    HandOff(Option<Wrong>),
    End(End, Option<Wrong>),
    Jump(i64),
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    prop::collection::vec(
        prop_oneof![
            6 => wrong().prop_map(Command::Accept),
            4 => wrong().prop_map(Command::HandOff),
            2 => (end(), wrong()).prop_map(|(end, wrong)| Command::End(end, wrong)),
            1 => (-3000..3000_i64).prop_map(Command::Jump),
        ],
        1..40,
    )
}

/// What became of a dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Accepted,
    Refused,
    /// Its sender does not know.
    Unsure,
}

#[derive(Default)]
struct Model {
    dispatches: Vec<Fate>,
    /// What stood in which line when it was handed off or looked at.
    numbers: BTreeMap<u64, String>,
    /// What the offset is at least.
    offset: u64,
}

fn text(number: usize) -> String {
    format!("dispatch {number} with some words")
}

impl Model {
    fn fits(&mut self, content: &[u8], offset: u64) {
        let lines = lines_after(content, 0);
        let found: Vec<(u64, String)> =
            lines.iter().filter_map(|(line, accepted)| Some((*line, accepted.clone()?.text))).collect();
        let mut due = self.dispatches.iter().enumerate().map(|(number, fate)| (text(number), *fate));
        for (line, text) in &found {
            // Those in between are not there, which of some nobody promised.
            let fate = loop {
                let (known, fate) =
                    due.next().unwrap_or_else(|| panic!("line {line} says {text:?} again or too late"));
                if known == *text {
                    break fate;
                }
                assert_ne!(fate, Fate::Accepted, "{known:?} was accepted and is gone, in {found:?}");
            };
            assert_ne!(fate, Fate::Refused, "{text:?} was refused and is there");
        }
        assert!(due.all(|(_, fate)| fate != Fate::Accepted), "the last ones are gone: {found:?}");
        for (line, text) in found {
            let before = self.numbers.entry(line).or_insert_with(|| text.clone());
            assert_eq!(*before, text, "line {line} was another one");
        }
        assert!(offset >= self.offset, "the offset went back from {} to {offset}", self.offset);
        let last = lines.last().map_or(0, |(line, _)| *line);
        assert!(offset <= last, "{offset} of {last} lines were handed off");
        self.offset = offset;
    }
}

async fn run(mut trial: Held, commands: Vec<Command>) -> io::Result<()> {
    let mut model = Model::default();
    for command in commands {
        match command {
            Command::Accept(wrong) => {
                let text = text(model.dispatches.len());
                let accepting =
                    trial.call(wrong, async |_, receiver| receiver.accept("c1", &text, false, None).await);
                model.dispatches.push(match accepting.await? {
                    Some(Ok(())) => Fate::Accepted,
                    Some(Err(NotAccepted::Refused(_))) => Fate::Refused,
                    Some(Err(NotAccepted::Unsure(..))) | None => Fate::Unsure,
                });
            }
            Command::HandOff(wrong) => {
                let handing_off = trial.call(wrong, async |_, receiver| {
                    let content = receiver.inbox_content().await?;
                    let Some((line, _)) = lines_after(&content, receiver.handed_off.get()).first().cloned()
                    else {
                        return Ok(None);
                    };
                    receiver.set_offset(line).await?;
                    Ok::<_, io::Error>(Some(line))
                });
                if let Some(Ok(Some(line))) = handing_off.await? {
                    model.offset = model.offset.max(line);
                }
            }
            Command::End(end, wrong) => trial.end(end, wrong).await?,
            Command::Jump(minutes) => trial.jump(minutes),
        }
        look(&mut trial, &mut model).await?;
    }
    trial.end(End::PowerCut(Unsynced::Lost), None).await?;
    look(&mut trial, &mut model).await
}

async fn look(trial: &mut Held, model: &mut Model) -> io::Result<()> {
    let looking = trial.call(None, async |_, receiver| {
        Ok::<_, io::Error>((receiver.inbox_content().await?, receiver.handed_off.get()))
    });
    let (content, handed_off) = looking.await?.expect("it lives")?;
    model.fits(&content, handed_off);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn what_was_accepted_is_there_once_and_keeps_its_number(seed in 0..8_u8, commands in commands()) {
        in_a_world(seed, |trial| run(trial, commands));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn the_same_inbox_on_the_disk_of_this_computer(commands in commands()) {
        on_this_computer(|trial| run(trial, commands));
    }
}
