//! `gauntlet replay`.

use std::io::Write;
use std::sync::Arc;

use gauntlet_engine::cell::Outcome as Ran;
use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::matrix::not_here;
use gauntlet_engine::runner::{self, Settings};
use gauntlet_engine::session;
use gauntlet_engine::trace::redact_before_cut;
use gauntlet_reports::replay::{self, Found, Judged};
use gauntlet_reports::{Lane, Replay, Secrets, Verdict, json};
use miette::miette;
use tokio::sync::Notify;

use crate::Outcome;
use crate::args::{ReplayArgs, TextOrJson};
use crate::interrupt;

pub(crate) fn replay(args: &ReplayArgs) -> Outcome {
    let library = crate::run::library(&args.scenarios)?;
    let Some(plan) = session::find(&library, &args.cell) else {
        let help = "an id looks like fleet/work-in-the-repository@codex-0.169.0#0; results.jsonl lists them";
        return Err((miette!(help = help, "there is no cell {:?}", args.cell), ExitCode::NothingSelected));
    };
    if let Some(reason) = not_here(&library, &plan) {
        return Err((miette!("{} is skipped: {reason}", args.cell), ExitCode::NothingSelected));
    }
    let settings = Settings { binary: std::env::current_exe().ok(), ..Settings::default() };
    let end = Arc::new(Notify::new());
    let ended = end.clone();
    // A cell of the virtual lane leaves nothing behind.
    if plan.lane == Lane::Real {
        interrupt::watch(&settings.stop, move || ended.notify_one());
    }
    let Some(mut outcome) = runner::outcome(&plan, &library, &settings, &end) else {
        return Err((miette!("{} was interrupted", args.cell), ExitCode::Broken));
    };
    let secrets = Secrets::new(outcome.secrets.clone());
    redact_before_cut(&mut outcome.observations, &secrets);
    if args.format == TextOrJson::Json {
        return as_json(&args.cell, plan.lane, &outcome, &secrets);
    }
    let mut out = std::io::stdout().lock();
    let mut say = |line: String| {
        let _ = writeln!(out, "{}", secrets.redact(&line));
    };
    for (index, seen) in outcome.observations.iter().enumerate() {
        say(format!(
            "{index:4} {:>9} ms  {}",
            seen.at_ms,
            serde_json::to_string(&seen.what).unwrap_or_default()
        ));
    }
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
    if plan.lane == Lane::Virtual {
        say(format!("digest {}", outcome.digest));
    }
    if let Some(error) = &outcome.error {
        return Err((miette!("{error}"), ExitCode::Broken));
    }
    let failed = outcome.judgements.values().any(|judgement| judgement.verdict == Verdict::Fail);
    Ok(if failed { ExitCode::Nonconformance } else { ExitCode::Pass }.code())
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
