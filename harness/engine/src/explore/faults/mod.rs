//! Worlds that nobody thought of: stories, quirks, faults, latencies and orders of tasks are drawn together, judged by what holds in
//! every cell, and made as small as they can be when something does not.
//!
//! `story` makes a cell of a list of choices, `corpus` keeps the lists that came to something new, `shrink` finds the smallest one that
//! fails, and `search` does all of it.

mod corpus;
mod search;
mod shrink;
mod story;

pub use search::{News, Request, explore};
