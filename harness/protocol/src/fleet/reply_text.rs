//! The fixed texts that a receiver puts where an agent's reply would be (fact sheet 2.5 and 3.0).

use super::mode::Mode;
use crate::python;

/// How much of a failed CLI's standard error a reply quotes, in characters.
const MAX_STDERR_CHARS: usize = 300;

impl Mode {
    /// The acknowledgement of an accepted dispatch; it ends in `[queued]` (FLEET-ACK-02).
    pub fn ack_text(&self) -> String {
        format!("Message received; executing in repo via {}. Reply will follow. [queued]", self.label)
    }

    /// The turn outlived its time limit; `seconds` prints as a Python float, `300.0s`, or, where the reply also speaks of
    /// signing in, as whole seconds (FLEET-TURN-08).
    pub fn timeout_text(&self, seconds: f64) -> String {
        match self.sign_in {
            None => format!("[error] {} turn timed out after {}s", self.cli, python::float(seconds)),
            Some(hint) => {
                format!("[error] {} turn timed out after {:.0}s ({hint})", self.cli, seconds.ceil())
            }
        }
    }

    /// Nobody is signed in; nothing for a CLI of which that is not told apart (FLEET-AGY-10, FLEET-AGY-11).
    pub fn signed_out_text(&self) -> Option<String> {
        self.sign_in.map(|hint| format!("[error] {hint}"))
    }

    /// The CLI is not on PATH (FLEET-TURN-09).
    pub fn missing_text(&self) -> String {
        format!("[error] {} CLI not found on PATH", self.cli)
    }

    /// The CLI could not be started or read, with the system's own words.
    pub fn invocation_failed_text(&self, reason: &str) -> String {
        format!("[error] {} invocation failed: {reason}", self.cli)
    }

    /// The CLI failed and printed no reply; `stderr` is trimmed, put on one line and cut to 300 characters
    /// (FLEET-TURN-10).
    pub fn no_output_text(&self, rc: i32, stderr: &str) -> String {
        let snippet: String = stderr.trim().replace('\n', " ").chars().take(MAX_STDERR_CHARS).collect();
        let separator = if snippet.is_empty() { "" } else { ": " };
        format!("[error] {} exited rc={rc} with no parseable output{separator}{snippet}", self.cli)
    }

    /// The CLI itself says that the turn failed, and why (FLEET-CC-08).
    pub fn turn_failed_text(&self, reason: &str) -> String {
        format!("[error] {} turn failed: {reason}", self.cli)
    }

    /// The CLI succeeded and printed no reply (FLEET-TURN-12).
    pub fn no_reply_text(&self) -> String {
        format!("[no reply produced by {}]", self.cli)
    }

    /// No turn slot became free in time (FLEET-TURN-05).
    pub fn busy_slots_text(&self) -> String {
        "[busy] max concurrent turns reached, retry".to_owned()
    }

    /// The context's earlier turn did not end in time (FLEET-TURN-06).
    pub fn busy_context_text(&self) -> String {
        "[busy] this context is processing another turn; retry shortly".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use crate::agy::MODE as AGY;
    use crate::claude_code::MODE as CLAUDE_CODE;
    use crate::codex::MODE as CODEX;

    #[test]
    fn fixed_texts_are_those_of_the_product_line() {
        assert_eq!(CODEX.timeout_text(300.0), "[error] codex turn timed out after 300.0s");
        assert_eq!(CODEX.timeout_text(0.5), "[error] codex turn timed out after 0.5s");
        let late = AGY.timeout_text(299.5);
        assert!(
            late.starts_with("[error] agy turn timed out after 300s (agy not authenticated — run `agy` "),
            "{late}"
        );
        assert!(late.ends_with(" to sign in (macOS Keychain; there is no headless login))"), "{late}");
        let signed_out = AGY.signed_out_text().expect("agy's");
        assert!(
            signed_out
                .starts_with("[error] agy not authenticated — run `agy` interactively once on this host")
        );
        assert_eq!(CODEX.signed_out_text(), None);
        assert_eq!(CODEX.missing_text(), "[error] codex CLI not found on PATH");
        assert_eq!(
            CODEX.invocation_failed_text("embedded null byte"),
            "[error] codex invocation failed: embedded null byte"
        );
        assert_eq!(
            CLAUDE_CODE.turn_failed_text("error_max_turns"),
            "[error] claude turn failed: error_max_turns"
        );
        assert_eq!(CODEX.no_reply_text(), "[no reply produced by codex]");
    }

    #[test]
    fn standard_error_is_quoted_on_one_line_and_cut() {
        assert_eq!(CODEX.no_output_text(1, " \n "), "[error] codex exited rc=1 with no parseable output");
        assert_eq!(
            CODEX.no_output_text(2, "error: bad\n\n  tip: x\n"),
            "[error] codex exited rc=2 with no parseable output: error: bad    tip: x"
        );
        let long = CODEX.no_output_text(1, &"ü".repeat(400));
        assert_eq!(long.chars().filter(|c| *c == 'ü').count(), 300);
    }
}
