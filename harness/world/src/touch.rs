//! The scheduler point: the names of everything that a host can do at a port.
//!
//! A *touch* is one port call: who, what, on which target. Faults are aimed at touches, kill points are counted in
//! touches, and the list of touches is a cell's diagnostic log (never evidence: oracles read observations).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a host does at a port. The serialised names are those that fault files use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Op {
    /// Read a whole file or its tail.
    #[serde(rename = "disk.read")]
    DiskRead,
    /// Create or replace a file's content.
    #[serde(rename = "disk.write")]
    DiskWrite,
    /// Create a file that must not exist yet.
    #[serde(rename = "disk.create")]
    DiskCreate,
    /// Append to a file.
    #[serde(rename = "disk.append")]
    DiskAppend,
    /// Make a file's content durable.
    #[serde(rename = "disk.sync")]
    DiskSync,
    /// Make a directory's entries durable.
    #[serde(rename = "disk.sync_dir")]
    DiskSyncDir,
    /// Rename a file over another.
    #[serde(rename = "disk.rename")]
    DiskRename,
    /// Remove a file.
    #[serde(rename = "disk.remove")]
    DiskRemove,
    /// Create a directory and its parents.
    #[serde(rename = "disk.make_dir")]
    DiskMakeDir,
    /// Look at a file's or directory's properties.
    #[serde(rename = "disk.stat")]
    DiskStat,
    /// List a directory.
    #[serde(rename = "disk.list")]
    DiskList,
    /// Change a file's mode, or make a symbolic link.
    #[serde(rename = "disk.change")]
    DiskChange,
    /// Take a lock that a file stands for.
    #[serde(rename = "disk.lock")]
    DiskLock,
    /// Begin to listen.
    #[serde(rename = "net.listen")]
    NetListen,
    /// Take an incoming connection.
    #[serde(rename = "net.accept")]
    NetAccept,
    /// Open a connection.
    #[serde(rename = "net.connect")]
    NetConnect,
    /// Write bytes to a connection.
    #[serde(rename = "net.write")]
    NetWrite,
    /// Start a child process.
    #[serde(rename = "process.spawn")]
    ProcessSpawn,
    /// Send a signal to a process or group.
    #[serde(rename = "process.signal")]
    ProcessSignal,
    /// Learn that a child has ended.
    #[serde(rename = "process.wait")]
    ProcessWait,
    /// Look at the table of processes.
    #[serde(rename = "process.look")]
    ProcessLook,
    /// Write to the own standard output or error.
    #[serde(rename = "process.print")]
    ProcessPrint,
}

impl Op {
    /// Whether it writes bytes, so that a fault can let only a part of them through.
    pub(crate) fn can_tear(self) -> bool {
        matches!(self, Op::DiskWrite | Op::DiskCreate | Op::DiskAppend | Op::NetWrite | Op::ProcessPrint)
    }

    /// Whether it only looks: the world after it is the world before it, and it takes no time.
    pub fn only_looks(self) -> bool {
        matches!(self, Op::DiskRead | Op::DiskStat | Op::DiskList | Op::ProcessLook)
    }

    /// Whether its effect may wait for something, so that other calls of its host happen between its two moments.
    pub fn waits(self) -> bool {
        matches!(self, Op::NetAccept | Op::NetConnect | Op::NetWrite | Op::ProcessWait | Op::ProcessPrint)
    }

    /// The name in fault files and in logs, for instance `disk.append`.
    pub fn name(self) -> &'static str {
        match self {
            Op::DiskRead => "disk.read",
            Op::DiskWrite => "disk.write",
            Op::DiskCreate => "disk.create",
            Op::DiskAppend => "disk.append",
            Op::DiskSync => "disk.sync",
            Op::DiskSyncDir => "disk.sync_dir",
            Op::DiskRename => "disk.rename",
            Op::DiskRemove => "disk.remove",
            Op::DiskMakeDir => "disk.make_dir",
            Op::DiskStat => "disk.stat",
            Op::DiskList => "disk.list",
            Op::DiskChange => "disk.change",
            Op::DiskLock => "disk.lock",
            Op::NetListen => "net.listen",
            Op::NetAccept => "net.accept",
            Op::NetConnect => "net.connect",
            Op::NetWrite => "net.write",
            Op::ProcessSpawn => "process.spawn",
            Op::ProcessSignal => "process.signal",
            Op::ProcessWait => "process.wait",
            Op::ProcessLook => "process.look",
            Op::ProcessPrint => "process.print",
        }
    }
}

/// One port call, as the cell's log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// Virtual milliseconds since the cell began.
    pub at_ms: u64,
    /// The name of the host that called, for instance `receiver`.
    pub host: String,
    /// What it did.
    pub op: Op,
    /// On what: an absolute path, an address, a program or a pid.
    pub target: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_in_logs_is_the_name_in_fault_files() {
        let all = [
            Op::DiskRead,
            Op::DiskWrite,
            Op::DiskCreate,
            Op::DiskAppend,
            Op::DiskSync,
            Op::DiskSyncDir,
            Op::DiskRename,
            Op::DiskRemove,
            Op::DiskMakeDir,
            Op::DiskStat,
            Op::DiskList,
            Op::DiskChange,
            Op::NetListen,
            Op::NetAccept,
            Op::NetConnect,
            Op::NetWrite,
            Op::ProcessSpawn,
            Op::ProcessSignal,
            Op::ProcessWait,
            Op::ProcessLook,
            Op::ProcessPrint,
        ];
        for op in all {
            assert_eq!(serde_json::to_value(op).unwrap(), op.name());
        }
    }
}
