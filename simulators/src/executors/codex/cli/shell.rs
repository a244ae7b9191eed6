//! How codex shows the shell command that it ran.

/// The words joined so that a shell would read them back: bare when harmless, else in quotes.
///
/// Single quotes are recorded. Words that hold a single quote themselves are not; double quotes, or the shell's usual escape
/// when those would not do, are inferred.
pub(super) fn joined(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    quoted.join(" ")
}

fn quoted(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "+-./:@]_,=".contains(c);
    if !word.is_empty() && word.chars().all(harmless) {
        word.to_owned()
    } else if !word.contains('\'') {
        format!("'{word}'")
    } else if !word.contains(['"', '$', '`', '\\', '!']) {
        format!("\"{word}\"")
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(words: &[&str]) -> String {
        joined(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_command_with_a_space_is_quoted_as_recorded() {
        assert_eq!(join(&["/bin/bash", "-lc", "echo TOOLRAN"]), "/bin/bash -lc 'echo TOOLRAN'");
    }

    #[test]
    fn a_harmless_word_stays_bare_and_an_empty_one_does_not_vanish() {
        assert_eq!(join(&["bash", "-lc", "ls", ""]), "bash -lc ls ''");
    }

    #[test]
    fn a_single_quote_inside_does_not_end_the_word() {
        assert_eq!(join(&["echo it's"]), "\"echo it's\"");
        assert_eq!(join(&["echo it's $HOME"]), r"'echo it'\''s $HOME'");
    }
}
