//! How a command line is refused: in clap's words, which 0.36.0 and 0.44.0 were recorded to use.
//!
//! Recorded is the refusal of `--json` after `resume`. The other texts are those of clap for a command of the same shape.
//! Not played: clap's tip that a similar argument exists.

use super::arguments::Given;
use crate::cli::asked::Refusal;
use crate::cli::option::OptionRule;

/// The exit code of a CLI that was called in a way that it does not speak: what clap returns (recorded: the receiver's
/// `exited rc=2` for 0.44.0).
const EXIT_USAGE: i32 = 2;

impl Refusal {
    fn in_claps_words(reason: String, details: &[String], usage: Option<String>) -> Self {
        let mut lines = vec![format!("error: {reason}")];
        lines.extend(details.iter().cloned());
        if let Some(usage) = usage {
            lines.extend([String::new(), format!("Usage: {usage}")]);
        }
        lines.extend([String::new(), "For more information, try '--help'.".to_owned()]);
        Self { reason, stdout: Vec::new(), stderr: lines, exit: EXIT_USAGE, real: true }
    }

    pub(super) fn unknown_long(given: &Given<'_>, name: &str) -> Self {
        let usage =
            if given.used.is_empty() && given.positionals.is_empty() { full(given) } else { used(given) };
        Self::unknown(&format!("--{name}"), usage)
    }

    pub(super) fn unknown_short(given: &Given<'_>, letter: char) -> Self {
        Self::unknown(&format!("-{letter}"), full(given))
    }

    fn unknown(argument: &str, usage: String) -> Self {
        let tip = format!("  tip: to pass '{argument}' as a value, use '-- {argument}'");
        Self::in_claps_words(
            format!("unexpected argument '{argument}' found"),
            &[String::new(), tip],
            Some(usage),
        )
    }

    pub(super) fn surplus(given: &Given<'_>, word: &str) -> Self {
        Self::in_claps_words(format!("unexpected argument '{word}' found"), &[], Some(full(given)))
    }

    pub(super) fn repeated(given: &Given<'_>, option: &OptionRule) -> Self {
        let reason = format!("the argument '{}' cannot be used multiple times", option.shown());
        Self::in_claps_words(reason, &[], Some(full(given)))
    }

    pub(super) fn unwanted_value(given: &Given<'_>, option: &OptionRule, value: &str) -> Self {
        let usage = spelled(given, &[option.shown()], 0);
        let reason =
            format!("unexpected value '{value}' for '{}' found; no more were expected", option.shown());
        Self::in_claps_words(reason, &[], Some(usage))
    }

    pub(super) fn missing_value(option: &OptionRule) -> Self {
        let reason = format!("a value is required for '{}' but none was supplied", option.shown());
        Self::in_claps_words(reason, &possible(option), None)
    }

    pub(super) fn bad_value(option: &OptionRule, value: &str) -> Self {
        let reason = format!("invalid value '{value}' for '{}'", option.shown());
        Self::in_claps_words(reason, &possible(option), None)
    }
}

fn possible(option: &OptionRule) -> Vec<String> {
    if option.values.is_empty() {
        return Vec::new();
    }
    vec![format!("  [possible values: {}]", option.values.join(", "))]
}

fn full(given: &Given<'_>) -> String {
    format!("{} {}", given.grammar.command, given.grammar.usage)
}

fn used(given: &Given<'_>) -> String {
    spelled(given, &given.used, given.positionals.len())
}

/// The usage that names these options, then the positional arguments: in angle brackets those that were given.
fn spelled(given: &Given<'_>, options: &[String], filled: usize) -> String {
    if given.grammar.fixed_usage {
        return full(given);
    }
    let mut parts = vec![given.grammar.command.clone()];
    parts.extend(options.iter().cloned());
    for (number, name) in given.grammar.positionals.iter().enumerate() {
        parts.push(if number < filled { format!("<{name}>") } else { format!("[{name}]") });
    }
    parts.join(" ")
}
