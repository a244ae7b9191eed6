//! Finding one's way in block style: keys by their indentation.

use std::ops::Range;

use super::flow;

/// One key of a block mapping, in bytes of the whole text.
#[derive(Debug, Clone)]
pub(super) struct BlockEntry {
    pub(super) key: String,
    /// The line of the key, with its end.
    pub(super) line: Range<usize>,
    /// What stands behind the colon, without a comment; empty when the value is below or nowhere.
    pub(super) inline: Range<usize>,
    /// The end of the last line that belongs to the value.
    pub(super) end: usize,
    /// The end of the lines behind it that are blank or comments.
    pub(super) end_with_comments: usize,
}

/// The lines of a part of a text, each with its end.
pub(super) fn lines(text: &str, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut at = range.start;
    text[range].split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        start..at
    })
}

/// Whether a line says something.
pub(super) fn has_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

/// How many spaces a line begins with.
pub(super) fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The keys of the block mapping that stands in these lines.
pub(super) fn entries(text: &str, range: Range<usize>, at_indent: usize) -> Vec<BlockEntry> {
    let mut found: Vec<BlockEntry> = Vec::new();
    for line in lines(text, range) {
        let written = &text[line.clone()];
        let key = (has_content(written) && indent(written) == at_indent).then(|| key(text, &line)).flatten();
        match (key, found.last_mut()) {
            (Some((key, colon)), _) => {
                let inline = inline(text, colon + 1, line.end);
                let (end, end_with_comments) = (line.end, line.end);
                found.push(BlockEntry { key, line, inline, end, end_with_comments });
            }
            (None, Some(last)) => {
                last.end_with_comments = line.end;
                if has_content(written) {
                    last.end = line.end;
                }
            }
            (None, None) => {}
        }
    }
    found
}

/// The key of a line and the place of its colon.
fn key(text: &str, line: &Range<usize>) -> Option<(String, usize)> {
    let start = line.start + indent(&text[line.clone()]);
    let end = match text.as_bytes().get(start)? {
        b'"' | b'\'' => flow::after_quotes(text, start).filter(|end| *end <= line.end)?,
        b'-' | b'?' | b'[' | b'{' | b'&' | b'*' | b'!' | b'|' | b'>' | b'%' => return None,
        _ => {
            let rest = &text[start..line.end];
            let colon = rest
                .match_indices(':')
                .map(|(at, _)| at)
                .find(|at| rest[at + 1..].chars().next().is_none_or(char::is_whitespace))?;
            start + colon
        }
    };
    let gap = &text[end..line.end];
    let colon = end + (gap.len() - gap.trim_start_matches(' ').len());
    let is_colon = text.as_bytes().get(colon) == Some(&b':');
    is_colon.then(|| (unquoted(text[start..end].trim_end()), colon))
}

/// What stands between a colon and the end of its line, without white space and comment.
fn inline(text: &str, from: usize, to: usize) -> Range<usize> {
    let written = &text[from..to];
    let start = from + (written.len() - written.trim_start().len());
    let start = start.min(to);
    let mut end = to;
    let mut at = start;
    let bytes = text.as_bytes();
    if matches!(bytes.get(start), Some(b'"' | b'\''))
        && let Some(after) = flow::after_quotes(text, start).filter(|after| *after <= to)
    {
        at = after;
    } else if let Some(map) = flow::map(text, start).filter(|map| map.close < to) {
        at = map.close + 1;
    }
    while at < to {
        if bytes[at] == b'#' && (at == from || bytes[at - 1].is_ascii_whitespace()) {
            end = at;
            break;
        }
        at += 1;
    }
    start..(start + text[start..end.max(start)].trim_end().len())
}

/// A key without its quotes. An escape in it is left as it is: such a key is none of ours.
pub(super) fn unquoted(key: &str) -> String {
    let inner = key.strip_prefix('"').and_then(|key| key.strip_suffix('"'));
    let inner = inner.or_else(|| key.strip_prefix('\'').and_then(|key| key.strip_suffix('\'')));
    inner.unwrap_or(key).to_owned()
}
