//! How a run comes and goes (team sheet 8): [`create`], [`shutdown`], [`delete`], [`resume`], and what sessions tell meanwhile ([`events`]).

mod create;
mod delete;
mod events;
mod resume;
mod shutdown;
mod spawn;

pub(crate) use delete::is_working;
pub use events::Event;
pub use resume::Resumed;
