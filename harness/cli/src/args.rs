//! The arguments of the command.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use gauntlet_engine::explore::crash::Asked;
use gauntlet_engine::hold::At;
use gauntlet_engine::narrow::Shard;
use gauntlet_runtime::fleet::budget::command::BudgetCommand;
use gauntlet_runtime::fleet::command::SendArgs;

/// A conformance test harness and simulator for the bridges through which coding agents work for each other.
#[derive(Debug, Parser)]
#[command(name = "gauntlet", version, about, after_help = EXIT_CODES, max_term_width = HELP_WIDTH)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Show what happens inside, on standard error: a filter such as `debug` or `gauntlet_engine=trace`
    #[arg(long, global = true, value_name = "FILTER")]
    pub(crate) log: Option<String>,
}

/// Help is folded to what every terminal shows, also where nobody says how wide one is.
const HELP_WIDTH: usize = 80;

const EXIT_CODES: &str = "Exit codes: 0 all required verdicts pass, 1 nonconformance, 2 wrong usage or malformed input, \
                          3 the harness or the environment failed, 4 nothing was selected";

const SEND_CODES: &str = "Exit codes: 0 the answer is on standard output, 1 there is none, and standard error says why, 2 wrong usage";

const JUDGE_CODES: &str = "Exit codes: 0 the verdicts are those that were saved, and none is a failure, 1 one changed or failed, 2 the \
                           trace cannot be read";

const DRIFT_CODES: &str = "Exit codes: 0 a version can be pinned, 1 none is safe, 2 wrong usage or malformed input, 3 the harness or \
                           the environment failed";

const EXPLORE_CODES: &str = "Exit codes: 0 nothing was found, 1 something was, 2 wrong usage or malformed input, 3 the harness failed: it \
                             was interrupted, a kind of port call is in use and nobody died there, or cells could not be made, 4 \
                             nothing was selected, or nobody came to the point that was asked for";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the scenario matrix and write the compliance reports
    Run(RunArgs),
    /// Certify a receiver or a runtime that is not ours: start it, tell every story that it can be judged by, and write the reports
    Certify(CertifyArgs),
    /// Write the receiver.toml of a receiver: probes its card and runs one turn as a first check
    Init(InitArgs),
    /// Run one cell again and show it: a sequence diagram, everything that was observed, and the verdicts
    Replay(ReplayArgs),
    /// Judge a saved trace by today's oracles, and say what changed
    #[command(after_help = JUDGE_CODES)]
    Judge(JudgeArgs),
    /// Show what the versions of an executor's CLI keep and change, and which one to pin
    #[command(after_help = DRIFT_CODES)]
    Drift(DriftArgs),
    /// Search for what nobody wrote down
    #[command(subcommand)]
    Explore(ExploreCommand),
    /// List what there is, or what of the catalogue is not covered
    List(ListArgs),
    /// Explain anything that has a name: a requirement, scenario, quirk, fault, profile, release, executor, roadmap item, injection
    /// point or cell
    Explain(ExplainArgs),
    /// Look at this computer, without writing anything: what is installed, what is missing, and how to get it
    Doctor(DoctorArgs),
    /// Revisions of the catalogue, the frozen lists of requirements
    #[command(subcommand)]
    Catalogue(CatalogueCommand),
    /// Run the reference receiver in front of a CLI, in the current directory
    Serve(ServeArgs),
    /// What peers with a budget have used, in the profile that HERMES_HOME names
    #[command(subcommand)]
    Budget(BudgetCommand),
    /// Send a message to an agent of the fleet whose profile HERMES_HOME names, else ~/.hermes
    #[command(after_help = SEND_CODES)]
    Send(SendArgs),
    /// Make profiles of CLIs
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Quirks: deviations of peers, as data
    #[command(subcommand)]
    Quirk(QuirkCommand),
    /// Print the JSON Schema of a file format
    Schema(SchemaArgs),
    /// Print the completions for a shell
    Completions(CompletionsArgs),
    /// Write the manual pages
    Man(ManArgs),
    /// Be a receiver that ends when its standard input ends (for the harness itself)
    #[command(hide = true)]
    Receiver(ReceiverArgs),
    /// Be an executor's CLI behind a receiver (for the harness itself)
    #[command(hide = true)]
    StandIn(StandInArgs),
}

