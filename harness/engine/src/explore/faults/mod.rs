//! Worlds that nobody thought of: stories, quirks, faults, latencies and orders of tasks are drawn together, judged by what holds in
//! every cell, and made as small as they can be when something does not.
//!
//! `choices` is the list that a cell is made of, `story` makes it, `corpus` keeps the lists that came to something new, `shrink` finds
//! the smallest one that fails, `file` writes it down, and `search` does all of it.

mod choices;
mod corpus;
mod file;
mod search;
mod shrink;
mod story;

pub use search::{News, Request, explore};
