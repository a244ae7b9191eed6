//! What is known of a run: [`record`](RunState) what its file holds, [`status`](RunStatus) where it stands and can go, [`store`](Store)
//! the files.

mod record;
mod status;
mod store;

pub use record::{AgentType, Bounds, Member, RunState, ShutdownRequest, SpecSource, TmuxLayout};
pub use status::{MemberStatus, MemberStep, RunStatus, RunStep};
pub use store::Store;