/// The lanes that a run can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LaneChoice {
    /// In process, on a paused clock
    Virtual,
    /// Sockets, processes, wall clock
    Real,
    /// Both
    Both,
}

/// Which cells of the matrix are meant.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Which cells")]
pub(crate) struct SelectArgs {
    /// Only this executor (repeatable)
    #[arg(long)]
    pub(crate) executor: Vec<String>,
    /// Only this version of the executor's CLI (repeatable)
    #[arg(long)]
    pub(crate) version: Vec<String>,
    /// Only the cells of this pattern: globs over the components of an id, `fleet/busy@codex-*+quirk#7~real` (repeatable)
    ///
    /// `*` stands for anything within a component (the story is one), `**` goes across. What is left out can be anything; who names a
    /// seed, though, names whole ids, and then no release, deviation and lane are meant but those that are written.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) only: Vec<String>,
    /// Judge this release of the receiver instead of the reference; what it does not keep makes the run fail
    #[arg(long, value_name = "ID", default_value = "reference")]
    pub(crate) release: String,
    /// Which lane
    #[arg(long, value_enum, default_value = "both")]
    pub(crate) lane: LaneChoice,
    /// Tell every story over real processes on each executor, and one with each quirk; otherwise every fifth one, once. And try every
    /// quirk and fault on all that it bites on; otherwise faults, and quirks whose rows a cell does not judge, in a third of the cells
    #[arg(long)]
    pub(crate) thorough: bool,
    /// The root of everything random
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// With how many seeds each cell is run: `--seed` and those after it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) seeds: u16,
    #[command(flatten)]
    pub(crate) narrow: NarrowArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    /// How many cells at once; the number of processors if absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// Judge by this revision of the catalogue: newer requirements run unscored
    #[arg(long, value_name = "REV")]
    pub(crate) catalogue: Option<String>,
    /// Where the reports go
    #[arg(long, value_name = "DIR", default_value = "reports/out")]
    pub(crate) out: PathBuf,
    /// Also read requirements, scenarios, profiles, quirks and faults from this folder (repeatable)
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) known: KnownArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Take the cells in another order, drawn by this number; the results are the same
    #[arg(long, value_name = "N", hide = true)]
    pub(crate) shuffle: Option<u64>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct InitArgs {
    /// The executor whose CLI is behind it
    #[arg(long)]
    pub(crate) executor: Option<String>,
    /// The command by which it is started; {port}, {token}, {workdir} and so on stand for what a cell gives it
    #[arg(long, conflicts_with = "url")]
    pub(crate) command: Option<String>,
    /// Its environment, with the same words (repeatable)
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,
    /// A file that it is to find, and the file beside the manifest that holds it (repeatable)
    #[arg(long, value_name = "PATH=FROM")]
    pub(crate) file: Vec<String>,
    /// It is of the product line a2a_fleet, and reads its configuration from there
    #[arg(long)]
    pub(crate) fleet: bool,
    /// In the place of a command: where one listens that runs already
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// With `--url`: the variable of the environment that holds its bearer
    #[arg(long, value_name = "NAME", requires = "url")]
    pub(crate) token_env: Option<String>,
    /// Where the manifest goes
    #[arg(long, value_name = "FILE", default_value = "receiver.toml")]
    pub(crate) out: PathBuf,
    /// Write over a manifest that is there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CertifyArgs {
    /// How the receiver is started, and what it can be judged by; docs/receiver-toml.md tells what is in it. Or the manifest of a runtime,
    /// with its driver; docs/runtime-toml.md tells what is in that one
    #[arg(value_name = "receiver.toml", required_unless_present = "url")]
    pub(crate) manifest: Option<PathBuf>,
    /// In the place of a manifest: where a receiver runs already, which is judged as a black box
    #[arg(long, conflicts_with = "manifest", requires = "executor")]
    pub(crate) url: Option<String>,
    /// With `--url`: the executor behind it
    #[arg(long, requires = "url")]
    pub(crate) executor: Option<String>,
    /// With `--url`: the variable of the environment that holds its bearer
    #[arg(long, value_name = "NAME", requires = "url")]
    pub(crate) token_env: Option<String>,
    /// Only the cells of this pattern: globs over the components of an id, as for `run` (repeatable)
    #[arg(long, value_name = "PATTERN")]
    pub(crate) only: Vec<String>,
    /// Only cells that judge this requirement, an id or a glob, and only such requirements are scored (repeatable)
    #[arg(long, value_name = "ID")]
    pub(crate) requirement: Vec<String>,
    /// Only the cells that failed, or had no verdict, in this results.jsonl of an earlier run
    #[arg(long, value_name = "FILE")]
    pub(crate) failed_in: Option<PathBuf>,
    /// How often each story is told; what comes out differently is marked as flaky
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) repeat: u16,
    /// Also tell the stories that wait for limits that cannot be set
    #[arg(long)]
    pub(crate) slow: bool,
    /// How many copies of it at once; never more than its manifest allows, which is usual
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// Where the reports go
    #[arg(long, value_name = "DIR", default_value = "reports/certify")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// What narrows the matrix down by what cells judge, and by what an earlier run found.
