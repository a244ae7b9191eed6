//! A shell command on lines of a given width that can still be copied and run.

use crate::columns;

/// Folds a command with backslashes at line ends, which the shell takes away again.
///
/// Lines begin with `indent` where the shell ignores blanks. A word that is longer than a line is broken inside, and
/// goes on at the first column. `width` is at least 20 and wider than the indent by 8.
pub(super) fn fold(command: &str, indent: &str, width: usize) -> Vec<String> {
    let mut folding = Folding { width, lines: Vec::new(), line: indent.to_owned(), empty: true };
    for word in words(command) {
        folding.word(&word, indent);
    }
    folding.lines.push(folding.line);
    folding.lines
}

/// Where in a word the shell is.
#[derive(Clone, Copy, PartialEq)]
enum Quote {
    None,
    Single,
    Double,
}

/// Follows quotes and backslashes from character to character.
#[derive(Clone, Copy)]
struct Reader {
    quote: Quote,
    escaped: bool,
}

impl Reader {
    const START: Self = Self { quote: Quote::None, escaped: false };

    const fn read(&mut self, c: char) {
        if self.escaped {
            self.escaped = false;
            return;
        }
        match (self.quote, c) {
            (Quote::None | Quote::Double, '\\') => self.escaped = true,
            (Quote::None, '\'') => self.quote = Quote::Single,
            (Quote::None, '"') => self.quote = Quote::Double,
            (Quote::Single, '\'') | (Quote::Double, '"') => self.quote = Quote::None,
            _ => {}
        }
    }
}

/// The command cut at blanks outside quotes.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut reader = Reader::START;
    for c in command.chars() {
        if c == ' ' && reader.quote == Quote::None && !reader.escaped {
            words.push(String::new());
        } else if let Some(word) = words.last_mut() {
            word.push(c);
        }
        reader.read(c);
    }
    words.retain(|word| !word.is_empty());
    words
}

struct Folding {
    width: usize,
    lines: Vec<String>,
    line: String,
    /// Whether the line holds no word yet.
    empty: bool,
}

impl Folding {
    /// Columns that must stay free for ` \` or `'\` at the end of a line.
    const MARK: usize = 2;

    fn word(&mut self, word: &str, indent: &str) {
        let columns = columns::of(word);
        if !self.empty {
            if columns::of(&self.line) + 1 + columns + Self::MARK <= self.width {
                self.line.push(' ');
                self.line.push_str(word);
                return;
            }
            self.line.push_str(" \\");
            self.lines.push(std::mem::replace(&mut self.line, indent.to_owned()));
        }
        self.empty = false;
        if columns::of(&self.line) + columns + Self::MARK <= self.width {
            self.line.push_str(word);
        } else {
            self.long_word(word);
        }
    }

    fn long_word(&mut self, word: &str) {
        let mut reader = Reader::START;
        let mut used = columns::of(&self.line);
        for c in word.chars() {
            // A backslash and the character after it stay together, so the pair must fit.
            let pair = if c == '\\' { 2 } else { 0 };
            if used + columns::of_char(c) + pair + Self::MARK > self.width && !reader.escaped {
                // Inside single quotes a backslash is an ordinary character: close them first and open them again.
                let (end, start) = if reader.quote == Quote::Single { ("'\\", "'") } else { ("\\", "") };
                self.line.push_str(end);
                self.lines.push(std::mem::replace(&mut self.line, start.to_owned()));
                used = columns::of(start);
            }
            self.line.push(c);
            used += columns::of_char(c);
            reader.read(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_short_command_stays_on_its_line() {
        assert_eq!(fold("gauntlet run --only 'a b'", "  ", 40), ["  gauntlet run --only 'a b'"]);
    }

    #[test]
    fn a_longer_command_goes_on_after_a_backslash() {
        assert_eq!(
            fold("gauntlet run --only 'fleet/busy@codex-0.44.0#7'", "  ", 40),
            ["  gauntlet run --only \\", "  'fleet/busy@codex-0.44.0#7'"]
        );
    }

    #[test]
    fn a_word_longer_than_a_line_closes_its_quotes_at_the_break() {
        assert_eq!(
            fold("run 'fleet/busy@codex-0.44.0#7'", "", 20),
            ["run \\", "'fleet/busy@codex-'\\", "'0.44.0#7'"]
        );
    }

    /// What a POSIX shell makes of the command: its words.
    #[cfg(unix)]
    #[expect(clippy::disallowed_methods, reason = "only a real shell can prove what it reads")]
    fn read_by_the_shell(command: &str) -> String {
        let script = format!("printf '<%s>' {command}");
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[cfg(unix)]
    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn the_shell_reads_the_folded_command_as_the_whole_one(
            words in proptest::collection::vec(
                prop_oneof![
                    "[a-z/@#.=+日]{1,60}",
                    "'[a-z \\\\\"#@/日]{0,60}'",
                    "\"([a-z '#@/]|\\\\\\\\|\\\\\"){0,40}\"",
                    "([a-z]|\\\\ |\\\\'|\\\\\\\\){1,40}",
                    "'[a-z ]{0,20}'\\\\''[a-z ]{0,20}'",
                ], 1..6),
            width in 20_usize..=120,
        ) {
            // A `#` at the start of a word begins a comment, and `~` or `=` would act there: begin each with a letter.
            let command = words.iter().map(|word| format!("x{word}")).collect::<Vec<_>>().join(" ");
            let folded = fold(&command, "    ", width);
            for line in &folded {
                prop_assert!(columns::of(line) <= width, "{line}");
            }
            prop_assert_eq!(read_by_the_shell(&folded.join("\n")), read_by_the_shell(&command));
        }
    }
}
