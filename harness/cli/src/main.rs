//! The `gauntlet` command: arguments, progress, exit codes, and nothing else.
#![expect(clippy::print_stderr, reason = "the command line talks to people")]

mod args;
mod catalogue;
mod certify;
mod doctor;
mod drift;
mod explain;
mod explore;
mod init;
mod interrupt;
mod judge;
mod known;
mod list;
mod log;
mod manual;
mod narrow;
mod process;
mod profile;
mod progress;
mod quirk;
mod replay;
mod run;
mod schema;
mod served;
mod step_summary;
mod terminal;

use clap::Parser;
use gauntlet_engine::exit::ExitCode;

use args::{Args, CatalogueCommand, Command, ExploreCommand, ProfileCommand, QuirkCommand};

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
    match log::begin(args.log.as_deref()).map_or_else(Err, |()| run(args.command)) {
        Ok(code) => code.into(),
        Err((report, code)) => {
            eprintln!("{report:?}");
            code.code().into()
        }
    }
}

fn run(command: Command) -> Outcome {
    match command {
        Command::Run(run) => run::run(&run),
        Command::Certify(certify) => certify::certify(&certify),
        Command::Init(init) => init::init(&init),
        Command::Replay(replay) => replay::replay(&replay),
        Command::Judge(judge) => judge::judge(&judge),
        Command::Drift(drift) => drift::drift(&drift),
        Command::Explore(ExploreCommand::Crash(crash)) => explore::crash(&crash),
        Command::Explore(ExploreCommand::Faults(faults)) => explore::faults(&faults),
        Command::Explore(ExploreCommand::Real(real)) => explore::real(&real),
        Command::List(list) => list::list(&list),
        Command::Explain(explain) => explain::explain(&explain),
        Command::Doctor(doctor) => doctor::doctor(&doctor),
        Command::Catalogue(CatalogueCommand::Freeze(freeze)) => catalogue::freeze(&freeze),
        Command::Catalogue(CatalogueCommand::Unreleased) => catalogue::unreleased(),
        Command::Completions(completions) => manual::completions(&completions),
        Command::Man(man) => manual::pages(&man),
        Command::Serve(serve) => process::serve(&serve),
        Command::Send(send) => process::send(&send),
        Command::Receiver(receiver) => process::receiver(&receiver),
        Command::StandIn(stand_in) => process::stand_in(&stand_in),
        Command::Profile(ProfileCommand::Record(record)) => profile::record(&record),
        Command::Quirk(QuirkCommand::Check(check)) => quirk::check(&check),
        Command::Budget(command) => process::budget(&command),
        Command::Schema(schema) => schema::schema(&schema),
    }
}

/// A command's exit code, or what went wrong with the code that says so.
type Outcome = Result<u8, (miette::Report, ExitCode)>;