#[derive(Debug, ClapArgs)]
pub(crate) struct NarrowArgs {
    /// Only cells that judge this requirement, an id or a glob, and only such requirements are scored (repeatable)
    #[arg(long, value_name = "ID")]
    pub(crate) requirement: Vec<String>,
    /// The same by class: core, capability, parity (repeatable)
    #[arg(long)]
    pub(crate) class: Vec<String>,
    /// The same by level: must, should, may (repeatable)
    #[arg(long)]
    pub(crate) level: Vec<String>,
    /// The same by the role that a requirement binds: receiver, runtime, hermes, cli (repeatable)
    #[arg(long)]
    pub(crate) role: Vec<String>,
    /// Only the cells that failed where nobody expected it, or had no verdict, in this results.jsonl of an earlier run
    #[arg(long, value_name = "FILE")]
    pub(crate) failed_in: Option<PathBuf>,
    /// Which quirks and faults cross the plain cells: none, all (where the whole matrix takes a sample otherwise), or an id or a glob
    /// (repeatable)
    #[arg(long, value_name = "ID")]
    pub(crate) quirks: Vec<String>,
    /// Only one of several parts, as 1/4, drawn by a hash of the cell's id
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<Shard>,
}

/// Lists of what is known to fail.
#[derive(Debug, ClapArgs)]
pub(crate) struct KnownArgs {
    /// A list of known failures: they are counted apart, and one that passes or expired is an error (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(crate) known_failures: Vec<PathBuf>,
    /// The same, for what may fail and pass (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(crate) known_flaky: Vec<PathBuf>,
    /// Write the lists anew: prune what passes, add what fails to the first one, with a reason and an owner to fill in
    #[arg(long, requires = "known_failures")]
    pub(crate) update_known_failures: bool,
    /// The day on which the lists are looked at
    #[arg(long, value_name = "YYYY-MM-DD", hide = true)]
    pub(crate) today: Option<jiff::civil::Date>,
}

