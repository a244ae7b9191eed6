//! Signals that ask the command to end.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::stop::Stop;
use gauntlet_world::race;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What runs while no cell does.
static ERRAND: Mutex<Option<String>> = Mutex::new(None);

/// Says what an interrupt ends from now on: this, or with nothing the cells.
pub(crate) fn during(errand: Option<&str>) {
    *ERRAND.lock().unwrap_or_else(PoisonError::into_inner) = errand.map(str::to_owned);
}

/// From now on an interrupt, a request to terminate and a hang-up ask the run to end. The first lets running cells come to
/// their end and writes what there is; the second drops them, which takes a moment in which they clear away what they started;
/// the third ends this process, whatever it is doing. `asked` is called each time.
pub(crate) fn watch(stop: &Arc<Stop>, asked: impl Fn() + Send + 'static) {
    let stop = stop.clone();
    let (ready, begun) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let interrupt = listen(SignalKind::interrupt());
            let terminate = listen(SignalKind::terminate());
            let hang_up = listen(SignalKind::hangup());
            let _ = ready.send(());
            let (mut interrupt, mut terminate, mut hang_up) = (interrupt, terminate, hang_up);
            loop {
                race(next(&mut interrupt), race(next(&mut terminate), next(&mut hang_up))).await;
                let times = stop.ask();
                asked();
                let errand = ERRAND.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let text = match (errand, times) {
                    (_, 3..) => std::process::exit(ExitCode::Broken.code().into()),
                    (Some(errand), _) => format!("interrupted: ending the {errand}"),
                    (None, 2) => "interrupted again: dropping the running cells".to_owned(),
                    (None, _) => "interrupted: finishing the running cells; again to drop them".to_owned(),
                };
                // After a hang-up nobody may be there to read it.
                let _ = writeln!(io::stderr(), "{text}");
            }
        });
    });
    // A signal that comes while the thread starts would end the process with nothing cleared away.
    let _ = begun.recv();
}

/// Listens to a signal, unless whoever started this process had it ignored, as `nohup` does and shells do in the background.
fn listen(kind: SignalKind) -> Option<Signal> {
    let ignored = std::fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    });
    let bit = u32::try_from(kind.as_raw_value()).ok()?.checked_sub(1)?;
    if ignored.is_some_and(|mask| mask >> bit & 1 == 1) {
        return None;
    }
    signal(kind).ok()
}

async fn next(signal: &mut Option<Signal>) {
    if let Some(signal) = signal
        && signal.recv().await.is_some()
    {
        return;
    }
    std::future::pending().await
}
