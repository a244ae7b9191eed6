//! Work under disturbance over real processes, for so many minutes: random dispatches to receivers on loopback, which are killed, stopped,
//! continued and started again, whose connections are cut and whose hub goes away and comes back; judged by what holds in every cell.
//!
//! `story` makes one story, and `search` runs them side by side until the time is over. What fails is told once more by itself: what fails
//! again is a finding, and what does not is flaky, since here the computer has a part in it.

mod search;
mod story;

pub use search::{News, Request, explore};
