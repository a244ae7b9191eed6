//! The data that drives everything: requirements, scenarios, executors, profiles, releases, quirks, faults, the roadmap, and the
//! revisions of the catalogue; embedded, and layered with a user's own.

mod error;
mod library;
mod names;
mod outline;
pub(crate) mod output;
mod owed;
mod prefix;
mod source;
mod yaml;

pub mod catalogue;
pub mod executor;
pub mod fault;
pub mod place;
pub mod release;
pub mod revision;
pub mod roadmap;

pub use error::nearest;
pub use error::{DataError, DataErrors};
pub(crate) use library::version_key;
pub use library::{Library, LoadError};
pub(crate) use outline::Outline;
pub use source::{Source, SourceFile};
pub use yaml::parse as parse_yaml;
