//! The reference receiver with the quirks of the release `a2a_fleet` against the recordings of the real ones.

mod fake;
mod probes;
mod real_clis;
mod rig;
