//! The reader of a transcript against a naive model, over both mechanics of the disk: it finds each reply that was written whole since
//! it began, once and in order, whatever is torn, mended, begun anew or cannot be read for a while.

use std::cell::Cell;
use std::collections::VecDeque;

use gauntlet_world::Host;
use gauntlet_world::fault::{Errno, Happening, Moment, Unsynced};
use gauntlet_world::touch::Op;
use gauntlet_world::trial::{End, Trial, Wrong};
use proptest::prelude::*;

use super::*;

const FILE: &str = "transcript.jsonl";
const CONTEXT: &str = "c1";

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Reply,
    Acknowledgement,
    AcknowledgementWithoutAMark,
    BusyNotice,
    Dispatch,
    ReplyOnAnotherContext,
    NoRecord,
}

/// How much of a line its writer brings to the file before it dies or is slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    Half,
    AllButItsEnd,
}

#[derive(Debug, Clone)]
enum Command {
    Write {
        kind: Kind,
        part: Part,
        durably: bool,
    },
    /// What the writer left half is brought to its end.
    GoOn,
    Anew,
    Look(Option<Wrong>),
    /// The reader ends, and another one begins to wait.
    End(End),
    Jump(i64),
}

fn fate() -> impl Strategy<Value = Unsynced> {
    prop_oneof![Just(Unsynced::Lost), Just(Unsynced::Kept), Just(Unsynced::Torn), Just(Unsynced::Drawn)]
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let kind = prop_oneof![
        5 => Just(Kind::Reply),
        1 => Just(Kind::Acknowledgement),
        1 => Just(Kind::AcknowledgementWithoutAMark),
        1 => Just(Kind::BusyNotice),
        1 => Just(Kind::Dispatch),
        1 => Just(Kind::ReplyOnAnotherContext),
        1 => Just(Kind::NoRecord),
    ];
    let part = prop_oneof![4 => Just(Part::Whole), 1 => Just(Part::Half), 1 => Just(Part::AllButItsEnd)];
    let wrong = (
        prop_oneof![Just(Op::DiskRead), Just(Op::DiskStat)],
        prop_oneof![Just(Moment::Before), Just(Moment::After)],
        prop_oneof![Just(Happening::Kill), Just(Happening::Fail(Errno::Io))],
    );
    let wrong = wrong.prop_map(|(at, moment, happening)| Wrong { at, moment, happening });
    let end = prop_oneof![Just(End::Killed), fate().prop_map(End::PowerCut)];
    prop::collection::vec(
        prop_oneof![
            6 => (kind, part, any::<bool>()).prop_map(|(kind, part, durably)| Command::Write { kind, part, durably }),
            2 => Just(Command::GoOn),
            1 => Just(Command::Anew),
            6 => prop::option::weighted(0.3, wrong).prop_map(Command::Look),
            1 => end.prop_map(Command::End),
            1 => (-3000..3000_i64).prop_map(Command::Jump),
        ],
        1..40,
    )
}

struct Reader {
    fleet: Fleet,
    offset: Cell<u64>,
}

async fn open(host: Host) -> io::Result<Reader> {
    let fleet = Fleet::visit(host).await;
    let offset = fleet.length(Path::new(FILE)).await?;
    Ok(Reader { fleet, offset: Cell::new(offset) })
}

fn line(kind: Kind, text: &str) -> String {
    let (dir, from, to) = match kind {
        Kind::Dispatch => ("hermes->peer", "hermes", "peer"),
        Kind::Acknowledgement => ("peer->hermes (ack)", "peer", "hermes"),
        Kind::BusyNotice => ("peer->hermes (busy)", "peer", "hermes"),
        _ => ("peer->hermes", "peer", "hermes"),
    };
    let text = match kind {
        Kind::AcknowledgementWithoutAMark => format!("{text} [queued]"),
        _ => text.to_owned(),
    };
    let context = if kind == Kind::ReplyOnAnotherContext { "c2" } else { CONTEXT };
    match kind {
        Kind::NoRecord => format!("{{\"text\": \"{text}\"}}\n"),
        _ => format!(
            "{{\"ts\": \"then\", \"dir\": \"{dir}\", \"from\": \"{from}\", \"to\": \"{to}\", \"contextId\": \"{context}\", \"text\": \"{text}\"}}\n"
        ),
    }
}

