//! How many columns text takes on a terminal, and lines that fit.

/// The columns of a text that holds no hidden character, never too few.
pub(crate) fn of(text: &str) -> usize {
    text.chars().map(of_char).sum()
}

/// The columns of one character: one in scripts that are known to be narrow, else two, which is the most that
/// terminals use. A line is rather broken too early than too late.
pub(crate) const fn of_char(c: char) -> usize {
    match c {
        '\0'..='\u{10ff}'
        | '\u{1e00}'..='\u{1fff}'
        | '\u{2010}'..='\u{205e}'
        | '\u{2190}'..='\u{21ff}'
        | '\u{2500}'..='\u{259f}' => 1,
        _ => 2,
    }
}

/// Breaks text at spaces into lines of at most `width` columns; a word that is longer is broken where it must be.
///
/// `width` is at least 2, the columns of the widest character.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let columns = of(word);
        if used > 0 && used + 1 + columns <= width {
            line.push(' ');
            line.push_str(word);
            used += 1 + columns;
            continue;
        }
        if used > 0 {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        for c in word.chars() {
            if used + of_char(c) > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += of_char(c);
        }
    }
    if used > 0 || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_move_to_the_next_line_whole() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("", 8), [""]);
    }

    #[test]
    fn a_word_longer_than_a_line_is_broken() {
        assert_eq!(wrap("a bcdefghij k", 4), ["a", "bcde", "fghi", "j k"]);
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(of("日本"), 4);
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
    }
}
