//! Executor CLIs.
