//! The command line of codex: which words each version speaks, and what they ask for.
//!
//! The real CLI is made with clap, and what it refuses it refuses in clap's words ([`refusal`](super::refusal)). What the
//! real CLI accepts and this stand-in cannot play is refused too, but with a reason that says so: a scenario that meets it
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
    /// `codex exec`.
    pub exec: CommandGrammar,
    /// `codex exec resume`.
    pub resume: CommandGrammar,
}

/// The arguments of one command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandGrammar {
    /// The command itself, for instance `codex exec resume`.
    pub command: String,
    /// What its usage says after the command.
    pub usage: String,
    /// Whether its usage is always this text. Otherwise a refusal names the arguments that were understood before it.
    #[serde(default)]
    pub fixed_usage: bool,
    /// Names of the positional arguments, in order.
    pub positionals: Vec<String>,
    /// The options.
    pub options: Vec<OptionRule>,
}

fn unplayed(what: &str) -> Refusal {
    Refusal::unplayed("codex", what)
}

/// Reads a command line, without the program's own name.
pub(super) fn read(arguments: &Arguments, args: &[String]) -> Asked {
    match args.first().map(String::as_str) {
        Some("--version" | "-V") => Asked::Probe,
        Some("exec" | "e") => match turn(arguments, &args[1..]) {
            Ok(request) => Asked::Turn(request),
            Err(refusal) => Asked::Refused(refusal),
        },
        Some(other) => Asked::Refused(unplayed(&format!("codex {other}"))),
        None => Asked::Refused(unplayed("the interactive screen (no argument)")),
    }
}

fn turn(arguments: &Arguments, args: &[String]) -> Result<TurnRequest, Refusal> {
    let mut given = Given::new(&arguments.exec);
    let mut rest = args.iter().map(String::as_str);
    let mut resumes = false;
    let mut only_positionals = false;
    while let Some(word) = rest.next() {
        if only_positionals || word == "-" || !word.starts_with('-') {
            match word {
                // clap looks for a command at every word, also after a prompt.
                "resume" if !only_positionals && !resumes => {
                    resumes = true;
                    given.go_down(&arguments.resume);
                }
                "review" | "help" if !only_positionals && !resumes => {
                    return Err(unplayed(&format!("codex exec {word}")));
                }
                _ => given.positional(word)?,
            }
        } else if word == "--" {
            only_positionals = true;
        } else if let Some(long) = word.strip_prefix("--") {
            given.long(long, &mut rest)?;
        } else {
            given.short(&word[1..], &mut rest)?;
        }
    }
    given.request(resumes)
}

/// What was understood so far.
pub(super) struct Given<'a> {
    pub(super) grammar: &'a CommandGrammar,
    /// Options of this command in the order of their use, as usages show them.
    pub(super) used: Vec<String>,
    pub(super) positionals: Vec<String>,
    options: BTreeMap<String, String>,
    /// Options that were given before the command: they count, and do not collide with its own.
    inherited: BTreeMap<String, String>,
}

impl<'a> Given<'a> {
    fn new(grammar: &'a CommandGrammar) -> Self {
        Self {
            grammar,
            used: Vec::new(),
            positionals: Vec::new(),
            options: BTreeMap::new(),
            inherited: BTreeMap::new(),
        }
    }

    /// Goes on in a command below. A prompt before it is accepted and not used, as clap has it.
    fn go_down(&mut self, grammar: &'a CommandGrammar) {
        let inherited = std::mem::take(&mut self.options);
        *self = Self { inherited, ..Self::new(grammar) };
    }

    fn positional(&mut self, word: &str) -> Result<(), Refusal> {
        if self.positionals.len() == self.grammar.positionals.len() {
            return Err(Refusal::surplus(self, word));
        }
        self.positionals.push(word.to_owned());
        Ok(())
    }

