//! The command line of opencode: which words each version speaks, and what they ask for.
//!
//! The real CLI is made with yargs. It refuses an option that it does not know by its help on standard output (recorded from
//! 1.0.0). What it accepts and this stand-in cannot play is refused too, but with a reason that says so: a scenario that meets it
//! has no verdict.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cli::asked::{Asked, Refusal, TurnRequest};
use crate::cli::option::OptionRule;

/// The arguments that one version speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// The options of `opencode run`.
    pub options: Vec<OptionRule>,
    /// The help of `opencode run`, which it prints when it refuses. Absent: it is not known, and a refusal cannot be played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// The exit code of a refusal (recorded: the receiver's `exited rc=1` for 1.0.0).
const EXIT_USAGE: i32 = 1;

fn unplayed(what: &str) -> Refusal {
    Refusal::unplayed("opencode", what)
}

/// Reads a command line, without the program's own name.
pub(super) fn read(arguments: &Arguments, args: &[String]) -> Asked {
    match args.first().map(String::as_str) {
        Some("--version" | "-v") => Asked::Probe,
        Some("run") => match turn(arguments, &args[1..]) {
            Ok(request) => Asked::Turn(request),
            Err(refusal) => Asked::Refused(refusal),
        },
        Some(other) => Asked::Refused(unplayed(&format!("opencode {other}"))),
        None => Asked::Refused(unplayed("the interactive screen (no argument)")),
    }
}

fn turn(arguments: &Arguments, args: &[String]) -> Result<TurnRequest, Refusal> {
    let mut options = BTreeMap::new();
    let mut message = Vec::new();
    let mut rest = args.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        if word == "--" {
            message.extend(rest.by_ref());
        } else if word.starts_with('-') && word.len() > 1 {
            let (name, attached) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word, None),
            };
            let option = known(arguments, name)?;
            let next = || rest.next().filter(|value| !value.starts_with('-'));
            let value = option.given(attached, next).map_err(|wrong| unplayed(&wrong))?;
            if !option.values.is_empty() && !option.values.iter().any(|known| known == value) {
                return Err(refused(arguments, format!("Invalid values: {}: {value}", option.long)));
            }
            if option.unplayed {
                return Err(unplayed(&option.shown()));
            }
            if options.insert(option.long.clone(), value.to_owned()).is_some() && !option.repeatable {
                return Err(unplayed(&format!("{} given twice", option.shown())));
            }
        } else {
            message.push(word);
        }
    }
    if options.get("format").map(String::as_str) != Some("json") {
        return Err(unplayed("a turn without --format json"));
    }
    if message.is_empty() {
        return Err(unplayed("a message from standard input"));
    }
    Ok(TurnRequest { prompt: message.join(" "), session: options.get("session").cloned(), options })
}

/// The option of that name, with its dashes.
fn known<'a>(arguments: &'a Arguments, name: &str) -> Result<&'a OptionRule, Refusal> {
    if matches!(name, "--help" | "-h" | "--version" | "-v") {
        return Err(unplayed(name));
    }
    match OptionRule::named(&arguments.options, name) {
        Some(option) => Ok(option),
        // Several letters behind one dash: which of them are a value is yargs' secret.
        None if !name.starts_with("--") && name.chars().count() > 2 => Err(unplayed(name)),
        None => Err(refused(arguments, format!("Unknown argument: {}", name.trim_start_matches('-')))),
    }
}

fn refused(arguments: &Arguments, reason: String) -> Refusal {
    match &arguments.help {
        Some(help) => Refusal {
            reason,
            stdout: help.lines().map(str::to_owned).collect(),
            stderr: Vec::new(),
            exit: EXIT_USAGE,
            real: true,
        },
        None => unplayed(&format!("the refusal of this version: {reason}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(help: Option<&str>, line: &[&str]) -> Asked {
        let format = OptionRule {
            values: ["default", "json"].map(str::to_owned).to_vec(),
            ..OptionRule::plain("format", None, Some("string"))
        };
        let arguments = Arguments {
            options: vec![
                format,
                OptionRule::plain("session", Some('s'), Some("string")),
                OptionRule::plain("model", Some('m'), Some("string")),
                OptionRule { unplayed: true, ..OptionRule::plain("continue", Some('c'), None) },
            ],
            help: help.map(str::to_owned),
        };
        read(&arguments, &line.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    fn turn_of(line: &[&str]) -> TurnRequest {
        match asked(None, line) {
            Asked::Turn(request) => request,
            other => panic!("expected a turn from {line:?}, found {other:?}"),
        }
    }

    fn refusal_of(help: Option<&str>, line: &[&str]) -> Refusal {
        match asked(help, line) {
            Asked::Refused(refusal) => refusal,
            other => panic!("expected a refusal of {line:?}, found {other:?}"),
        }
    }

    #[test]
    fn a_turn_is_understood_in_every_spelling_and_order() {
        let plain = turn_of(&["run", "--session", "ses_1", "do it", "--format", "json", "--model", "m"]);
        assert_eq!((plain.prompt.as_str(), plain.session.as_deref()), ("do it", Some("ses_1")));
        for line in [
            &["run", "do", "it", "-s=ses_1", "--format=json", "-m", "m"][..],
            &["run", "--format", "json", "--model=m", "-s", "ses_1", "--", "do it"],
        ] {
            assert_eq!(turn_of(line), plain);
        }
        assert_eq!(turn_of(&["run", "--format", "json", "--", "--session"]).prompt, "--session");
    }

    #[test]
    fn an_unknown_option_is_refused_by_the_help_where_that_is_known() {
        let line = ["run", "do it", "--format", "json", "--foo"];
        let real = refusal_of(Some("opencode run\n\nOptions:\n"), &line);
        assert_eq!((real.stdout.len(), real.stderr.len(), real.exit, real.real), (3, 0, 1, true));
        assert_eq!(real.reason, "Unknown argument: foo");
        assert!(!refusal_of(None, &line).real, "without its help this stand-in cannot play it");
        let bad = refusal_of(Some("help"), &["run", "do it", "--format", "xml"]);
        assert!(bad.real && bad.reason.starts_with("Invalid values"), "{bad:?}");
    }

    #[test]
    fn what_the_stand_in_cannot_play_is_refused_in_its_own_name() {
        for line in [
            &["run", "do it"][..],
            &["run", "--format", "json"],
            &["run", "--format", "json", "--continue", "do it"],
            &["run", "--format", "json", "--format", "json", "do it"],
            &["run", "--format", "json", "do it", "--session"],
            &["run", "--format", "json", "do it", "-sx"],
            &["run", "--help"],
            &["serve"],
            &[],
        ] {
            let refusal = refusal_of(Some("help"), line);
            assert!(!refusal.real && refusal.stderr[0].starts_with("gauntlet: "), "{line:?}");
        }
    }
}
