//! The exit codes of the command.

/// How a command ends. The worst of several counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitCode {
    /// 0: all required verdicts pass.
    Pass,
    /// 1: the message of `gauntlet send` was not answered (fleet sheet 5.3).
    Unanswered,
    /// 1: nonconformance.
    Nonconformance,
    /// 4: nothing was selected.
    NothingSelected,
    /// 2: wrong usage or malformed input.
    Usage,
    /// 3: the harness or the environment failed.
    Broken,
}

impl ExitCode {
    /// The number that the process returns.
    pub fn code(self) -> u8 {
        match self {
            ExitCode::Pass => 0,
            ExitCode::Nonconformance | ExitCode::Unanswered => 1,
            ExitCode::Usage => 2,
            ExitCode::Broken => 3,
            ExitCode::NothingSelected => 4,
        }
    }
}
