//! Known failures: a list of what is known to fail, as data, that excuses exactly that.
//!
//! An entry names cells by a pattern ([`crate::pattern`]), and one requirement of them if it is to be narrowed down: each cell of it
//! that is judged must fail, or one entry is flaky and may do either. An entry that passes, or that expired, is an error; harness and
//! environment errors are nobody's known failure.
//!
//! [`list`] reads and checks the files, [`tally`] holds them against the records of a run, [`update`] writes them anew.

pub mod list;
pub mod tally;
pub mod update;

pub use list::{Entry, List, ListError};
pub use tally::Tally;
