//! The result model of Gauntlet, its published JSON Schema, and the renderers.
//!
//! There is one model and every format is a rendering of it. The crate depends on no other crate of the workspace
//! and does no I/O: the engine hands it values and writes what it gives back.
//!
//! | what | type | file | renderers |
//! | --- | --- | --- | --- |
//! | one cell | [`CellLine`] | a line of `results.jsonl` | [`json::results_line`] |
//! | one executor | [`ExecutorReport`] | `report.json`, `report.md`, `report.html`, `junit.xml`, `badge.svg` | [`json`], [`markdown`], [`html`], [`junit`], [`badge`] |
//! | one run | [`Summary`] | `summary.json` | [`json`], [`markdown::step_summary`]; with the reports [`terminal`] |
//!
//! Text that came from a peer is hostile until proven otherwise. Renderers show control characters as escapes
//! ([`escape`]), limit sizes ([`cap`]), and neutralise the markup of their format. Secrets are replaced before a
//! value enters the model ([`redact`]).

pub mod badge;
pub mod cap;
pub mod cell;
mod columns;
pub mod compliance;
pub mod coverage;
pub mod drift;
pub mod escape;
pub mod evidence;
pub mod explanation;
pub mod explore;
pub mod flaky;
pub mod html;
pub mod json;
pub mod junit;
pub mod known;
pub mod listing;
pub mod markdown;
pub mod printed;
pub mod provenance;
pub mod redact;
pub mod replay;
pub mod report;
pub mod schema;
pub mod sequence;
pub mod summary;
pub mod terminal;
pub mod verdict;

pub use cell::CellLine;
pub use compliance::{Compliance, Tally};
pub use coverage::Coverage;
pub use drift::Drift;
pub use evidence::{Evidence, Failure};
pub use explanation::{Explanation, Fact};
pub use flaky::{FlakyCell, FlakyOutcome};
pub use known::{KnownFailures, KnownRow, KnownState};
pub use listing::Listing;
pub use provenance::{Catalogue, Layer, Tool};
pub use redact::Secrets;
pub use replay::Replay;
pub use report::{
    ExecutorReport, ProfileRow, ReleaseBreak, ReleaseRow, RequirementRow, Subject, VersionVerdict,
};
pub use summary::{CellCounts, Detection, ExecutorScore, QuirkRow, Resilience, ResilienceBreak, Summary};
pub use verdict::{Class, Lane, Level, Verdict};
