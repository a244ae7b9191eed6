//! Writing lists of known failures anew: what passes is pruned, what fails is written down, and every other line stays as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use jiff::ToSpan;
use jiff::civil::Date;

use super::list::Entry;
use super::tally::{New, Tally};
use crate::files;

/// A new entry holds for so many days, so that somebody looks again.
pub const DAYS: i64 = 90;

/// What an update did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Updated {
    /// The files that were written.
    pub files: Vec<PathBuf>,
    /// How many entries were written.
    pub written: usize,
    /// How many of them wait for a reason and an owner.
    pub to_fill_in: usize,
    /// The entries that were taken out, as they were named, with their place.
    pub pruned: Vec<String>,
}

/// Why a list cannot be written.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum UpdateError {
    /// The file cannot be written.
    #[error("{0}: the list of known failures cannot be written")]
    Io(String, #[source] io::Error),
    /// It is written in a way that cannot be edited line by line.
    #[error("{0}: expected each entry to begin with `- ` on a line of its own; it was left as it is")]
    #[diagnostic(help("write the list in block style"))]
    NotInBlocks(String),
}

/// Writes the lists of a run anew. What no entry held goes to the end of `first`.
pub fn update(tally: &Tally, first: &Path) -> Result<Updated, UpdateError> {
    let (gone, new) = tally.changes();
    let entries = &tally.list().entries;
    let Some(today) = tally.list().today else { return Ok(Updated::default()) };
    let mut updated = Updated { written: new.len(), ..Updated::default() };
    let mut by_file: BTreeMap<&Path, (Vec<usize>, String)> = BTreeMap::new();
    for (number, _) in &gone {
        let entry = &entries[*number];
        let of_file = entries.iter().filter(|other| other.file == entry.file);
        let within = of_file.take_while(|other| other.at != entry.at).count();
        by_file.entry(&entry.file).or_default().0.push(within);
        updated.pruned.push(format!("{} {}", entry.place(), entry.name()));
    }
    let mut said = BTreeSet::new();
    for one in &new {
        let from = one.from.map(|number| &*entries[number]);
        if !said.insert((&one.cell, &one.requirement)) {
            updated.written -= 1;
            continue;
        }
        updated.to_fill_in +=
            usize::from(from.is_none_or(|from| from.reason.is_empty() || from.owner.is_empty()));
        let file = from.map_or(first, |from| &from.file);
        by_file.entry(file).or_default().1.push_str(&written(one, from, today));
    }
    for (file, (gone, added)) in by_file {
        let name = || file.display().to_string();
        let text = if files::exists(file) {
            files::read_text(file).map_err(|error| UpdateError::Io(name(), error))?
        } else {
            String::new()
        };
        let edited = edit(&text, &gone, &added).ok_or_else(|| UpdateError::NotInBlocks(name()))?;
        // A link stays one.
        let target = files::link_target(file).and_then(|target| Some(file.parent()?.join(target)));
        files::write(target.as_deref().unwrap_or(file), edited.as_bytes())
            .map_err(|error| UpdateError::Io(name(), error))?;
        updated.files.push(file.to_path_buf());
    }
    Ok(updated)
}

/// An entry as it is written. What it takes over from another one is said again; else a reason and an owner are to be filled in.
fn written(new: &New, from: Option<&Entry>, today: Date) -> String {
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let or_empty = |value: Option<&str>| quoted(value.unwrap_or_default());
    let expires = from.map_or_else(|| today.saturating_add(DAYS.days()), |from| from.expires);
    let issue =
        from.and_then(|from| from.issue.as_deref()).map(|issue| format!("  issue: {}\n", quoted(issue)));
    format!(
        "- pattern: {}\n  requirement: {}\n  reason: {}\n  owner: {}\n{}  expires: {expires}\n",
        quoted(&new.cell),
        new.requirement,
        or_empty(from.map(|from| from.reason.as_str())),
        or_empty(from.map(|from| from.owner.as_str())),
        issue.unwrap_or_default(),
    )
}

