//! `gauntlet replay`.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Weak};

use gauntlet_engine::cell::{Outcome as Ran, Plan};
use gauntlet_engine::data::Library;
use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::hold::{At, Held, Hold};
use gauntlet_engine::matrix::not_here;
use gauntlet_engine::runner::{self, Settings};
use gauntlet_engine::trace::redact_before_cut;
use gauntlet_engine::{saved, sequence, session};
use gauntlet_reports::escape::one_line;
use gauntlet_reports::replay::{self, Found, Judged};
use gauntlet_reports::sequence::transcript;
use gauntlet_reports::{Lane, Replay, Secrets, Verdict, json};
use miette::{IntoDiagnostic, Report, WrapErr, miette};
use tokio::sync::Notify;

use crate::Outcome;
use crate::args::{ReplayArgs, TextOrJson};
use crate::interrupt;
use crate::terminal;

pub(crate) fn replay(args: &ReplayArgs) -> Outcome {
    let library = crate::run::library(&args.scenarios)?;
    let usage = |report: Report| (report, ExitCode::Usage);
    // No id of a cell ends like a file with a trace.
    if [".jsonl", ".jsonl.gz"].iter().any(|end| args.cell.ends_with(end)) {
        return kept(args, &library);
    }
    let plan = session::named(&library, &args.cell).map_err(|error| usage(Report::new(error)))?;
    if let Some(reason) = not_here(&library, &plan) {
        return Err((miette!("{} is skipped: {reason}", args.cell), ExitCode::NothingSelected));
    }
    let hold = args.hold.as_ref().map(|at| hold(at, &plan)).transpose().map_err(usage)?;
    let settings = Settings { binary: std::env::current_exe().ok(), hold, ..Settings::default() };
    let end = Arc::new(Notify::new());
    let ended = end.clone();
    // A cell of the virtual lane leaves nothing behind.
    if plan.lane == Lane::Real {
        interrupt::watch(&settings.stop, move || ended.notify_one());
    }
    let Some(mut outcome) = runner::outcome(&plan, &library, &settings, &end) else {
        return Err((miette!("{} was interrupted", args.cell), ExitCode::Broken));
    };
    if let Some(file) = &args.save {
        let written = saved::write(file, &library, &plan, &outcome).into_diagnostic();
        let written = written.wrap_err_with(|| format!("the trace cannot be written to {}", file.display()));
        written.map_err(|error| (error, ExitCode::Broken))?;
    }
    show(args, &plan, &mut outcome)
}

/// Shows what a saved trace tells of: nothing is run.
fn kept(args: &ReplayArgs, library: &Library) -> Outcome {
    if args.hold.is_some() || args.save.is_some() {
        let message =
            miette!("expected --hold and --save with the id of a cell; a trace that is there is only shown");
        return Err((message, ExitCode::Usage));
    }
    let saved = saved::read(Path::new(&args.cell), library);
    let saved = saved.map_err(|error| (Report::new(error), ExitCode::Usage))?;
    let (plan, mut outcome) = saved.outcome(library);
    show(args, &plan, &mut outcome)
}

fn show(args: &ReplayArgs, plan: &Plan, outcome: &mut Ran) -> Outcome {
    let secrets = Secrets::new(outcome.secrets.clone());
    redact_before_cut(&mut outcome.observations, &secrets);
    if args.format == TextOrJson::Json {
        return as_json(&plan.id(), plan.lane, outcome, &secrets);
    }
    let width = terminal::width().min(WIDEST);
    let diagram = sequence::sequence(plan, &outcome.observations, &outcome.judgements, &secrets).text(width);
    let transcript = transcript(&sequence::transcript(outcome, &secrets), width);
    let mut out = std::io::stdout().lock();
    // A reader that has seen enough is no reason to fail.
    let _ = write!(out, "{diagram}\n{transcript}\n");
    let mut say = |line: String| drop(writeln!(out, "{}", one_line(&secrets.redact(&line))));
    for (id, judgement) in &outcome.judgements {
        say(format!(
            "{:14} {id}  {}",
            judgement.verdict.as_str(),
            judgement.reason.as_deref().unwrap_or_default()
        ));
        for finding in &judgement.findings {
            say(format!("{:16}expected {}", "", finding.expected));
            say(format!("{:16}observed {}", "", finding.observed));
            say(format!("{:16}at {:?}", "", finding.trace));
        }
    }
    if plan.lane == Lane::Virtual && !outcome.digest.is_empty() {
        say(format!("digest {}", outcome.digest));
    }
    if let Some(error) = &outcome.error {
        return Err((miette!("{error}"), ExitCode::Broken));
    }
    let failed = outcome.judgements.values().any(|judgement| judgement.verdict == Verdict::Fail);
    Ok(if failed { ExitCode::Nonconformance } else { ExitCode::Pass }.code())
}

