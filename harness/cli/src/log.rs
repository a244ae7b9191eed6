//! `--log`: what happens inside, on standard error.

use gauntlet_engine::exit::ExitCode;
use miette::{Report, miette};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Begins to log what passes the filter; without one nothing is logged, and nothing looks at what could be.
pub(crate) fn begin(filter: Option<&str>) -> Result<(), (Report, ExitCode)> {
    let Some(filter) = filter else { return Ok(()) };
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        let help = "for instance `debug`, `cell=info`, or `port=trace` for every call of a port";
        (miette!(help = help, "expected a filter; found {filter:?} ({error})"), ExitCode::Usage)
    })?;
    // Port calls are told when they end, and cells when they begin and when they end.
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}
