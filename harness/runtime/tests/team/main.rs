//! Team mode by its tools, on a simulated machine with sessions that do what a test says.

mod crashes;
mod lifecycle;
mod mail;
mod outside;
mod rig;
mod storage;
mod work;
