//! A cell as a sequence diagram and as a transcript, for people at a terminal.
//!
//! Whoever makes one redacts its texts first: a secret that was broken over two lines could not be found any more. Everything is escaped
//! here.

use crate::cap::{DETAIL_LIMIT, cap};
use crate::columns;
use crate::escape;

/// The columns of the time, and those between two lanes.
const TIME: usize = 9;
const LANE: usize = 12;
/// What is told beside the lanes gets so many columns at least.
const LEAST_TEXT: usize = 24;
/// The most characters that are told beside the lanes.
const MOST_TEXT: usize = 120;
/// The most rows of a diagram.
const MOST_ROWS: usize = 400;
/// The most lines of one part of a transcript.
const MOST_LINES: usize = 60;

/// A diagram.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sequence {
    /// Who takes part, from left to right.
    pub lanes: Vec<String>,
    /// What happened, in order.
    pub rows: Vec<Row>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Milliseconds since the beginning.
    pub at_ms: u64,
    /// Where.
    pub place: Place,
    /// What.
    pub text: String,
    /// What it is evidence of.
    pub marks: Vec<String>,
}

/// Where something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Something went from one lane to another.
    Between(usize, usize),
    /// In one lane.
    In(usize),
    /// To all.
    All,
}

impl Sequence {
    /// The diagram in ASCII, of which no line is wider than `width` columns, unless that is too narrow for it.
    pub fn text(&self, width: usize) -> String {
        let beside = TIME + 2 + LANE * self.lanes.len();
        let room = width.saturating_sub(beside).max(LEAST_TEXT);
        let mut out = format!("{:>TIME$}  ", "ms");
        let mut heads = String::new();
        for (number, lane) in self.lanes.iter().enumerate() {
            let lane: String = escape::one_line(lane).chars().take(LANE - 1).collect();
            let from = middle(number).saturating_sub(columns::of(&lane) / 2);
            heads.push_str(&" ".repeat(from.saturating_sub(columns::of(&heads))));
            heads.push_str(&lane);
        }
        out.push_str(heads.trim_end());
        out.push('\n');
        let mut before = None;
        for row in self.rows.iter().take(MOST_ROWS) {
            let text = columns::wrap(&escape::one_line(&cap(&row.text, MOST_TEXT)), room);
            let marks = row.marks.iter().flat_map(|mark| {
                columns::wrap(&format!("! {}", escape::one_line(&cap(mark, MOST_TEXT))), room)
            });
            // Who reads it looks for when something happened, not for how often.
            let time = if before == Some(row.at_ms) { String::new() } else { row.at_ms.to_string() };
            before = Some(row.at_ms);
            for (number, line) in text.into_iter().chain(marks).enumerate() {
                let (time, lanes) = match number {
                    0 => (time.as_str(), self.drawn(Some(row.place))),
                    _ => ("", self.drawn(None)),
                };
                out.push_str(&format!("{time:>TIME$}  {lanes}{line}\n"));
            }
        }
        let more = self.rows.len().saturating_sub(MOST_ROWS);
        if more > 0 {
            out.push_str(&format!("{:>TIME$}  {more} more; the transcript has them\n", ""));
        }
        out
    }

    fn drawn(&self, place: Option<Place>) -> String {
        let mut line = vec![' '; LANE * self.lanes.len()];
        for number in 0..self.lanes.len() {
            line[middle(number)] = '|';
        }
        let last = self.lanes.len().saturating_sub(1);
        match place {
            Some(Place::Between(from, to)) if from != to && from.max(to) <= last => {
                let (left, right) = (middle(from.min(to)), middle(from.max(to)));
                line[left + 1..right].fill('-');
                if from < to { line[right - 1] = '>' } else { line[left + 1] = '<' }
            }
            Some(Place::Between(lane, _) | Place::In(lane)) if lane <= last => line[middle(lane)] = '*',
            Some(Place::All) if !line.is_empty() => line[middle(0)..=middle(last)].fill('='),
            _ => {}
        }
        line.into_iter().collect()
    }
}

/// Where in a line a lane is.
const fn middle(number: usize) -> usize {
    LANE * number + LANE / 2 - 1
}

