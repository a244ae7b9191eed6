//! Reasons for which a CLI ends before its turn is over.

use std::fmt::Display;

use thiserror::Error;

/// Why a process ends early.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Stop {
    /// It ends here with this code: a quirk, or an interrupt.
    #[error("ended with code {0}")]
    Exit(i32),
    /// Nobody reads its output any more.
    #[error("the output was closed by its reader")]
    BrokenPipe,
    /// Something that it needs failed: the text for standard error.
    #[error("{0}")]
    Mishap(String),
}

impl Stop {
    /// A mishap: what could not be done, and why.
    pub(crate) fn mishap(what: impl Display, why: &impl Display) -> Self {
        Stop::Mishap(format!("Error: {what}: {why}"))
    }

    /// The exit code. A Rust program that prints to a closed pipe panics, which is 101 (inferred for other
    /// CLIs); a failed turn is 1.
    pub(crate) fn code(&self) -> i32 {
        match self {
            Stop::Exit(code) => *code,
            Stop::BrokenPipe => 101,
            Stop::Mishap(_) => 1,
        }
    }
}
