//! What a receiver reads out of the whole standard output of one turn.

use super::frame::{Frame, FrameKind};
use crate::json;

/// The sum of a turn's frames, by the rules of fact sheet 3.2 (FLEET-CC-07 to FLEET-CC-09).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TurnOutput {
    /// The first session that a frame names, trimmed.
    pub session: Option<String>,
    /// The answer of the last result, trimmed; without one, the last words of the agent. Nothing when the turn failed.
    pub reply: Option<String>,
    /// Why the turn failed, when its last result says that it did: what this says, else its subtype.
    pub failure: Option<String>,
    /// What the first result says, when there are several. Receivers do not deliver it.
    pub first_of_several: Option<String>,
    /// Whether the reply is what the result says, and not the last words of the agent.
    pub from_result: bool,
    /// Lines with something on them that are no frame known here.
    pub ignored_lines: usize,
}

impl TurnOutput {
    /// Reads everything that the CLI printed; the last line needs no newline.
    pub fn read(stdout: &[u8]) -> TurnOutput {
        let mut output = TurnOutput::default();
        let (mut last, mut said) = (None::<(bool, Option<String>, Option<String>)>, None);
        for line in json::lines(stdout) {
            let Some(Ok(frame)) = json::begins_object(line).then(|| Frame::parse_line(line)) else {
                output.ignored_lines += 1;
                continue;
            };
            output.session = output.session.or(frame.session);
            match frame.kind {
                FrameKind::Result { failed, subtype, result } => {
                    let earlier = last.replace((failed, subtype, result));
                    output.first_of_several = output
                        .first_of_several
                        .or_else(|| earlier.and_then(|(_, _, result)| not_blank(result)));
                }
                FrameKind::Assistant { text } => said = not_blank(Some(text)).or(said),
                FrameKind::System { .. } | FrameKind::User => {}
                FrameKind::Unknown { .. } => output.ignored_lines += 1,
            }
        }
        match last {
            Some((true, subtype, result)) => {
                let why = not_blank(result).or(not_blank(subtype));
                output.failure = Some(why.unwrap_or_else(|| "unknown error".to_owned()));
            }
            Some((false, _, result)) => {
                let told = not_blank(result);
                output.from_result = told.is_some();
                output.reply = told.or(said);
            }
            None => output.reply = said,
        }
        output
    }
}

fn not_blank(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = r#"{"type":"assistant","message":{"content":[{"type":"text","text":" said "}]}}"#;

    fn read(lines: &[&str]) -> TurnOutput {
        TurnOutput::read(lines.join("\n").as_bytes())
    }

    #[test]
    fn of_several_results_the_last_one_counts() {
        let (good, bad) =
            (r#"{"type":"result","result":" one "}"#, r#"{"type":"result","is_error":true,"result":"two"}"#);
        assert_eq!(read(&[bad, SAID, good]).reply.as_deref(), Some("one"));
        let failed = read(&[good, SAID, bad]);
        assert_eq!((failed.reply, failed.failure.as_deref()), (None, Some("two")));
    }

    #[test]
    fn without_a_usable_result_the_last_words_are_the_reply() {
        let tool = r#"{"type":"assistant","message":{"content":[{"type":"tool_use"}]}}"#;
        assert_eq!(read(&[SAID, tool]).reply.as_deref(), Some("said"));
        for result in ["null", "\" \"", "7", "{}"] {
            let line = format!(r#"{{"type":"result","subtype":"success","result":{result}}}"#);
            assert_eq!(read(&[SAID, tool, &line]).reply.as_deref(), Some("said"), "{result}");
            assert_eq!(read(&[&line]).reply, None, "{result}");
        }
    }

    #[test]
    fn a_failure_is_told_by_its_result_else_by_its_subtype() {
        for (members, why) in [
            (r#""result":"no money","subtype":"success""#, "no money"),
            (r#""result":" ","subtype":"error_max_turns""#, "error_max_turns"),
            (r#""subtype":null"#, "unknown error"),
        ] {
            let line = format!(r#"{{"type":"result","is_error":true,{members}}}"#);
            assert_eq!(read(&[SAID, &line]).failure.as_deref(), Some(why));
        }
    }

    #[test]
    fn lines_that_are_no_frame_are_counted_and_passed_over() {
        let output =
            read(&["warming up", "", "[1]", r#"{"type":"x"}"#, "\u{fffd}", r#"{"type":"user"}"#, "{\"ty"]);
        assert_eq!(output, TurnOutput { ignored_lines: 5, ..TurnOutput::default() });
    }
}
