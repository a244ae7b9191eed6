//! Catalogue to matrix to cells to observations to verdicts.
//!
//! The way of the data is the order of the modules: [`data`] is read into a library, [`matrix`] makes plans of it, [`cell`]
//! runs one and [`oracle`] judges it, [`runner`] does so for many on threads, [`scores`] counts, [`project`] makes the
//! reports, and [`session`] is the whole of it.

mod braces;
pub mod cell;
pub mod cells;
pub mod certify;
pub mod coverage;
pub mod data;
pub mod doctor;
pub mod drift;
pub mod driver;
pub mod exit;
pub mod explain;
pub mod explore;
pub mod files;
pub mod hold;
pub mod known;
pub mod listing;
pub mod matrix;
pub mod narrow;
pub mod oracle;
pub mod pattern;
pub mod project;
pub mod quirk_check;
pub mod record;
pub mod results;
pub mod runner;
pub mod saved;
pub mod scenario;
pub mod scores;
pub mod second_look;
pub mod sequence;
pub mod session;
pub mod stand_in;
pub mod stop;
pub mod strays;
pub mod trace;
pub mod watched;
