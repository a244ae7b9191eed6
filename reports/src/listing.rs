//! What `gauntlet list` prints: a table of any of the things that there are.

use serde_json::{Map, Value};

use crate::escape;

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with as many cells.
    pub rows: Vec<Vec<String>>,
}

impl Listing {
    /// A table without rows.
    pub fn new(columns: &[&str]) -> Self {
        Self { columns: columns.iter().map(|column| (*column).to_owned()).collect(), rows: Vec::new() }
    }

    /// As aligned columns; the last one may be of any length.
    pub fn text(&self) -> String {
        let shown: Vec<Vec<String>> = std::iter::once(&self.columns)
            .chain(&self.rows)
            .map(|row| row.iter().map(|cell| escape::one_line(cell)).collect())
            .collect();
        let width = |column: usize| {
            shown.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
        };
        let widths: Vec<usize> =
            (0..self.columns.len()).map(|column| width(column).unwrap_or_default()).collect();
        let line = |row: &Vec<String>| {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            format!("{}\n", cells.join("  ").trim_end())
        };
        shown.iter().map(line).collect()
    }

    /// As a Markdown table.
    pub fn markdown(&self) -> String {
        let line = |row: &[String]| {
            let cells: Vec<String> = row
                .iter()
                .map(|cell| {
                    escape::one_line(cell).replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;")
                })
                .collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rule = format!("|{}\n", " --- |".repeat(self.columns.len()));
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("{}{rule}{rows}", line(&self.columns))
    }

    /// As a list of objects.
    pub fn json(&self) -> String {
        let object = |row: &Vec<String>| {
            let members = self.columns.iter().cloned().zip(row.iter().map(|cell| Value::from(cell.as_str())));
            Value::Object(members.collect::<Map<_, _>>())
        };
        let list = Value::Array(self.rows.iter().map(object).collect());
        format!("{list:#}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing {
        let mut listing = Listing::new(&["id", "title"]);
        listing.rows.push(vec!["a".to_owned(), "one | <two>".to_owned()]);
        listing.rows.push(vec!["longer".to_owned(), "three\u{1b}[0m".to_owned()]);
        listing
    }

    #[test]
    fn text_is_aligned_and_shows_no_hidden_character() {
        let text = listing().text();
        assert!(text.starts_with("id      title\na       one | <two>\nlonger  three"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn markdown_keeps_its_columns_whatever_is_in_a_cell() {
        let markdown = listing().markdown();
        let lines: Vec<&str> = markdown.lines().collect();
        assert_eq!(lines[..3], ["| id | title |", "| --- | --- |", "| a | one \\| &lt;two> |"]);
    }

    #[test]
    fn json_is_a_list_of_objects() {
        let value: Value = serde_json::from_str(&listing().json()).expect("JSON");
        assert_eq!(value[0]["title"], "one | <two>");
    }
}
