//! The budgets of a profile, for the command line: the runtime's own, without a runtime.

pub use gauntlet_runtime::fleet::budget::{BudgetError, Standing, reset, show};
