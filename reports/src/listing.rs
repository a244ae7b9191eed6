//! What `gauntlet list` prints: a table of any of the things that there are.

use serde_json::{Map, Value};

use crate::columns;
use crate::escape;

/// No page is narrower. A narrower terminal breaks the lines itself.
const LEAST_WIDTH: usize = 40;
/// The blanks between two columns.
const GAP: usize = 2;
/// A last column that has more to say gets so much room at least.
const LEAST_LAST: usize = 24;

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

    /// As columns of at most `width` together, where no word has to be broken for that; else row by row, each column but the first
    /// under its name.
    pub fn text(&self, width: usize) -> String {
        let width = width.max(LEAST_WIDTH);
        let rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(|cell| escape::one_line(cell)).collect()).collect();
        match self.widths(&rows, width) {
            Some(widths) => {
                std::iter::once(&self.columns).chain(&rows).map(|row| beside(row, &widths)).collect()
            }
            None => rows.iter().map(|row| self.below(row, width)).collect(),
        }
    }

    /// The widths of columns that fit together, each as wide as its longest word at least.
    fn widths(&self, rows: &[Vec<String>], width: usize) -> Option<Vec<usize>> {
        let most = |column: usize, of: fn(&str) -> usize| {
            let cells = std::iter::once(&self.columns).chain(rows).filter_map(|row| row.get(column));
            cells.map(|cell| of(cell)).max().unwrap_or_default()
        };
        let longest_word = |cell: &str| cell.split(' ').map(columns::of).max().unwrap_or_default();
        let mut widths: Vec<usize> =
            (0..self.columns.len()).map(|column| most(column, longest_word)).collect();
        let used = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let mut free = width.checked_sub(used)?;
        // What is left goes to the first columns first: the last one mostly holds sentences, which wrap well.
        for (column, width) in widths.iter_mut().enumerate() {
            let more = most(column, columns::of).saturating_sub(*width).min(free);
            *width += more;
            free -= more;
        }
        // A sentence that is squeezed into a narrow column is hard to read.
        let last = self.columns.len().saturating_sub(1);
        let squeezed = widths.get(last).is_some_and(|width| *width < most(last, columns::of).min(LEAST_LAST));
        (!squeezed).then_some(widths)
    }

    fn below(&self, row: &[String], width: usize) -> String {
        let mut cells = self.columns.iter().zip(row);
        let first = cells.next().map(|(_, cell)| columns::wrap(cell, width)).unwrap_or_default();
        let others = cells.filter(|(_, cell)| !cell.is_empty()).flat_map(|(name, cell)| {
            let lines = columns::wrap(&format!("{name}: {cell}"), width - 4);
            let indented = |(number, line)| format!("{}{line}", if number == 0 { "  " } else { "    " });
            lines.into_iter().enumerate().map(indented).collect::<Vec<_>>()
        });
        first.into_iter().chain(others).map(|line| format!("{line}\n")).collect()
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

/// One row as columns, on as many lines as its longest cell takes.
fn beside(row: &[String], widths: &[usize]) -> String {
    let cells: Vec<Vec<String>> =
        row.iter().zip(widths).map(|(cell, width)| columns::wrap(cell, (*width).max(2))).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or_default();
    let line = |number: usize| {
        let parts = cells.iter().zip(widths).map(|(lines, width)| {
            let part = lines.get(number).map(String::as_str).unwrap_or_default();
            format!("{part}{}", " ".repeat(width.saturating_sub(columns::of(part))))
        });
        format!("{}\n", parts.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end())
    };
    (0..height).map(line).collect()
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
        let text = listing().text(80);
        assert!(text.starts_with("id      title\na       one | <two>\nlonger  three"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_nothing_is_lost() {
        let mut listing = Listing::new(&["id", "level", "statement"]);
        let statement =
            "A sentence that is so long that no terminal shows it in one line, and that must not be cut.";
        listing.rows.push(vec!["FLEET-ACK-01".to_owned(), "must".to_owned(), statement.to_owned()]);
        let long = "fleet/a-scenario-whose-name-is-long@opencode-1.18.33+a-quirk-with-a-long-name#0~real";
        for id in ["FLEET-ACK-02", long] {
            listing.rows.push(vec![id.to_owned(), "may".to_owned(), statement.to_owned()]);
            for width in [40, 80, 120] {
                let text = listing.text(width);
                assert!(text.lines().all(|line| columns::of(line) <= width), "{width}: {text}");
                let words = |text: &str| text.split_whitespace().collect::<String>();
                let told = text.matches("terminal").count();
                assert_eq!(told, listing.rows.len(), "{width}: {text}");
                assert!(id == long || words(&text).contains(&words("FLEET-ACK-02")), "{width}: {text}");
            }
        }
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
