//! The data that drives everything: requirements, scenarios, executors, profiles, releases, quirks, faults; embedded, and layered with
//! a user's own.

mod error;
mod library;
mod names;
mod outline;
mod prefix;
mod source;
mod yaml;

pub mod catalogue;
pub mod executor;
pub mod fault;
pub mod release;

pub(crate) use error::nearest;
pub use error::{DataError, DataErrors};
pub use library::{Library, LoadError};
pub(crate) use outline::Outline;
pub use source::{Source, SourceFile};
pub use yaml::parse as parse_yaml;
