//! The command line of Claude Code: which words each version speaks, and what they ask for.
//!
//! The real CLI is made with commander, and an option that it does not know it refuses in commander's words. What the real CLI
//! accepts and this stand-in cannot play is refused too, but with a reason that says so: a scenario that meets it has no
//! verdict.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cli::asked::{Asked, Refusal, TurnRequest};
use crate::cli::option::OptionRule;

/// The arguments that one version speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// The options of `claude`.
    pub options: Vec<OptionRule>,
}

/// The exit code of a refusal (recorded).
const EXIT_USAGE: i32 = 1;

fn unplayed(what: &str) -> Refusal {
    Refusal::unplayed("claude", what)
}

/// Reads a command line, without the program's own name. `speaks`: it is known what a turn of this version prints.
pub(super) fn read(arguments: &Arguments, speaks: bool, args: &[String]) -> Asked {
    if let [only] = args
        && matches!(only.as_str(), "--version" | "-v")
    {
        return Asked::Probe;
    }
    match turn(arguments, args) {
        Ok(_) if !speaks => Asked::Refused(unplayed("a turn of this version, of which nothing was recorded")),
        Ok(request) => Asked::Turn(request),
        Err(refusal) => Asked::Refused(refusal),
    }
}

fn turn(arguments: &Arguments, args: &[String]) -> Result<TurnRequest, Refusal> {
    let mut options = BTreeMap::new();
    let mut words = Vec::new();
    let mut rest = args.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        if word == "--" {
            words.extend(rest.by_ref());
        } else if word.starts_with('-') && word.len() > 1 {
            let (name, attached) = match word.split_once('=') {
                Some((name, value)) if word.starts_with("--") => (name, Some(value)),
                _ => (word, None),
            };
            let option = known(arguments, name, word)?;
            // A value may begin with a dash: commander takes whatever comes next.
            let value = option.given(attached, || rest.next()).map_err(|wrong| unplayed(&wrong))?;
            if option.unplayed
                || !(option.values.is_empty() || option.values.iter().any(|known| known == value))
            {
                return Err(unplayed(&format!("{} {value}", option.shown())));
            }
            // Of several the last one counts.
            options.insert(option.long.clone(), value.to_owned());
        } else {
            words.push(word);
        }
    }
    if !options.contains_key("print") || !options.contains_key("verbose") {
        return Err(unplayed("anything but a turn with --print and --verbose"));
    }
    if options.get("output-format").map(String::as_str) != Some("stream-json") {
        return Err(unplayed("a turn without --output-format stream-json"));
    }
    if options.contains_key("resume") && options.contains_key("session-id") {
        return Err(unplayed("--resume and --session-id at once"));
    }
    match words.as_slice() {
        [prompt] => {
            let session = options.get("resume").cloned();
            Ok(TurnRequest { prompt: (*prompt).to_owned(), session, options })
        }
        [] => Err(unplayed("a prompt from standard input")),
        _ => Err(unplayed("more than one prompt")),
    }
}

/// The option of that name, with its dashes.
fn known<'a>(arguments: &'a Arguments, name: &str, word: &str) -> Result<&'a OptionRule, Refusal> {
    if matches!(name, "--help" | "-h" | "--version" | "-v") {
        return Err(unplayed(name));
    }
    OptionRule::named(&arguments.options, name).ok_or_else(|| {
        let reason = format!("unknown option '{word}'");
        let stderr = vec![format!("error: {reason}")];
        Refusal { reason, stdout: Vec::new(), stderr, exit: EXIT_USAGE, real: true }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Asked {
        let arguments = Arguments {
            options: vec![
                OptionRule::plain("print", Some('p'), None),
                OptionRule::plain("verbose", None, None),
                OptionRule::plain("output-format", None, Some("format")),
                OptionRule::plain("append-system-prompt", None, Some("prompt")),
                OptionRule::plain("session-id", None, Some("uuid")),
                OptionRule::plain("resume", Some('r'), Some("sessionId")),
                OptionRule { unplayed: true, ..OptionRule::plain("continue", Some('c'), None) },
            ],
        };
        read(&arguments, true, &line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_turn_is_understood_in_every_spelling() {
        for line in [
            "-p hi --output-format stream-json --verbose --append-system-prompt -role --resume s1",
            "--print --verbose --output-format=stream-json --append-system-prompt=-role -r s1 -- hi",
        ] {
            let Asked::Turn(request) = asked(line) else { panic!("{line} is a turn") };
            assert_eq!((request.prompt.as_str(), request.session.as_deref()), ("hi", Some("s1")));
            assert_eq!(request.options["append-system-prompt"], "-role");
        }
    }

    #[test]
    fn an_option_that_is_not_known_is_refused_as_recorded() {
        for (line, option) in [("-p hi --no-such-option", "--no-such-option"), ("-p -hi", "-hi")] {
            let Asked::Refused(refusal) = asked(line) else { panic!("{line} is refused") };
            assert_eq!(refusal.stderr, [format!("error: unknown option '{option}'")]);
            assert!(refusal.real && refusal.exit == 1);
        }
    }

    #[test]
    fn what_the_stand_in_cannot_play_is_refused_in_its_own_name() {
        let turn = "--output-format stream-json --verbose";
        for line in [
            "hi".to_owned(),
            "-p hi --verbose".to_owned(),
            format!("-p {turn}"),
            format!("-p a b {turn}"),
            format!("-p hi {turn} --continue"),
            format!("-p hi {turn} --resume"),
            format!("-p hi {turn} --resume a --session-id b"),
            "--help".to_owned(),
        ] {
            let Asked::Refused(refusal) = asked(&line) else { panic!("{line} is refused") };
            assert!(!refusal.real && refusal.stderr[0].starts_with("gauntlet: "), "{line}");
        }
    }
}