/// The text without some of its entries, with others at its end. Comments directly above an entry go with it, except for those at
/// the head of the file; all other lines stay. Nothing if the entries are not told apart by their lines.
fn edit(text: &str, gone: &[usize], added: &str) -> Option<String> {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.iter().all(|line| line.trim() == "[]" || is_beside(line)) {
        lines.retain(|line| line.trim() != "[]");
    }
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let is_dash = |line: &str| line.trim_start().starts_with("- ") || line.trim() == "-";
    let first = lines.iter().find(|line| !is_beside(line));
    let column = match first {
        Some(line) if is_dash(line) => indent(line),
        Some(_) => return None,
        None => 0,
    };
    let starts: Vec<usize> =
        (0..lines.len()).filter(|at| is_dash(lines[*at]) && indent(lines[*at]) == column).collect();
    let is_comment = |at: usize| lines[at].trim_start().starts_with('#');
    // Where an entry begins with the comments directly above it.
    let head = |number: usize| {
        let mut at = starts[number];
        while at > 0 && is_comment(at - 1) {
            at -= 1;
        }
        if at == 0 { starts[number] } else { at }
    };
    let mut left_out = BTreeSet::new();
    for number in gone {
        starts.get(*number)?;
        let end = starts.get(number + 1).map_or(lines.len(), |_| head(number + 1));
        // A comment that stands apart behind the entry is not its own.
        let mut end_of_own = end;
        while end_of_own > starts[*number] + 1 && is_beside(lines[end_of_own - 1]) {
            end_of_own -= 1;
        }
        left_out.extend(head(*number)..end_of_own);
    }
    let kept = lines.iter().enumerate().filter(|(at, _)| !left_out.contains(at)).map(|(_, line)| *line);
    let mut edited: String = kept.collect();
    if !edited.is_empty() && !edited.ends_with('\n') {
        edited.push('\n');
    }
    for line in added.split_inclusive('\n') {
        edited.push_str(&" ".repeat(column));
        edited.push_str(line);
    }
    // A list of nothing but comments is read as one without entries.
    Some(edited)
}

/// Whether a line is no part of an entry.
fn is_beside(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#') || line == "---"
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# What we know.\n\n# The first.\n- pattern: a\n  reason: \"x\" # why\n# The second,\n# and more.\n- pattern: b\n  \
                        reason: |\n    - no entry\n\n# Apart.\n\n- pattern: c\n  reason: z";

    #[test]
    fn an_entry_goes_with_the_comments_above_it_and_all_else_stays() {
        let edited = edit(LIST, &[1], "").expect("it is in blocks");
        let expected = "# What we know.\n\n# The first.\n- pattern: a\n  reason: \"x\" # why\n\n# Apart.\n\n- pattern: c\n  reason: z\n";
        assert_eq!(edited, expected);
        assert_eq!(edit(LIST, &[], "").expect("it is in blocks"), format!("{LIST}\n"));
    }

    #[test]
    fn what_is_written_goes_to_the_end_as_deep_as_the_others() {
        assert_eq!(edit("", &[], "- pattern: n\n").as_deref(), Some("- pattern: n\n"));
        assert_eq!(edit("[]\n", &[], "- pattern: n\n").as_deref(), Some("- pattern: n\n"));
        assert_eq!(
            edit("  - a: 1\n", &[], "- b: 2\n  c: 3\n").as_deref(),
            Some("  - a: 1\n  - b: 2\n    c: 3\n")
        );
        let all = edit(LIST, &[0, 1, 2], "- pattern: n\n").expect("it is in blocks");
        assert_eq!(all, "# What we know.\n\n\n# Apart.\n\n- pattern: n\n");
    }

    #[test]
    fn the_head_of_a_file_stays_when_its_first_entry_goes() {
        assert_eq!(
            edit("# Ours.\n- pattern: a\n- pattern: b\n", &[0], "").as_deref(),
            Some("# Ours.\n- pattern: b\n")
        );
    }

    #[test]
    fn a_list_that_is_not_in_blocks_is_not_touched() {
        assert_eq!(edit("[{pattern: a}]\n", &[0], ""), None);
        assert_eq!(edit("- a: 1\n", &[1], ""), None);
    }
}
