//! `gauntlet judge`.

use std::io::Write;

use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::oracle::{Finding, Judgement};
use gauntlet_engine::saved::{self, Again};
use gauntlet_reports::escape::one_line;
use gauntlet_reports::printed::{Changed, JUDGE, JudgedAgain};
use gauntlet_reports::replay::{Found, Judged};
use gauntlet_reports::{Verdict, json};
use miette::Report;

use crate::Outcome;
use crate::args::{JudgeArgs, TextOrJson};
use crate::run::library;

pub(crate) fn judge(args: &JudgeArgs) -> Outcome {
    let library = library(&args.scenarios)?;
    let saved = saved::read(&args.trace, &library).map_err(|error| (Report::new(error), ExitCode::Usage))?;
    let again = saved.judge(&library);
    let head = &saved.head;
    if args.format == TextOrJson::Json {
        let told = JudgedAgain {
            schema: JUDGE.to_owned(),
            cell: head.cell.clone(),
            error: head.error.clone(),
            saved_by: head.tool.clone(),
            same_data: head.catalogue.digest == library.digest,
            requirements: again.judgements.iter().map(judged).collect(),
            changed: (again.changed.iter())
                .map(|(id, (then, now))| Changed { id: id.clone(), then: *then, now: *now })
                .collect(),
            left: again.left.clone(),
        };
        // A reader that has seen enough is no reason to fail.
        let _ = std::io::stdout().lock().write_all(json::judge_json(&told).as_bytes());
        return Ok(ended(&again).code());
    }
    let mut out = std::io::stdout().lock();
    // A reader that has seen enough is no reason to fail.
    let mut say = |line: String| drop(writeln!(out, "{}", one_line(&line)));
    say(head.cell.clone());
    if let Some(error) = &head.error {
        say(format!("the harness or its environment had failed: {error}"));
    }
    if head.catalogue.digest != library.digest {
        let (then, now) = (&head.catalogue.revision, library.revision_name());
        say(format!(
            "saved by gauntlet {} with other data than today's (catalogue {then}, now {now})",
            head.tool.version
        ));
    }
    let name = |verdict: &Option<Verdict>| verdict.map_or("not judged", Verdict::label);
    for (id, (then, now)) in &again.changed {
        say(format!("changed {id}: {} -> {}", name(then), name(now)));
    }
    for (id, judgement) in &again.judgements {
        let is_told = again.changed.contains_key(id) || judgement.verdict == Verdict::Fail;
        if !is_told {
            continue;
        }
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
    for id in &again.left {
        say(format!("not judged again: {id}, since it looks for what was redacted"));
    }
    let same =
        again.judgements.len() - again.judgements.keys().filter(|id| again.changed.contains_key(*id)).count();
    say(format!("{same} verdicts as they were saved, {} changed", again.changed.len()));
    Ok(ended(&again).code())
}

fn ended(again: &Again) -> ExitCode {
    let failed = again.judgements.values().any(|judgement| judgement.verdict == Verdict::Fail);
    if failed || !again.changed.is_empty() { ExitCode::Nonconformance } else { ExitCode::Pass }
}

fn judged((id, judgement): (&String, &Judgement)) -> Judged {
    let found = |finding: &Finding| Found {
        expected: finding.expected.clone(),
        observed: finding.observed.clone(),
        trace: finding.trace.clone(),
    };
    Judged {
        id: id.clone(),
        verdict: judgement.verdict,
        reason: judgement.reason.clone(),
        findings: judgement.findings.iter().map(found).collect(),
    }
}
