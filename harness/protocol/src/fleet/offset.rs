//! The offset file: how many lines of the inbox were handed off (fact sheet 3.0).

/// Reads a count of lines. Missing (empty), negative or otherwise garbled is 0; a count too large for 64 bits stays the
/// largest one, so that lines which ran once do not run again.
pub fn parse_offset(bytes: &[u8]) -> u64 {
    let digits = bytes.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return 0;
    }
    digits
        .iter()
        .fold(0, |count: u64, digit| count.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
}

/// Writes a count of lines: its decimal digits.
pub fn offset_bytes(count: u64) -> Vec<u8> {
    count.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_reads_back() {
        for count in [0, 1, 47, u64::MAX] {
            assert_eq!(parse_offset(&offset_bytes(count)), count);
        }
        assert_eq!(parse_offset(b" 12\n"), 12);
    }

    #[test]
    fn whatever_is_no_count_is_zero() {
        for garbage in [&b""[..], b"-3", b"x", b"1.5", b"1 2", b"\xff", b"0x10"] {
            assert_eq!(parse_offset(garbage), 0, "{garbage:?}");
        }
    }

    #[test]
    fn a_huge_count_does_not_start_over() {
        assert_eq!(parse_offset(b"99999999999999999999999"), u64::MAX);
    }
}
