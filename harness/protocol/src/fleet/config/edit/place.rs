//! A place in a text: a mapping, and the edits of its members.

use std::ops::Range;

use serde_json::{Map, Value};

use super::block::{self, BlockEntry};
use super::{flow, scalar};

/// A mapping in a text.
pub(super) struct Place<'t> {
    text: &'t str,
    kind: Kind,
}

enum Kind {
    /// Lines, and the indentation of their keys.
    Block { lines: Range<usize>, indent: usize },
    /// A key without a value: its entry, and the indentation of the key.
    Nothing { entry: BlockEntry, indent: usize },
    /// `{}` behind a key.
    Empty { entry: BlockEntry, indent: usize },
    /// `{…}`, and the place of its brace.
    Flow { open: usize },
    /// Nothing that could be edited.
    Other,
}

impl<'t> Place<'t> {
    /// The whole text.
    pub(super) fn document(text: &'t str) -> Self {
        let begins =
            |line: &str| block::has_content(line) && !line.starts_with("---") && !line.starts_with('%');
        let first = block::lines(text, 0..text.len()).find(|line| begins(&text[line.clone()]));
        let kind = match first {
            Some(first) => {
                let indent = block::indent(&text[first.clone()]);
                match text.as_bytes().get(first.start + indent) {
                    Some(b'{') => Kind::Flow { open: first.start + indent },
                    _ => Kind::Block { lines: first.start..text.len(), indent },
                }
            }
            None => Kind::Other,
        };
        Self { text, kind }
    }

    /// The mapping under a key.
    pub(super) fn member(&self, key: &str) -> Option<Self> {
        let text = self.text;
        let kind = match &self.kind {
            Kind::Block { lines, indent } => {
                let entries = block::entries(text, lines.clone(), *indent);
                kind_of(text, entries.into_iter().find(|entry| entry.key == key)?, *indent)
            }
            Kind::Flow { open } => {
                let map = flow::map(text, *open)?;
                let entry = map.entries.into_iter().find(|entry| entry.key == key)?;
                match text.as_bytes().get(entry.value.start) {
                    Some(b'{') => Kind::Flow { open: entry.value.start },
                    _ => Kind::Other,
                }
            }
            _ => return None,
        };
        Some(Self { text, kind })
    }

    /// The texts with a new key, the likeliest first.
    pub(super) fn with_new(&self, key: &str, value: &Value) -> Vec<String> {
        let newline = self.newline();
        match &self.kind {
            Kind::Block { lines, indent } => {
                let entries = block::entries(self.text, lines.clone(), *indent);
                let Some(last) = entries.last() else { return Vec::new() };
                let new = scalar::entry(key, value, *indent, newline);
                [last.end, last.end_with_comments].map(|at| self.inserted(at, &new)).into()
            }
            Kind::Nothing { entry, indent } => {
                let new = scalar::entry(key, value, indent + 2, newline);
                [entry.line.end, entry.end_with_comments].map(|at| self.inserted(at, &new)).into()
            }
            Kind::Empty { entry, indent } => {
                let new = scalar::entry(key, value, indent + 2, newline);
                let with = self.inserted(entry.line.end, &new);
                let before = with[..entry.inline.start].trim_end_matches(' ').len();
                vec![format!("{}{}", &with[..before], &with[entry.inline.end..])]
            }
            Kind::Flow { open } => {
                let Some(map) = flow::map(self.text, *open) else { return Vec::new() };
                vec![self.edited(vec![addition(&map, key, value)])]
            }
            Kind::Other => Vec::new(),
        }
    }

    /// The texts with these members as wanted: changed, added, or gone when they are not wanted.
    pub(super) fn with_members(&self, keys: &[&str], wanted: &Map<String, Value>) -> Vec<String> {
        match &self.kind {
            Kind::Block { lines, indent } => self.with_lines(lines.clone(), *indent, keys, wanted),
            Kind::Flow { open } => self.with_flow(*open, keys, wanted),
            Kind::Nothing { entry, indent } | Kind::Empty { entry, indent } => {
                let at = entry.inline.clone();
                let new = scalar::block(wanted, indent + 2, self.newline());
                // The place behind the colon is emptied, and the members stand below.
                let with = self.inserted(entry.line.end, &new);
                vec![format!("{}{}", &with[..at.start], &with[at.end..])]
            }
            Kind::Other => Vec::new(),
        }
    }

    fn with_lines(
        &self,
        lines: Range<usize>,
        indent: usize,
        keys: &[&str],
        wanted: &Map<String, Value>,
    ) -> Vec<String> {
        let entries = block::entries(self.text, lines, indent);
        let Some(last) = entries.last() else { return Vec::new() };
        let (mut edits, mut new) = (Vec::new(), String::new());
        for key in keys {
            let entry = entries.iter().find(|entry| entry.key == *key);
            match (entry, wanted.get(*key)) {
                (Some(entry), Some(value)) if !self.says(entry, value) => {
                    edits.push((
                        entry.inline.clone(),
                        format!("{}{}", self.gap(entry), scalar::scalar(value)),
                    ));
                    // A value over several lines shrinks to the one.
                    edits.push((entry.line.end..entry.end, String::new()));
                }
                (Some(entry), None) => {
                    edits.push((entry.line.start..entry.end, self.comment_of(entry, indent)));
                }
                (None, Some(value)) => new.push_str(&scalar::entry(key, value, indent, self.newline())),
                _ => {}
            }
        }
        [last.end, last.end_with_comments]
            .map(|at| {
                let mut edits = edits.clone();
                edits.push((at..at, self.on_own_line(at, &new)));
                self.edited(edits)
            })
            .into()
    }

