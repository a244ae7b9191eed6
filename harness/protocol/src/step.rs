//! What a CLI's events say of the steps of a turn: a turn that ends at its cap is told of by the last one that was completed.

/// A step that a CLI said is completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How many there were, this one among them.
    pub number: usize,
    /// What it was about: a command line, or the name of a tool. On one line, and not long.
    pub name: String,
}

/// More of a name is not told.
const LONGEST: usize = 120;

impl Step {
    pub(crate) fn new(number: usize, name: &str) -> Step {
        let one_line = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut name: String = one_line.chars().take(LONGEST).collect();
        if name.len() < one_line.len() {
            name.push('…');
        }
        Step { number, name }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_on_one_line_and_not_long() {
        assert_eq!(Step::new(1, " a\n  b ").name, "a b");
        assert_eq!(Step::new(1, &"x".repeat(500)).name.chars().count(), LONGEST + 1);
    }
}
