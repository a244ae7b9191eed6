//! A process is killed, and its machine loses power, at every point at which it touches a port; then it is started again.
//!
//! `point` is where, `worlds` says which points are one and the same, `rule` makes a fault of a point, `twice` lets what comes back
//! die again, `coverage` counts, and `search` does all of it.

mod coverage;
mod point;
mod rule;
mod search;
#[cfg(test)]
mod tests;
mod twice;
mod worlds;

pub use point::{Asked, AskedError, Subject};
pub use search::{News, Request, explore};