    fn with_flow(&self, open: usize, keys: &[&str], wanted: &Map<String, Value>) -> Vec<String> {
        let Some(map) = flow::map(self.text, open) else { return Vec::new() };
        let mut edits = Vec::new();
        let mut kept = 0;
        for (number, entry) in map.entries.iter().enumerate() {
            let key = entry.key.as_str();
            match (keys.contains(&key), wanted.get(key)) {
                (true, Some(value)) => {
                    let gap = if entry.value.is_empty() { ": " } else { "" };
                    edits.push((entry.value.clone(), format!("{gap}{}", scalar::flow(value))));
                    kept += 1;
                }
                (true, None) => {
                    // With the comma that follows; without one, with the one before.
                    let next = map.entries.get(number + 1).map(|next| next.whole.start);
                    let before = number.checked_sub(1).map(|before| map.entries[before].whole.end);
                    let range = match (next, before) {
                        (Some(next), _) => entry.whole.start..next,
                        (None, Some(before)) if kept > 0 => before..entry.whole.end,
                        _ => entry.whole.clone(),
                    };
                    edits.push((range, String::new()));
                }
                (false, _) => kept += 1,
            }
        }
        let missing = keys.iter().filter(|key| !map.entries.iter().any(|entry| entry.key == **key));
        let missing = missing.filter_map(|key| Some(((*key).to_owned(), wanted.get(*key)?.clone())));
        let missing: Map<String, Value> = missing.collect();
        if !missing.is_empty() {
            let inner = scalar::flow(&Value::Object(missing));
            let comma = if kept == 0 || map.trailing_comma { "" } else { ", " };
            edits.push((map.close..map.close, format!("{comma}{}", &inner[1..inner.len() - 1])));
        }
        vec![self.edited(edits)]
    }

    /// Whether a key has this value already, in whatever style.
    fn says(&self, entry: &BlockEntry, value: &Value) -> bool {
        let written = &self.text[entry.line.start..entry.end];
        let document = super::read::document(written);
        document.is_ok_and(|document| document.get(&entry.key) == Some(value))
    }

    /// A space behind the colon, where there is none yet.
    fn gap(&self, entry: &BlockEntry) -> &'static str {
        let before = &self.text[entry.line.start..entry.inline.start];
        if before.trim_end_matches(['\r', '\n']).ends_with(':') { " " } else { "" }
    }

    /// The comment on the line of a key that goes, as a line of its own.
    fn comment_of(&self, entry: &BlockEntry, indent: usize) -> String {
        let comments = block::lines(self.text, entry.line.start..entry.end).filter_map(|line| {
            let written = &self.text[line.clone()];
            let from = if line == entry.line { entry.inline.end - line.start } else { 0 };
            let rest = written[from..].trim();
            let is_own = line != entry.line && rest.starts_with('#');
            let comment = if line == entry.line { rest.find('#').map(|at| &rest[at..]) } else { None };
            comment.or(is_own.then_some(rest))
        });
        comments.map(|comment| format!("{}{comment}{}", " ".repeat(indent), self.newline())).collect()
    }

    fn newline(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    /// New lines, behind an end of line where the text has none there.
    fn on_own_line(&self, at: usize, new: &str) -> String {
        let open = !new.is_empty() && at > 0 && !self.text[..at].ends_with('\n');
        format!("{}{new}", if open { self.newline() } else { "" })
    }

    fn inserted(&self, at: usize, new: &str) -> String {
        self.edited(vec![(at..at, self.on_own_line(at, new))])
    }

    /// The text with these parts replaced.
    fn edited(&self, mut edits: Vec<(Range<usize>, String)>) -> String {
        edits.sort_by_key(|(range, _)| (range.start, range.end));
        let mut text = self.text.to_owned();
        for (range, new) in edits.into_iter().rev() {
            text.replace_range(range, &new);
        }
        text
    }
}

/// What stands under a key.
fn kind_of(text: &str, entry: BlockEntry, indent: usize) -> Kind {
    let inline = &text[entry.inline.clone()];
    if inline.is_empty() || inline == "~" || inline == "null" {
        let lines = block::lines(text, entry.line.end..entry.end);
        let first = lines.map(|line| &text[line]).find(|line| block::has_content(line));
        return match first.map(block::indent) {
            Some(inner) if inner > indent => Kind::Block { lines: entry.line.end..entry.end, indent: inner },
            Some(_) => Kind::Other,
            None if inline.is_empty() => Kind::Nothing { entry, indent },
            None => Kind::Empty { entry, indent },
        };
    }
    match flow::map(text, entry.inline.start) {
        Some(map) if map.entries.is_empty() && map.close < entry.line.end => Kind::Empty { entry, indent },
        Some(_) => Kind::Flow { open: entry.inline.start },
        None => Kind::Other,
    }
}

fn addition(map: &flow::FlowMap, key: &str, value: &Value) -> (Range<usize>, String) {
    let inner = scalar::flow(&Value::Object(Map::from_iter([(key.to_owned(), value.clone())])));
    let comma = if map.entries.is_empty() || map.trailing_comma { "" } else { ", " };
    (map.close..map.close, format!("{comma}{}", &inner[1..inner.len() - 1]))
}