/// One observation of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Milliseconds since the beginning.
    pub at_ms: u64,
    /// What kind of observation it is.
    pub what: String,
    /// Its parts, each with what stands before its lines.
    pub parts: Vec<(String, String)>,
}

/// A transcript, of which no line is wider than `width` columns.
pub fn transcript(entries: &[Entry], width: usize) -> String {
    let width = width.max(LEAST_TEXT + TIME);
    let mut out = String::new();
    for (index, entry) in entries.iter().enumerate() {
        out.push_str(&format!("{index:4} {:>TIME$} ms  {}\n", entry.at_ms, escape::one_line(&entry.what)));
        for (sign, text) in &entry.parts {
            let sign: String = escape::one_line(sign).chars().take(LEAST_TEXT / 2).collect();
            let begin = format!("     {sign}");
            let room = width.saturating_sub(columns::of(&begin)).max(LEAST_TEXT / 2);
            let shown = cap(text, DETAIL_LIMIT);
            let lines: Vec<String> =
                escape::lines(&shown).lines().flat_map(|line| broken(line, room)).collect();
            for line in lines.iter().take(MOST_LINES) {
                out.push_str(&format!("{begin}{line}\n"));
            }
            let more = lines.len().saturating_sub(MOST_LINES);
            if more > 0 {
                out.push_str(&format!("{begin}… {more} more lines\n"));
            }
        }
    }
    out
}

/// A line of wire text over several: where it is broken nothing is left out, not even a blank.
fn broken(line: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for c in line.chars() {
        let columns = columns::of_char(c);
        if used + columns > width {
            lines.push(String::new());
            used = 0;
        }
        used += columns;
        if let Some(last) = lines.last_mut() {
            last.push(c);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn diagram() -> Sequence {
        let row = |at_ms, place, text: &str| Row { at_ms, place, text: text.to_owned(), marks: Vec::new() };
        let lanes = ["runtime", "receiver", "CLI"].map(str::to_owned).to_vec();
        let mut rows = vec![
            row(0, Place::In(1), "ready"),
            row(5, Place::Between(0, 1), "POST /jsonrpc"),
            row(5, Place::Between(1, 0), "200"),
            row(7, Place::Between(0, 2), "past the receiver"),
            row(9, Place::All, "power cut"),
        ];
        rows[2].marks.push("FLEET-ACK-01".to_owned());
        Sequence { lanes, rows }
    }

    #[test]
    fn arrows_lead_from_lane_to_lane() {
        let text = diagram().text(100);
        let expected = "       ms    runtime    receiver       CLI\n        0       |           *           |      ready\n        \
                        5       |---------->|           |      POST /jsonrpc\n                |<----------|           |      \
                        200\n                |           |           |      ! FLEET-ACK-01\n        7       |---------------------->|\
                              past the receiver\n        9       =========================      power cut\n";
        let squeezed = |text: &str| {
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        assert_eq!(squeezed(&text), squeezed(expected), "{text}");
        let lines: Vec<&str> = text.lines().collect();
        let bars = |line: &str| line.match_indices('|').map(|(at, _)| at).collect::<Vec<_>>();
        assert_eq!(bars(lines[2]), bars(lines[3]), "lanes stand below each other: {text}");
    }

    proptest! {
        #[test]
        fn whatever_a_peer_says_no_line_is_wider_and_nothing_hidden_is_left(
            text in proptest::collection::vec(any::<char>(), 0..300),
            width in 80usize..120,
        ) {
            let text: String = text.into_iter().collect();
            let mut diagram = diagram();
            diagram.rows[1].text.clone_from(&text);
            diagram.rows[2].marks.push(text.clone());
            let entry = Entry { at_ms: 1, what: "exchange".to_owned(), parts: vec![("> ".to_owned(), text)] };
            for shown in [diagram.text(width), transcript(&[entry], width)] {
                prop_assert!(!shown.chars().any(|c| c != '\n' && escape::is_hidden(c)));
                prop_assert!(shown.lines().all(|line| columns::of(line) <= width), "{shown}");
            }
        }
    }
}
