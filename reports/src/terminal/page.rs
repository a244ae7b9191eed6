//! A page of lines, none wider than the terminal, with or without colour.

use super::command;
use crate::columns;
use crate::escape;

/// How words stand out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Style {
    Plain,
    Bold,
    Dim,
    Good,
    Bad,
    Doubtful,
}

impl Style {
    /// The parameters of the SGR sequence (ECMA-48).
    const fn sgr(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Bold => Some("1"),
            Self::Dim => Some("2"),
            Self::Good => Some("32"),
            Self::Bad => Some("1;31"),
            Self::Doubtful => Some("33"),
        }
    }
}

/// The page under construction. Every text is escaped here, so that none reaches the terminal as it came.
pub(super) struct Page {
    width: usize,
    colour: bool,
    out: String,
}

impl Page {
    pub(super) const fn new(width: usize, colour: bool) -> Self {
        Self { width, colour, out: String::new() }
    }

    pub(super) const fn width(&self) -> usize {
        self.width
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    pub(super) fn blank(&mut self) {
        self.out.push('\n');
    }

    /// Text that is broken into lines, each begun by `indent` blanks.
    pub(super) fn text(&mut self, indent: usize, style: Style, text: &str) {
        self.labelled(indent, "", style, text);
    }

    /// A label and its text, whose further lines stand below its first.
    pub(super) fn labelled(&mut self, indent: usize, label: &str, style: Style, text: &str) {
        let hang = indent + columns::of(label);
        let lines = columns::wrap(&escape::one_line(text), self.width - hang);
        for (index, line) in lines.iter().enumerate() {
            if index == 0 {
                self.blanks(indent);
                self.paint(Style::Dim, label);
            } else {
                self.blanks(hang);
            }
            self.paint(style, line);
            self.out.push('\n');
        }
    }

    /// Pieces on one line, each with its own style; broken as plain text when they do not fit.
    pub(super) fn pieces(&mut self, indent: usize, pieces: &[(Style, &str)]) {
        let pieces: Vec<(Style, String)> =
            pieces.iter().map(|(style, text)| (*style, escape::one_line(text))).collect();
        let columns: usize = pieces.iter().map(|(_, text)| columns::of(text)).sum();
        if indent + columns > self.width {
            let whole: String = pieces.into_iter().map(|(_, text)| text).collect();
            self.text(indent, Style::Plain, &whole);
            return;
        }
        self.blanks(indent);
        for (style, text) in pieces {
            self.paint(style, &text);
        }
        self.out.push('\n');
    }

    /// A shell command that can be copied with its line ends.
    pub(super) fn command(&mut self, indent: usize, text: &str) {
        for line in command::fold(&escape::one_line(text), &" ".repeat(indent), self.width) {
            self.out.push_str(&line);
            self.out.push('\n');
        }
    }

    fn blanks(&mut self, count: usize) {
        self.out.extend(std::iter::repeat_n(' ', count));
    }

    fn paint(&mut self, style: Style, text: &str) {
        match style.sgr() {
            Some(sgr) if self.colour && !text.is_empty() => {
                self.out.push_str("\u{1b}[");
                self.out.push_str(sgr);
                self.out.push('m');
                self.out.push_str(text);
                self.out.push_str("\u{1b}[0m");
            }
            _ => self.out.push_str(text),
        }
    }
}
