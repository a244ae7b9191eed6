//! Searching for what nobody wrote down: every crash of every story, worlds that nobody thought of, and work under disturbance over real
//! processes. What is found there is judged by what holds in every cell, and by nothing else.
//!
//! `choices` is the list that a drawn cell is made of, `file` writes its story down, `finding` tells of what did not hold.

mod choices;
pub mod crash;
pub mod faults;
mod file;
mod finding;
pub mod real;
