//! Finding one's way in flow style: `{a: 1, b: {c: 2}}`.

use std::ops::Range;

/// One member of a flow mapping, in bytes of the whole text.
pub(super) struct FlowEntry {
    pub(super) key: String,
    /// From the key to the end of the value.
    pub(super) whole: Range<usize>,
    /// The value, without what stands around it; empty when there is none.
    pub(super) value: Range<usize>,
}

/// A flow mapping: where it ends, and what is in it.
pub(super) struct FlowMap {
    pub(super) entries: Vec<FlowEntry>,
    /// The place of its closing brace.
    pub(super) close: usize,
    /// Whether a comma stands before the closing brace.
    pub(super) trailing_comma: bool,
}

/// The flow mapping whose brace is at `open`, if it is one that ends.
pub(super) fn map(text: &str, open: usize) -> Option<FlowMap> {
    if text.as_bytes().get(open) != Some(&b'{') {
        return None;
    }
    let mut map = FlowMap { entries: Vec::new(), close: 0, trailing_comma: false };
    let mut at = open + 1;
    loop {
        at = skip_space(text, at);
        match text.as_bytes().get(at)? {
            b'}' => {
                map.close = at;
                return Some(map);
            }
            b',' => {
                map.trailing_comma = true;
                at += 1;
                continue;
            }
            _ => {}
        }
        map.trailing_comma = false;
        let key_start = at;
        let key_end = end_of(text, at, true)?;
        let bare = after_properties(text, key_start).min(key_end);
        let key = super::block::unquoted(text[bare..key_end].trim_end());
        at = skip_space(text, key_end);
        let mut value = key_end..key_end;
        if text.as_bytes().get(at) == Some(&b':') {
            let start = skip_space(text, at + 1);
            let end = end_of(text, start, false)?;
            let trimmed = start + text.get(start..end)?.trim_end().len();
            value = start..trimmed;
            at = end;
        }
        // A bracket that closes nothing is no member; it is not waited for that it goes away.
        if at == key_start {
            return None;
        }
        map.entries.push(FlowEntry { key, whole: key_start..value.end.max(key_end), value });
    }
}

/// The first place from `at` on that is neither white space nor comment.
fn skip_space(text: &str, mut at: usize) -> usize {
    let bytes = text.as_bytes();
    loop {
        match bytes.get(at) {
            Some(b' ' | b'\t' | b'\r' | b'\n') => at += 1,
            Some(b'#') => at += text[at..].find('\n').unwrap_or(text.len() - at),
            _ => return at,
        }
    }
}

/// The first place from `at` on that is none of a node's anchor and tag: `&name`, `!tag`.
fn after_properties(text: &str, mut at: usize) -> usize {
    let bytes = text.as_bytes();
    while matches!(bytes.get(at), Some(b'&' | b'!')) {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b",[]{}".contains(byte);
        let length = bytes[at..].iter().position(ends).unwrap_or(bytes.len() - at);
        at = skip_space(text, at + length);
    }
    at
}

/// Where a key or value ends that begins at `at`.
fn end_of(text: &str, at: usize, is_key: bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let at = after_properties(text, at);
    match bytes.get(at)? {
        b'"' | b'\'' => after_quotes(text, at),
        b'{' | b'[' => {
            let mut depth = 0_usize;
            let mut at = at;
            loop {
                match bytes.get(at)? {
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth = depth.checked_sub(1)?,
                    b'&' | b'!' if begins(bytes, at) => {
                        at = after_properties(text, at);
                        if matches!(bytes.get(at), Some(b'"' | b'\'')) {
                            at = after_quotes(text, at)?;
                        }
                        continue;
                    }
                    // A quote inside of a plain text is a letter; one at its beginning opens a text.
                    b'"' | b'\'' if begins(bytes, at) => {
                        at = after_quotes(text, at)?;
                        continue;
                    }
                    b'#' if at > 0 && bytes[at - 1].is_ascii_whitespace() => {
                        at += text[at..].find('\n')?;
                        continue;
                    }
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
        }
        _ => {
            let mut at = at;
            loop {
                match bytes.get(at)? {
                    b',' | b'}' | b']' => return Some(at),
                    b':' if is_key
                        && bytes
                            .get(at + 1)
                            .is_none_or(|next| next.is_ascii_whitespace() || b",{}[]".contains(next)) =>
                    {
                        return Some(at);
                    }
                    b'#' if bytes[at - 1].is_ascii_whitespace() => return Some(at),
                    _ => at += 1,
                }
            }
        }
    }
}

fn begins(bytes: &[u8], at: usize) -> bool {
    let before = bytes[..at].iter().rev().find(|byte| !byte.is_ascii_whitespace());
    before.is_none_or(|byte| b"{[,:".contains(byte))
}

/// The place behind the closing quote of a text that begins at `at`.
pub(super) fn after_quotes(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let quote = *bytes.get(at)?;
    let mut at = at + 1;
    loop {
        match *bytes.get(at)? {
            b'\\' if quote == b'"' => at += 2,
            byte if byte == quote && quote == b'\'' && bytes.get(at + 1) == Some(&quote) => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}
