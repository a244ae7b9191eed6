//! The runtime on a simulated machine: its Hermes node, its waiting for transcripts, and its client when the network is bad.

mod budget;
mod client;
mod crashes;
mod feed;
mod node;
mod rig;
mod waiting;