    fn long<'w>(&mut self, text: &'w str, rest: &mut impl Iterator<Item = &'w str>) -> Result<(), Refusal> {
        let (name, attached) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        if name == "help" {
            return Err(unplayed("--help"));
        }
        let Some(option) = self.grammar.options.iter().find(|option| option.long == name) else {
            return Err(Refusal::unknown_long(self, name));
        };
        match (attached, option.value.is_some()) {
            (Some(value), false) => Err(Refusal::unwanted_value(self, option, value)),
            (Some(value), true) => self.take(option, value),
            (None, false) => self.take(option, ""),
            (None, true) => self.take_next(option, rest),
        }
    }

    fn short<'w>(&mut self, text: &'w str, rest: &mut impl Iterator<Item = &'w str>) -> Result<(), Refusal> {
        let mut letters = text;
        while let Some(letter) = letters.chars().next() {
            letters = &letters[letter.len_utf8()..];
            if letter == 'h' {
                return Err(unplayed("-h"));
            }
            let Some(option) = self.grammar.options.iter().find(|option| option.short == Some(letter)) else {
                return Err(Refusal::unknown_short(self, letter));
            };
            if option.value.is_none() {
                self.take(option, "")?;
            } else if letters.is_empty() {
                return self.take_next(option, rest);
            } else {
                return self.take(option, letters.strip_prefix('=').unwrap_or(letters));
            }
        }
        Ok(())
    }

    /// Takes the next word as a value. One with a leading dash is an option, so there is no value then.
    fn take_next<'w>(
        &mut self,
        option: &OptionRule,
        rest: &mut impl Iterator<Item = &'w str>,
    ) -> Result<(), Refusal> {
        match rest.next() {
            Some(value) if value == "-" || !value.starts_with('-') => self.take(option, value),
            _ => Err(Refusal::missing_value(option)),
        }
    }

    fn take(&mut self, option: &OptionRule, value: &str) -> Result<(), Refusal> {
        if !option.values.is_empty() && !option.values.iter().any(|known| known == value) {
            return Err(Refusal::bad_value(option, value));
        }
        if option.unplayed {
            return Err(unplayed(&option.shown()));
        }
        let before = self.options.insert(option.long.clone(), value.to_owned());
        if before.is_some() && !option.repeatable {
            return Err(Refusal::repeated(self, option));
        }
        if before.is_none() {
            self.used.push(option.shown());
        }
        Ok(())
    }

    fn request(self, resumes: bool) -> Result<TurnRequest, Refusal> {
        let mut options = self.inherited;
        options.extend(self.options);
        let mut words = self.positionals.into_iter();
        let session = if resumes {
            Some(words.next().ok_or_else(|| unplayed("resume without a thread id"))?)
        } else {
            None
        };
        let prompt = words.next().filter(|prompt| prompt != "-");
        let prompt = prompt.ok_or_else(|| unplayed("a prompt from standard input"))?;
        if !options.contains_key("json") {
            return Err(unplayed("a turn without --json"));
        }
        Ok(TurnRequest { prompt, session, options })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grammar() -> Arguments {
        let sandbox = OptionRule {
            values: ["read-only", "workspace-write"].map(str::to_owned).to_vec(),
            ..OptionRule::plain("sandbox", Some('s'), Some("SANDBOX_MODE"))
        };
        Arguments {
            exec: CommandGrammar {
                command: "codex exec".to_owned(),
                usage: "[OPTIONS] [PROMPT] [COMMAND]".to_owned(),
                fixed_usage: false,
                positionals: vec!["PROMPT".to_owned()],
                options: vec![
                    sandbox,
                    OptionRule::plain("json", None, None),
                    OptionRule::plain("model", Some('m'), Some("MODEL")),
                ],
            },
            resume: CommandGrammar {
                command: "codex exec resume".to_owned(),
                usage: "[OPTIONS] [SESSION_ID] [PROMPT]".to_owned(),
                fixed_usage: false,
                positionals: ["SESSION_ID", "PROMPT"].map(str::to_owned).to_vec(),
                options: vec![OptionRule { unplayed: true, ..OptionRule::plain("last", None, None) }],
            },
        }
    }

    fn asked(line: &[&str]) -> Asked {
        read(&grammar(), &line.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    fn refused(line: &[&str]) -> String {
        match asked(line) {
            Asked::Refused(refusal) => refusal.stderr.join("\n"),
            other => panic!("expected a refusal of {line:?}, found {other:?}"),
        }
    }

    fn turn_of(line: &[&str]) -> TurnRequest {
        match asked(line) {
            Asked::Turn(request) => request,
            other => panic!("expected a turn from {line:?}, found {other:?}"),
        }
    }

    #[test]
    fn a_first_turn_is_understood_in_every_spelling() {
        let plain = turn_of(&["exec", "do it", "-s", "read-only", "--json", "-m", "x"]);
        assert_eq!((plain.prompt.as_str(), plain.session.as_deref()), ("do it", None));
        assert_eq!(plain.options.get("sandbox").map(String::as_str), Some("read-only"));
        for line in [
            ["exec", "-sread-only", "--json", "--model=x", "do it"],
            ["exec", "-s=read-only", "-mx", "--json", "do it"],
        ] {
            assert_eq!(turn_of(&line), plain);
        }
    }

    #[test]
    fn a_prompt_that_begins_with_a_dash_needs_the_double_dash() {
        assert_eq!(turn_of(&["exec", "--json", "--", "- hi"]).prompt, "- hi");
        assert!(refused(&["exec", "- hi", "--json"]).starts_with("error: unexpected argument '- ' found"));
    }

    #[test]
    fn an_option_before_resume_counts_and_one_after_it_has_to_be_its_own() {
        let request = turn_of(&["exec", "--json", "resume", "id", "go on"]);
        assert_eq!((request.session.as_deref(), request.prompt.as_str()), (Some("id"), "go on"));
        assert_eq!(
            refused(&["exec", "resume", "id", "--json", "go on"]).lines().nth(4),
            Some("Usage: codex exec resume <SESSION_ID> [PROMPT]")
        );
    }

    // The texts below were printed by clap 4.6 for a command of the same shape.

    #[test]
    fn an_unknown_option_is_refused_with_the_arguments_that_were_understood() {
        let text = refused(&["exec", "p", "-s", "workspace-write", "--json", "-m", "x", "--foo=3"]);
        let expected = "error: unexpected argument '--foo' found\n\n  tip: to pass '--foo' as a value, use '-- --foo'\n\n\
                        Usage: codex exec --sandbox <SANDBOX_MODE> --json --model <MODEL> <PROMPT>\n\nFor more information, \
                        try '--help'.";
        assert_eq!(text, expected);
        let nothing_yet = refused(&["exec", "--foo", "p"]);
        assert!(nothing_yet.contains("Usage: codex exec [OPTIONS] [PROMPT] [COMMAND]\n"), "{nothing_yet}");
    }

    #[test]
    fn an_option_given_twice_is_refused() {
        let text = refused(&["exec", "p", "-s", "workspace-write", "-s", "read-only", "--json"]);
        let expected = "error: the argument '--sandbox <SANDBOX_MODE>' cannot be used multiple times\n\nUsage: codex exec \
                        [OPTIONS] [PROMPT] [COMMAND]\n\nFor more information, try '--help'.";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_value_that_is_not_known_or_not_there_is_refused() {
        let known = "  [possible values: read-only, workspace-write]\n\nFor more information, try '--help'.";
        let bad = format!("error: invalid value 'bogus' for '--sandbox <SANDBOX_MODE>'\n{known}");
        assert_eq!(refused(&["exec", "p", "-s", "bogus"]), bad);
        let missing = format!(
            "error: a value is required for '--sandbox <SANDBOX_MODE>' but none was supplied\n{known}"
        );
        assert_eq!(refused(&["exec", "p", "-s"]), missing);
        let unwanted = refused(&["exec", "p", "--json=3"]);
        let expected = "error: unexpected value '3' for '--json' found; no more were expected\n\nUsage: codex exec --json \
                        [PROMPT]\n\nFor more information, try '--help'.";
        assert_eq!(unwanted, expected);
    }

    #[test]
    fn a_second_prompt_is_refused() {
        let expected = "error: unexpected argument 'q' found\n\nUsage: codex exec [OPTIONS] [PROMPT] [COMMAND]\n\nFor more \
                        information, try '--help'.";
        assert_eq!(refused(&["exec", "p", "q"]), expected);
    }

    #[test]
    fn what_the_stand_in_cannot_play_is_refused_in_its_own_name() {
        for line in [
            &["exec", "resume", "--last", "p"][..],
            &["exec", "p"],
            &["exec", "--json", "-"],
            &["login"],
            &["exec", "--help"],
            &[],
        ] {
            assert!(refused(line).starts_with("gauntlet: "), "{line:?}");
        }
    }
}
