//! Injection points: the few named places where the behaviour of one role can be made to deviate.
//!
//! A role passes what it is about to do through a [`Point`], as a JSON event. Without a quirk the event comes back
//! as it went in. A quirk omits, changes, delays, repeats or mangles it. A quirk is data; when one cannot be written, a point
//! is missing here, and that is the thing to add. The list of points, with their events, is [`Point`].

mod injector;
mod point;
mod quirk;
#[cfg(test)]
mod tests;

pub use injector::{Injector, Mangle, Passed};
pub use point::{Point, Traits};
pub use quirk::{Deviation, Kind, Millis, Misfit, Quirk, Since, When};
