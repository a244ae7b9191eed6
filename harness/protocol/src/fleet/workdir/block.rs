//! The managed block in a repository's `CLAUDE.md`: it imports the role text, and everything around it is its user's.

use super::ROLE_FILE;

const START: &str = "<!-- a2a-fleet:start -->";
const END: &str = "<!-- a2a-fleet:end -->";

/// How the block came to be in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Import {
    /// It is new.
    Imported,
    /// It was there, to the letter.
    AlreadyImported,
    /// It was there with another content.
    Refreshed,
}

impl Import {
    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            Import::Imported => "imported",
            Import::AlreadyImported => "already-imported",
            Import::Refreshed => "refreshed",
        }
    }
}

/// The file with the block in it, once. `text` is what it holds now; nothing when there is none.
pub fn with_import(text: Option<&str>) -> (String, Import) {
    let block = format!("{START}\n@{ROLE_FILE}\n{END}");
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return (format!("{block}\n"), Import::Imported);
    };
    let start = text.find(START);
    let end = start.and_then(|start| Some(start + text[start..].find(END)? + END.len()));
    match start.zip(end) {
        Some((start, end)) if text[start..end] == block => (text.to_owned(), Import::AlreadyImported),
        Some((start, end)) => (format!("{}{block}{}", &text[..start], &text[end..]), Import::Refreshed),
        None => {
            let gap = if text.ends_with('\n') { "" } else { "\n" };
            (format!("{text}{gap}\n{block}\n"), Import::Imported)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_is_added_once_and_what_people_wrote_stays() {
        let (new, import) = with_import(None);
        assert_eq!(
            (new.as_str(), import.name()),
            ("<!-- a2a-fleet:start -->\n@.hermes/A2A.md\n<!-- a2a-fleet:end -->\n", "imported")
        );
        let (added, import) = with_import(Some("# Mine"));
        assert_eq!((added.strip_suffix(new.as_str()), import), (Some("# Mine\n\n"), Import::Imported));
        assert_eq!(with_import(Some(&added)), (added.clone(), Import::AlreadyImported));
        let old = format!(
            "before\n{}\nafter\n",
            added.trim_start_matches("# Mine\n\n").replace("@.hermes/A2A.md", "@old.md")
        );
        let (fresh, import) = with_import(Some(&old));
        assert_eq!((fresh, import), (old.replace("@old.md", "@.hermes/A2A.md"), Import::Refreshed));
    }
}
