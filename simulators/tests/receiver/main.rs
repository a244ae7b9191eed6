//! The reference receiver on a simulated machine, with a tiny scripted CLI behind it and a scripted Hermes in front of it.

mod agy;
mod broken_disk;
#[path = "../callbacks/mod.rs"]
mod callbacks;
mod crashes;
mod http;
mod life;
mod rig;
mod tasks;
mod turns;