/// What the file holds that the reader has not passed.
#[derive(Default)]
struct Model {
    written: usize,
    /// The replies that are there whole, in their order.
    replies: VecDeque<String>,
    /// What the last line lacks, and the reply that it will be.
    half: Option<(String, Option<String>)>,
}

impl Model {
    async fn write(&mut self, visitor: &Host, kind: Kind, part: Part, durably: bool) -> io::Result<()> {
        self.written += 1;
        let text = format!("m{}", self.written);
        let line = line(kind, &text);
        let length = match part {
            Part::Whole => line.len(),
            Part::Half => line.len() / 2,
            Part::AllButItsEnd => line.len() - 1,
        };
        // Whoever comes behind somebody who died ends his line, which then is what it is.
        let content = visitor.disk().read_if_present(FILE).await?.unwrap_or_default();
        let is_torn = !content.is_empty() && !content.ends_with(b"\n");
        if let Some((lacks, Some(reply))) = self.half.take()
            && lacks == "\n"
        {
            self.replies.push_back(reply);
        }
        let added = format!("{}{}", if is_torn { "\n" } else { "" }, &line[..length]);
        self.append(visitor, &added, durably).await?;
        let reply = (kind == Kind::Reply).then_some(text);
        match part {
            Part::Whole => self.replies.extend(reply),
            Part::Half | Part::AllButItsEnd => self.half = Some((line[length..].to_owned(), reply)),
        }
        Ok(())
    }

    async fn go_on(&mut self, visitor: &Host) -> io::Result<()> {
        let Some((rest, reply)) = self.half.take() else { return Ok(()) };
        self.append(visitor, &rest, true).await?;
        self.replies.extend(reply);
        Ok(())
    }

    async fn append(&self, visitor: &Host, text: &str, durably: bool) -> io::Result<()> {
        visitor.disk().append(FILE, text.as_bytes()).await?;
        if durably {
            visitor.disk().sync(FILE).await?;
            visitor.disk().sync_dir(".").await?;
        }
        Ok(())
    }

    /// Somebody else reads from here on.
    fn begin(&mut self) {
        self.replies.clear();
        // Of what begins before he does he sees no whole line; whether it is there at all depends on the crash.
        self.half = None;
    }

    fn saw(&mut self, seen: io::Result<Option<String>>) {
        // What cannot be read now is found later.
        let Ok(seen) = seen else { return };
        assert_eq!(seen.as_ref(), self.replies.front(), "of {:?}", self.replies);
        // Whoever waits has his reply then, and what else came is of no interest to him.
        self.replies.clear();
    }
}

async fn run(mut trial: Trial<Reader>, commands: &[Command]) -> io::Result<()> {
    let mut model = Model::default();
    for command in commands {
        match command {
            Command::Write { kind, part, durably } => {
                model.write(trial.visitor(), *kind, *part, *durably).await?;
            }
            Command::GoOn => model.go_on(trial.visitor()).await?,
            Command::Anew => {
                trial.visitor().disk().write(FILE, b"").await?;
                model.begin();
                // One that has grown beyond its old length before anybody looks cannot be told from one that was added to.
                look(&mut trial, &mut model, None).await?;
            }
            Command::Look(wrong) => look(&mut trial, &mut model, *wrong).await?,
            Command::End(end) => {
                trial.end(*end, None).await?;
                model.begin();
            }
            Command::Jump(minutes) => trial.jump(*minutes),
        }
    }
    look(&mut trial, &mut model, None).await
}

async fn look(trial: &mut Trial<Reader>, model: &mut Model, wrong: Option<Wrong>) -> io::Result<()> {
    let seen = trial.call(wrong, async |_, reader| {
        let mut offset = reader.offset.get();
        let seen = reader.fleet.look(Path::new(FILE), &mut offset, CONTEXT).await;
        reader.offset.set(offset);
        seen
    });
    match seen.await? {
        Some(seen) => model.saw(seen),
        None => model.begin(),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn each_reply_that_is_written_whole_is_found_once_and_in_order(seed in 0..8_u8, commands in commands()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
            let trial = Trial::in_a_world(seed, &[], open).await.expect("an empty disk");
            run(trial, &commands).await.expect("the disk behaves");
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn the_same_on_the_disk_of_this_computer(commands in commands()) {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
            let trial = Trial::on_this_computer(folder.path(), &[], open).await.expect("an empty folder");
            run(trial, &commands).await.expect("the disk behaves");
        });
    }
}
