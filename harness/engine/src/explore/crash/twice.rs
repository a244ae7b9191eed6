//! What came back after a crash dies again.

use gauntlet_world::fault::Moment;
use gauntlet_world::touch::Touch;

use super::point::{Crash, Point, Subject};
use super::rule::drawn;

/// So many calls after a crash count as coming back.
const RECOVERY: usize = 96;

/// One point of the recovery after the crash of a host, drawn by a text; nothing when nobody came back.
pub(super) fn second(log: &[Touch], host: Subject, first: Point, salt: &str) -> Option<(Subject, Point)> {
    let own = log.iter().enumerate().filter(|(_, touch)| touch.host == host.name());
    let (crashed, _) = own.clone().nth(usize::try_from(first.number).ok()?.checked_sub(1)?)?;
    // After a kill one came back, after a power cut both.
    let is_back = |touch: &Touch| match first.crash {
        Crash::Kill => touch.host == host.name(),
        Crash::Cut => Subject::ALL.iter().any(|subject| subject.name() == touch.host),
    };
    let back = log.iter().enumerate().skip(crashed + 1).filter(|(_, touch)| is_back(touch));
    let back: Vec<(usize, &Touch)> = back.take(RECOVERY).collect();
    let draw = drawn(salt);
    let count = u64::try_from(back.len()).ok().filter(|count| *count > 0)?;
    let (at, touch) = back.get(usize::try_from(draw % count).ok()?)?;
    let subject = Subject::ALL.into_iter().find(|subject| subject.name() == touch.host)?;
    let before = log.iter().take(*at).filter(|earlier| earlier.host == touch.host).count();
    let crash = if draw >> 32 & 1 == 0 { Crash::Kill } else { Crash::Cut };
    let moment = if draw >> 33 & 1 == 0 { Moment::Before } else { Moment::After };
    Some((subject, Point { number: u32::try_from(before + 1).ok()?, crash, moment }))
}
