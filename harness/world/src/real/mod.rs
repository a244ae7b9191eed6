//! The real mechanics: this computer's files, sockets, processes and clock.

pub(crate) mod disk;
pub(crate) mod process;

use std::cell::RefCell;
use std::collections::BTreeMap;

use tokio::process::ChildStdin;

use crate::process::Pid;

/// This computer. Everything is the operating system's, save for what one host holds.
#[derive(Default)]
pub(crate) struct RealMachine {
    /// The standard inputs of children that were started with [`Stdin::Held`](crate::process::Stdin::Held).
    pub(crate) held: RefCell<BTreeMap<Pid, ChildStdin>>,
    /// What panics of the host's tasks said.
    pub(crate) panics: RefCell<Vec<String>>,
}

impl RealMachine {
    #[expect(clippy::disallowed_methods, reason = "the real mechanics are where the port ends")]
    pub(crate) fn own_pid() -> Pid {
        Pid(std::process::id())
    }
}