/// No diagram is wider: it is read, and copied into issues.
const WIDEST: usize = 100;

/// Holds the cell until Enter, when it is one that can be held.
fn hold(at: &At, plan: &Plan) -> Result<Arc<Hold>, Report> {
    if plan.lane == Lane::Virtual {
        let help = format!("over real processes it is {}~real", plan.id());
        return Err(miette!(
            help = help,
            "--hold: expected a cell of the real lane, which has files and processes; found {}",
            plan.id()
        ));
    }
    at.check(&plan.scenario).map_err(Report::new)?;
    Ok(Arc::new_cyclic(|this: &Weak<Hold>| {
        let this = this.clone();
        Hold::new(at.clone(), move |held| {
            eprint!("{}", told(held));
            let this = this.clone();
            // The cell's thread has its own work to do, and a read from a terminal cannot be taken back.
            std::thread::spawn(move || {
                let _ = std::io::stdin().read_line(&mut String::new());
                if let Some(hold) = this.upgrade() {
                    hold.go_on();
                }
            });
        })
    }))
}

fn told(held: &Held) -> String {
    let mut text = format!("held {}\n  folder    {}\n", one_line(&held.why), held.root.display());
    text.push_str(&format!("  workdir   {}\n  receiver  127.0.0.1:{}\n", one_line(&held.workdir), held.port));
    for (pid, name) in &held.processes {
        text.push_str(&format!("  process   {pid} {}\n", one_line(name)));
    }
    text.push_str("Enter lets it go on, an interrupt ends it; then all of this is cleared away\n");
    text
}

/// The same for programs.
fn as_json(cell: &str, lane: Lane, outcome: &Ran, secrets: &Secrets) -> Outcome {
    let shown = |text: &String| secrets.redact(text);
    let judged = |(id, judgement): (&String, &gauntlet_engine::oracle::Judgement)| Judged {
        id: id.clone(),
        verdict: judgement.verdict,
        reason: judgement.reason.as_ref().map(shown),
        findings: judgement
            .findings
            .iter()
            .map(|finding| Found {
                expected: shown(&finding.expected),
                observed: shown(&finding.observed),
                trace: finding.trace.clone(),
            })
            .collect(),
    };
    let seen = outcome.observations.iter().map(|seen| {
        let line = secrets.redact(&serde_json::to_string(seen).unwrap_or_default());
        serde_json::from_str(&line).unwrap_or_default()
    });
    let verdict = match &outcome.error {
        Some(_) => Verdict::Error,
        None => Verdict::worst(outcome.judgements.values().map(|judgement| judgement.verdict)),
    };
    let told = Replay {
        schema: replay::SCHEMA.to_owned(),
        cell: cell.to_owned(),
        lane,
        verdict,
        error: outcome.error.as_ref().map(shown),
        digest: if lane == Lane::Virtual { outcome.digest.clone() } else { String::new() },
        requirements: outcome.judgements.iter().map(judged).collect(),
        trace: seen.collect(),
    };
    // A reader that has seen enough is no reason to fail.
    let _ = std::io::stdout().lock().write_all(json::replay_json(&told).as_bytes());
    let code = match verdict {
        Verdict::Error => ExitCode::Broken,
        Verdict::Fail => ExitCode::Nonconformance,
        _ => ExitCode::Pass,
    };
    Ok(code.code())
}
