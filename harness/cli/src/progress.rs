//! Progress on a terminal.

use gauntlet_engine::session::Progress;
use gauntlet_reports::Verdict;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error; nothing when that is no terminal.
pub(crate) struct Bar {
    bar: ProgressBar,
    failed: u64,
    /// Whether each cell is told as a line.
    verbose: bool,
}

impl Bar {
    pub(crate) fn new(terminal: bool, verbose: bool) -> Self {
        let bar = if terminal { ProgressBar::new(0) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} cells {per_sec} {msg} {eta}") {
            bar.set_style(style);
        }
        Self { bar, failed: 0, verbose }
    }

    pub(crate) fn show(&mut self, news: &Progress<'_>) {
        match news {
            Progress::Planned(cells) => self.bar.inc_length(*cells as u64),
            Progress::Done(record) => {
                if self.verbose {
                    let failed = record.line.failed.join(" ");
                    let line = format!("{:13} {}  {failed}", record.line.verdict.label(), record.line.id);
                    eprintln!("{}", line.trim_end());
                }
                // A cell with a quirk is meant to fail.
                if record.plan.deviation.is_none()
                    && matches!(record.line.verdict, Verdict::Fail | Verdict::Error)
                {
                    self.failed += 1;
                    self.bar.set_message(format!("{} failed", self.failed));
                }
                self.bar.inc(1);
            }
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
