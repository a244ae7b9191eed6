//! The command line of the Antigravity CLI.
//!
//! How it refuses what it does not know was not recorded, so that a line with anything else in it cannot be played, and a scenario
//! that meets one has no verdict.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cli::asked::{Asked, Refusal, TurnRequest};
use crate::cli::option::OptionRule;
use gauntlet_world::injection::Millis;

/// The option that says how long an answer may take.
pub(super) const LIMIT: &str = "print-timeout";

/// The arguments that one version speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// The options of `agy`.
    pub options: Vec<OptionRule>,
}

fn unplayed(what: &str) -> Refusal {
    Refusal::unplayed("agy", what)
}

/// Reads a command line, without the program's own name.
pub(super) fn read(arguments: &Arguments, args: &[String]) -> Asked {
    match args {
        [only] if only == "--help" => Asked::Probe,
        _ => match turn(arguments, args) {
            Ok(request) => Asked::Turn(request),
            Err(refusal) => Asked::Refused(refusal),
        },
    }
}

fn turn(arguments: &Arguments, args: &[String]) -> Result<TurnRequest, Refusal> {
    let mut options = BTreeMap::new();
    let mut rest = args.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        if !word.starts_with('-') || word.len() < 2 {
            return Err(unplayed(&format!("the argument {word:?}")));
        }
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        let option = OptionRule::named(&arguments.options, name).ok_or_else(|| unplayed(name))?;
        let value = option.given(attached, || rest.next()).map_err(|wrong| unplayed(&wrong))?;
        if option.unplayed {
            return Err(unplayed(&option.shown()));
        }
        if options.insert(option.long.clone(), value.to_owned()).is_some() && !option.repeatable {
            return Err(unplayed(&format!("{} given twice", option.shown())));
        }
    }
    if options.get(LIMIT).is_some_and(|limit| limit.parse::<Millis>().is_err()) {
        return Err(unplayed("a limit that is no duration"));
    }
    let prompt = options.get("print").cloned().ok_or_else(|| unplayed("anything but a turn with --print"))?;
    Ok(TurnRequest { prompt, session: options.get("conversation").cloned(), options })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &[&str]) -> Asked {
        let arguments = Arguments {
            options: vec![
                OptionRule::plain("print", Some('p'), Some("prompt")),
                OptionRule::plain("conversation", None, Some("id")),
                OptionRule::plain("print-timeout", None, Some("duration")),
                OptionRule::plain("sandbox", None, None),
                OptionRule { unplayed: true, ..OptionRule::plain("continue", Some('c'), None) },
            ],
        };
        read(&arguments, &line.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_turn_is_understood_in_every_spelling() {
        for line in [
            &["--conversation", "u1", "--print", "-hi", "--print-timeout", "300s", "--sandbox"][..],
            &["-p", "-hi", "--sandbox", "--print-timeout=300s", "--conversation=u1"],
        ] {
            let Asked::Turn(request) = asked(line) else { panic!("{line:?} is a turn") };
            assert_eq!((request.prompt.as_str(), request.session.as_deref()), ("-hi", Some("u1")));
            assert_eq!(request.options[LIMIT], "300s");
        }
        assert_eq!(asked(&["--help"]), Asked::Probe);
    }

    #[test]
    fn what_nobody_knows_cannot_be_played() {
        for line in [
            &[][..],
            &["hi"],
            &["--sandbox"],
            &["-p", "hi", "--model", "m"],
            &["-p", "hi", "--continue"],
            &["-p", "hi", "-p", "ho"],
            &["-p", "hi", "--sandbox=1"],
            &["-p"],
            &["-p", "hi", "--print-timeout", "soon"],
            &["--help", "--print", "hi"],
        ] {
            let Asked::Refused(refusal) = asked(line) else { panic!("{line:?} is refused") };
            assert!(!refusal.real && refusal.stderr[0].starts_with("gauntlet: "), "{line:?}");
        }
    }
}
