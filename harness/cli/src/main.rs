//! The `gauntlet` command: arguments, progress, exit codes, and nothing else.
#![expect(clippy::print_stderr, reason = "the command line talks to people")]

mod args;
mod budget;
mod interrupt;
mod list;
mod process;
mod profile;
mod progress;
mod replay;
mod run;
mod schema;

use clap::Parser;
use gauntlet_engine::exit::ExitCode;

use args::{Args, Command, ProfileCommand};

/// Cells make and drop many small values; more than a quarter of a run's time went into the usual allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version come this way too, and are no mistake.
            let code = if error.use_stderr() { ExitCode::Usage } else { ExitCode::Pass };
            let _ = error.print();
            return code.code().into();
        }
    };
    if let Some(filter) = &args.log {
        let filter = tracing_subscriber::EnvFilter::new(filter);
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
    let outcome = match args.command {
        Command::Run(run) => run::run(&run),
        Command::Replay(replay) => replay::replay(&replay),
        Command::List(list) => list::list(&list),
        Command::Serve(serve) => process::serve(&serve),
        Command::Receiver(receiver) => process::receiver(&receiver),
        Command::StandIn(stand_in) => process::stand_in(&stand_in),
        Command::Profile(ProfileCommand::Record(record)) => profile::record(&record),
        Command::Budget(command) => budget::run(&command),
        Command::Schema(schema) => schema::schema(&schema),
    };
    match outcome {
        Ok(code) => code.into(),
        Err((report, code)) => {
            eprintln!("{report:?}");
            code.code().into()
        }
    }
}

/// A command's exit code, or what went wrong with the code that says so.
type Outcome = Result<u8, (miette::Report, ExitCode)>;