/// What is printed.
#[derive(Debug, ClapArgs)]
pub(crate) struct OutputArgs {
    /// How the summary is printed
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,
    /// Append a summary in Markdown to this file, as to that which GITHUB_STEP_SUMMARY names
    #[arg(long, value_name = "FILE")]
    pub(crate) step_summary: Option<PathBuf>,
    /// Print nothing but mistakes and, in JSON, the summary
    #[arg(long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Tell each cell on standard error
    #[arg(long)]
    pub(crate) verbose: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ResultsArgs {
    /// The last results: a folder of reports, a report.json or a results.jsonl; `reports/out` when it is there
    #[arg(long, value_name = "PATH")]
    pub(crate) results: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExplainArgs {
    /// The name, as lists and reports show it
    pub(crate) id: String,
    /// How
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,
    #[command(flatten)]
    pub(crate) results: ResultsArgs,
    /// Also read data from this folder (repeatable)
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Vec<PathBuf>,
}

/// How a command answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextOrJson {
    /// For people
    #[value(alias = "human")]
    Text,
    /// For programs
    Json,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DoctorArgs {
    /// How
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogueCommand {
    /// Print the catalogue as it is now as a revision, for `scenarios/catalogue/REV.yaml`
    Freeze(FreezeArgs),
    /// Print what the catalogue has become since its newest revision, for `scenarios/catalogue/unreleased.yaml`
    Unreleased,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct FreezeArgs {
    /// The name of the revision, for instance 2026-12
    #[arg(value_name = "REV")]
    pub(crate) revision: String,
    /// The day, as YYYY-MM-DD
    #[arg(long)]
    pub(crate) date: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ManArgs {
    /// Into which folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ListArgs {
    /// What to list
    #[arg(value_enum, conflicts_with_all = ["uncovered", "roadmap"])]
    pub(crate) what: Option<Things>,
    /// The requirements that nothing judges, and those that nothing was ever seen to break. Ends with 1 when a must is judged by
    /// nothing
    #[arg(long)]
    pub(crate) uncovered: bool,
    /// The items of the roadmap, their requirements, and the last result of each
    #[arg(long, conflicts_with = "uncovered")]
    pub(crate) roadmap: bool,
    #[command(flatten)]
    pub(crate) results: ResultsArgs,
    /// How
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: ListFormat,
    /// Also read data from this folder (repeatable)
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Vec<PathBuf>,
    /// For `cells`: the same flags as those of `run`
    #[command(flatten)]
    pub(crate) select: SelectArgs,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Things {
    /// The catalogue
    Requirements,
    /// Scenarios, one for each row of their parameters
    Scenarios,
    /// Deviations of peers
    Quirks,
    /// Versions of executors' CLIs
    Profiles,
    /// Versions of receivers
    Releases,
    /// Misbehaviour of the world
    Faults,
    /// The cells that a run with the same flags would take
    Cells,
}

/// How a list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// Columns
    Text,
    /// A Markdown table
    Md,
    /// A list of objects
    Json,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ReplayArgs {
    /// The cell's id, as reports show it; or the file of a saved trace (`.jsonl`, `.jsonl.gz`), which is shown and not run
    pub(crate) cell: String,
    /// How it is printed
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,
    /// Write the trace to this file, without secrets and for nobody else to read; `gauntlet judge` reads it
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Hold a cell of the real lane before a step, by its number or name, or at its first `failure`, until Enter
    ///
    /// Where its files and processes are is told on standard error; they go on meanwhile. An interrupt ends the cell. Whichever comes,
    /// all is cleared away.
    #[arg(long, value_name = "STEP|failure")]
    pub(crate) hold: Option<At>,
    /// Also read data from this folder (repeatable)
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct JudgeArgs {
    /// The file that `gauntlet replay CELL --save FILE` wrote, or one of the traces that `gauntlet certify` keeps
    pub(crate) trace: PathBuf,
    /// How
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,
    /// Also read data from this folder (repeatable)
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DriftArgs {
    /// The executor whose CLI is looked at
    pub(crate) executor: String,
    /// The release of the receiver in front of it
    #[arg(long, value_name = "ID", default_value = "reference")]
    pub(crate) release: String,
    /// How
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: ListFormat,
    /// How many cells at once; the number of processors if absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// Also read data from this folder (repeatable)
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExploreCommand {
    /// Kill the receiver and the runtime, and cut their power, at every point at which they touch a port, and start them again
    ///
    /// Each story of the fleet is told once for each point, in virtual time, and judged by what holds in every cell. Points that leave
    /// the same world are one. A finding says the requirement, the role, the cell, the point, and the command that runs it alone.
    #[command(after_help = EXPLORE_CODES)]
    Crash(ExploreCrashArgs),
    /// Draw stories, quirks, faults, latencies and orders of tasks together, and judge them by what holds in every cell
    ///
    /// Each cell switches families of misbehaviour on and off. A quirk excuses what its own role does not keep, and nothing else. What
    /// is found is made as small as it gets, and written as a file of scenarios that tells it again.
    #[command(after_help = EXPLORE_CODES)]
    Faults(ExploreFaultsArgs),
    /// Send work to receivers over real processes for some minutes, and kill, stop, continue and cut them meanwhile
    ///
    /// Random stories are told side by side on loopback, and judged by what holds in every cell. What fails is told again by itself: what
    /// fails again is a finding, and what does not is flaky, which ends with 3. Nothing is begun when the time is over; the last
    /// stories take some seconds. Nothing is left behind, also when it is interrupted.
    #[command(after_help = EXPLORE_CODES)]
    Real(ExploreRealArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExploreRealArgs {
    /// So many minutes, also parts of them: 0.5
    #[arg(long, value_name = "M", value_parser = minutes)]
    pub(crate) minutes: f64,
    /// What draws the stories
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Only this executor (repeatable)
    #[arg(long)]
    pub(crate) executor: Vec<String>,
    /// End after findings of so many requirements
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) most: u16,
    /// How many stories at once; four times the number of processors if absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// Also write what was found, and a file of scenarios for each, below this folder, which `--scenarios` then reads
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// How it is printed
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,
    /// Also read data from this folder (repeatable)
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Vec<PathBuf>,
}

/// Some minutes, and no more than a week of them.
fn minutes(text: &str) -> Result<f64, String> {
    let minutes = text.parse().ok().filter(|minutes| (0.01..=10_080.0).contains(minutes));
    minutes.ok_or_else(|| "expected minutes, from 0.01 to 10080".to_owned())
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExploreFaultsArgs {
    /// How many cells are drawn
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) cells: u64,
    /// What draws them
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// End after findings of so many requirements
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) most: u16,
    /// How many cells at once; the number of processors if absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// Also write what was found, and a file of scenarios for each, below this folder, which `--scenarios` then reads
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// How it is printed
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,
    /// Also read data from this folder (repeatable)
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExploreCrashArgs {
    /// Only this executor (repeatable)
    #[arg(long)]
    pub(crate) executor: Vec<String>,
    /// Only this version of the executor's CLI, instead of the newest (repeatable)
    #[arg(long)]
    pub(crate) version: Vec<String>,
    /// Only the cells of this pattern, as for `run` (repeatable)
    #[arg(long, value_name = "PATTERN")]
    pub(crate) only: Vec<String>,
    /// Tell each story on every executor; otherwise on one, drawn by its name
    #[arg(long)]
    pub(crate) thorough: bool,
    /// Only this process dies; both if absent
    #[arg(long, value_enum)]
    pub(crate) host: Option<HostChoice>,
    /// Only this point: the number of a port call of the host, then kill or cut, then before or after, as 17:kill:before. A second
    /// crash, of what came back, follows behind a comma with its host: 17:kill:before,receiver:5:cut:after
    #[arg(long, value_name = "N[:kill|cut][:before|after][,HOST:N:…]", requires = "host", requires = "only")]
    pub(crate) point: Option<Asked>,
    /// Of so many crashes, one is followed by another during recovery; 0 for none
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(crate) twice: u64,
    /// The root of everything random: the cells, what power cuts leave, and second crashes
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Begin nothing new after so many seconds, and say what was left out
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// How many cells at once; the number of processors if absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// Also write what was found, and traces to look at, below this folder; `judge` does not read these: the command of a finding
    /// tells it again
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// How it is printed
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,
    /// Also read data from this folder (repeatable)
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Vec<PathBuf>,
}

/// The processes that can die.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HostChoice {
    /// The runtime that dispatches
    Runtime,
    /// The receiver
    Receiver,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ServeArgs {
    /// The executor whose CLI is behind the receiver
    #[arg(required_unless_present = "list")]
    pub(crate) executor: Option<String>,
    /// List the versions, releases and quirks that can be served, and serve nothing
    #[arg(long)]
    pub(crate) list: bool,
    /// Play this version of the CLI (`newest` is one, too) instead of calling the one on PATH: no model is asked, and every turn is
    /// answered `ok`
    #[arg(long, value_name = "V")]
    pub(crate) version: Option<String>,
    /// Be this release of the receiver: its framing and its quirks
    #[arg(long, value_name = "ID", default_value = "reference")]
    pub(crate) release: String,
    /// Let the receiver deviate in this way as well, or with `--version` the CLI behind it (repeatable)
    #[arg(long, value_name = "ID")]
    pub(crate) quirk: Vec<String>,
    /// Also read releases and quirks from this folder (repeatable)
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Vec<PathBuf>,
    /// Report at the end what it saw its client keep and break: exit code 0 all kept, 1 something broken, 4 nothing seen
    #[arg(long)]
    pub(crate) judge: bool,
    /// With `--judge`: judge only those requirements of clients that this story judges, and those that it rests on
    #[arg(long, value_name = "ID", requires = "judge")]
    pub(crate) scenario: Option<String>,
    /// With `--judge`: where client.json goes
    #[arg(long, value_name = "DIR", default_value = "reports/client", requires = "judge")]
    pub(crate) out: PathBuf,
    /// How it differs from the reference, as JSON, in the place of all else that says so (for the harness itself)
    #[arg(long, value_name = "FILE", hide = true, conflicts_with_all = ["release", "quirk", "scenarios", "version", "list"])]
    pub(crate) deviations: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ReceiverArgs {
    /// The executor whose CLI is behind the receiver
    pub(crate) executor: String,
    /// How it differs from the reference, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) deviations: PathBuf,
}

#[derive(Debug, ClapArgs)]
#[command(override_usage = "gauntlet stand-in [OPTIONS] <EXECUTOR> [-- <ARGS>...]")]
pub(crate) struct StandInArgs {
    /// The executor whose CLI is stood in for
    pub(crate) executor: String,
    #[arg(long)]
    pub(crate) control: String,
    #[arg(long)]
    pub(crate) key_file: PathBuf,
    /// The arguments that the receiver gave
    #[arg(last = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QuirkCommand {
    /// Run the cells of quirks, explain where `violates` is not what fails there, and print the patch
    ///
    /// Ends with 0 when all are exact, or were made so, with 1 when one is not, and with 2 when one reaches no cell.
    Check(QuirkCheckArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct QuirkCheckArgs {
    /// The quirks, by ids or globs; all when there are none
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Also write it to the file
    #[arg(long)]
    pub(crate) fix: bool,
    /// Over which mechanics: `both` also tells, over real processes, the fewest stories in which everything failed that the quirk
    /// names, and says where the lanes differ; `real` leaves the list of virtual time unjudged
    #[arg(long, value_enum, default_value = "virtual", value_name = "LANE")]
    pub(crate) lane: LaneChoice,
    /// How
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,
    /// Also read data from this folder (repeatable)
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// Make the profile of one version of a CLI from a folder of recordings
    ///
    /// The folder is named like the version and lies in one that is named like the executor; it holds `<case>.stdout.jsonl` and
    /// `<case>.stderr.txt` for cases such as text, tool, resume, err401 and cut. `exit-codes.txt`, there or one folder above, may
    /// say the exit codes. The profile goes to standard output; what the recordings do not tell, and what stands in the profile
    /// instead, is listed on standard error and needs a hand.
    Record(RecordArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RecordArgs {
    /// The folder, for instance `tests/fixtures/codex/0.169.0`
    pub(crate) dir: PathBuf,
    /// The executor, when the folder above is not named like it
    #[arg(long)]
    pub(crate) executor: Option<String>,
    /// Write the profile to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SchemaArgs {
    /// Which format
    #[arg(value_enum)]
    pub(crate) format: Format,
}

/// The formats with a published schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Scenario files
    Scenario,
    /// receiver.toml
    Receiver,
    /// runtime.toml
    Runtime,
    /// report.json
    Report,
    /// summary.json
    Summary,
    /// What `replay --format json` prints
    Replay,
    /// What `drift --format json` prints
    Drift,
    /// What `explore crash --format json` prints
    ExploreCrash,
    /// What `explore faults --format json` prints
    ExploreFaults,
    /// What `explore real --format json` prints
    ExploreReal,
    /// A line of results.jsonl
    ResultsLine,
    /// A line of what `replay --save FILE` writes
    Trace,
    /// What `judge --format json` prints
    Judge,
    /// What `quirk check --format json` prints
    QuirkCheck,
    /// What `list --format json` prints
    List,
    /// What `explain --format json` prints
    Explain,
    /// `client.json`, which `serve --judge` writes
    Client,
    /// What `doctor --format json` prints
    Doctor,
    /// What `budget show --format json` and `budget reset --format json` print
    Budget,
    /// What `send --json` prints
    Send,
}
