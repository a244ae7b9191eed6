//! Team mode by its tools, on a simulated machine with sessions that do what a test says.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a helper of a test cannot go on with fails the test"
)]

mod crashes;
mod lifecycle;
mod mail;
mod outside;
mod rig;
mod storage;
mod work;
