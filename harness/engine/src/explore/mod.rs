//! Searching for what nobody wrote down: every crash of every story, and worlds that nobody thought of. What is found there is judged
//! by what holds in every cell, and by nothing else.

pub mod crash;
pub mod faults;
mod finding;
