//! The list of tasks of a run (team sheet 7): `record` what a task is and where it can go, `list` the files, `change` claims and steps.

mod change;
mod list;
mod record;

pub(crate) use change::Update;
pub(crate) use list::TaskList;
pub use record::TaskStatus;
