//! What only the simulated mechanics have: crashes on command, faults, weather, exploration, and a clock that jumps.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of these tests stand outside the functions that carry #[test]"
)]

mod budget;
mod crashes;
mod exploration;
mod faults;
mod http_client;
mod lab;
mod panics;
mod power;
mod weather;
