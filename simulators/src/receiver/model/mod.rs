//! What a receiver keeps on its disk against naive models, over both mechanics: crashes, failures and jumps of the clock among what it
//! does.

mod inbox;
mod sessions;

use std::future::Future;
use std::io;
use std::path::Path;
use std::rc::Rc;

use gauntlet_protocol::codex::MODE;
use gauntlet_world::Host;
use gauntlet_world::fault::{Errno, Happening, Moment, Unsynced};
use gauntlet_world::injection::Injector;
use gauntlet_world::touch::Op;
use gauntlet_world::trial::{End, Trial, Wrong};
use proptest::prelude::*;

use super::config::Config;
use super::process::{assembled, make_files};
use super::state::{Receiver, Settings};
use super::talk::Talk;
use crate::http1::Framing;

type Held = Trial<Rc<Receiver>>;

/// A receiver that has read its files and does nothing.
async fn open(host: Host) -> io::Result<Rc<Receiver>> {
    let settings = Settings {
        mode: &MODE,
        framing: Framing::default(),
        injector: Injector::default(),
        declares: Vec::new(),
    };
    let talk = <dyn Talk>::of(&MODE).ok_or_else(|| io::Error::other("nobody talks so"))?;
    let config = Config::parse(&MODE, &host.cwd().to_string_lossy(), None);
    let names = make_files(&host, &MODE).await?;
    let receiver = assembled(&host, settings, talk, config, names, (None, None)).await?;
    receiver.mend_inbox().await;
    receiver.take_up_inbox().await?;
    Ok(receiver)
}

fn fate() -> impl Strategy<Value = Unsynced> {
    prop_oneof![Just(Unsynced::Lost), Just(Unsynced::Kept), Just(Unsynced::Torn), Just(Unsynced::Drawn)]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Killed), fate().prop_map(End::PowerCut)]
}

fn wrong() -> impl Strategy<Value = Option<Wrong>> {
    let at = prop_oneof![
        3 => Just(Op::DiskAppend),
        3 => Just(Op::DiskSync),
        1 => Just(Op::DiskRead),
        2 => Just(Op::DiskCreate),
        2 => Just(Op::DiskRename),
        2 => Just(Op::DiskSyncDir),
    ];
    let moment = prop_oneof![Just(Moment::Before), Just(Moment::After)];
    let happening = prop_oneof![
        Just(Happening::Kill),
        fate().prop_map(Happening::PowerCut),
        Just(Happening::Fail(Errno::Io)),
        Just(Happening::Torn(Errno::NoSpace)),
    ];
    let wrong = (at, moment, happening).prop_map(|(at, moment, happening)| Wrong { at, moment, happening });
    prop::option::weighted(0.4, wrong)
}

fn in_a_world<R: Future<Output = io::Result<()>>>(seed: u8, body: impl FnOnce(Held) -> R) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let trial = Trial::in_a_world(seed, &[".hermes"], open).await.expect("an empty disk");
        body(trial).await.expect("the disk behaves");
    });
}

fn on_this_computer<R: Future<Output = io::Result<()>>>(body: impl FnOnce(Held) -> R) {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let path: &Path = folder.path();
        let trial = Trial::on_this_computer(path, &[".hermes"], open).await.expect("an empty folder");
        body(trial).await.expect("the disk behaves");
    });
}
