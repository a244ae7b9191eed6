//! The lines of an append-only file that someone else may be writing.

/// The complete lines of a buffer, each with its number from 1 and without its newline. What stands behind the last
/// newline is a line that is still being written, or one torn by a crash: [`Lines::torn`].
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    rest: &'a [u8],
    torn: &'a [u8],
    number: u64,
}

impl<'a> Lines<'a> {
    /// Looks at a buffer that begins at the start of a line.
    pub fn new(bytes: &'a [u8]) -> Lines<'a> {
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let (rest, torn) = bytes.split_at(end);
        Lines { rest, torn, number: 0 }
    }

    /// The bytes behind the last newline; empty when the buffer ends with one. The same at any time of the iteration.
    pub fn torn(&self) -> &'a [u8] {
        self.torn
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = (u64, &'a [u8]);

    fn next(&mut self) -> Option<(u64, &'a [u8])> {
        let end = self.rest.iter().position(|byte| *byte == b'\n')?;
        let line = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        self.number += 1;
        Some((self.number, line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_count_and_the_torn_tail_does_not() {
        let lines = Lines::new(b"one\n\nthree\nfo");
        assert_eq!(lines.torn(), b"fo");
        assert_eq!(lines.collect::<Vec<_>>(), [(1, &b"one"[..]), (2, b""), (3, b"three")]);
    }

    #[test]
    fn a_buffer_without_a_newline_is_all_tail() {
        let mut lines = Lines::new(b"half");
        assert_eq!((lines.next(), lines.torn()), (None, &b"half"[..]));
        let mut none = Lines::new(b"");
        assert_eq!((none.next(), none.torn()), (None, &b""[..]));
    }
}
