//! A runtime that is not ours, as a subject: its manifest is read (`manifest`), stories are cut to what a driver can be asked to do
//! (`fit`), and its driver is spoken to in lines of JSON (`orders`). What of it is in a cell is in `cell/driven.rs`.

mod fit;
mod manifest;
pub(crate) mod orders;
mod subject;

pub use manifest::{DriverCommand, RuntimeManifest, schema};
pub use subject::{ForeignRuntime, is_manifest};
