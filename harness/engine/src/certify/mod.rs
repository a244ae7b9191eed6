//! Certifying a receiver that is not ours: its manifest is read (`manifest`), the words in it are filled in for each cell
//! (`template`), stories are cut to what it can be judged by (`fit`), and the real lane starts it in the place of the reference
//! (`foreign`).

mod draft;
mod fit;
mod foreign;
mod limit;
mod manifest;
pub(crate) mod mistake;
pub(crate) mod owned;
mod smoke;
mod template;

pub use draft::Draft;
pub use fit::{Certified, Fitted};
pub use foreign::{Foreign, ForeignError, Source};
pub(crate) use foreign::{challenged, program, text_and_folder};
pub use limit::Limit;
pub use manifest::{Errand, Manifest, schema};
pub use owned::Challenge;
pub use smoke::{Smoke, first_look, never_ready, smoke};
pub(crate) use template::Values;
