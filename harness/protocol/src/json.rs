//! JSON text: one total parser, and the two ways in which the product line writes it.

use std::io;

use serde_json::Value;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use crate::error::ParseError;
use crate::python;

/// Reads one JSON value that fills `bytes` (UTF-8). `what` names the data in the error.
///
/// Nesting is bounded at 128 levels. Stricter than the receivers' Python: `NaN`, `Infinity` and `\u` escapes of
/// half a surrogate pair are refused, because no Rust string can hold the latter. Integers beyond 64 bits become
/// floats. Of a repeated key the last value counts, as in Python.
pub fn parse(what: &'static str, bytes: &[u8]) -> Result<Value, ParseError> {
    serde_json::from_slice(bytes).map_err(|error| {
        // For an early end serde_json names the last byte, not the end.
        let offset =
            if error.is_eof() { bytes.len() } else { byte_offset(bytes, error.line(), error.column()) };
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or(&reason);
        let found = if offset < bytes.len() {
            // A little more than an error shows, so that its cut is visible.
            String::from_utf8_lossy(&bytes[offset..bytes.len().min(offset + 400)]).into_owned()
        } else {
            "the end of the input".to_owned()
        };
        ParseError::new(what, format!("byte {offset}"), format!("JSON ({reason})"), &found)
    })
}

/// The lines of a stream of JSON that have something on them, trimmed; the last one needs no newline.
pub(crate) fn lines(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    stream.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}

/// The objects among these lines. Whatever does not begin as one is passed over at its first byte: a stream that is long is mostly noise.
pub(crate) fn objects(stream: &[u8]) -> impl Iterator<Item = Value> {
    lines(stream).filter(|line| begins_object(line)).filter_map(|line| serde_json::from_slice(line).ok())
}

/// Whether a trimmed line can be an object at all, which its first byte tells.
pub(crate) fn begins_object(line: &[u8]) -> bool {
    line.first() == Some(&b'{')
}

/// Zero-based offset of the byte at which serde_json (lines and columns from 1) gave up.
fn byte_offset(bytes: &[u8], line: usize, column: usize) -> usize {
    let start = match line {
        0 | 1 => 0,
        _ => bytes
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n')
            .nth(line - 2)
            .map_or(bytes.len(), |(index, _)| index + 1),
    };
    (start + column.saturating_sub(1)).min(bytes.len())
}

/// What kind of value this is, with its article: `an object`, `a string`, `null`.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// One line with `", "` and `": "` between things and everything outside printable ASCII as `\uXXXX` (a surrogate
/// pair where one is needed): how the product line writes its bodies and its JSONL files (fact sheet 2.5).
pub fn spaced(value: &Value) -> String {
    write(value, Spaced)
}

/// Keys sorted at every level, indented by two, non-ASCII escaped, and a final newline: how the product line writes
/// its session maps (fact sheet 3.1).
pub fn spaced_sorted_indented(value: &Value) -> String {
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    let mut text = write(&sorted, Indented(PrettyFormatter::new()));
    text.push('\n');
    text
}

fn write(value: &Value, formatter: impl Formatter) -> String {
    let mut bytes = Vec::new();
    serde::Serialize::serialize(value, &mut Serializer::with_formatter(&mut bytes, formatter))
        .expect("a JSON value has string keys only, and a vector takes every write");
    String::from_utf8(bytes).expect("the formatters write ASCII only")
}

/// Writes what serde_json left unescaped, so that only printable ASCII remains.
fn write_ascii<W: ?Sized + io::Write>(writer: &mut W, fragment: &str) -> io::Result<()> {
    let is_odd = |byte: u8| !matches!(byte, b' '..=b'~');
    // Nearly all text is plain. To look at all of a block, without stopping at the first odd byte, is a matter of a few instructions.
    if !fragment.as_bytes().chunks(256).any(|block| block.iter().fold(false, |odd, byte| odd | is_odd(*byte)))
    {
        return writer.write_all(fragment.as_bytes());
    }
    let mut units = [0; 2];
    let mut rest = fragment;
    loop {
        let (printable, odd) = rest.split_at(rest.bytes().position(is_odd).unwrap_or(rest.len()));
        writer.write_all(printable.as_bytes())?;
        let mut odd = odd.chars();
        let Some(c) = odd.next() else { return Ok(()) };
        for unit in c.encode_utf16(&mut units) {
            write!(writer, "\\u{unit:04x}")?;
        }
        rest = odd.as_str();
    }
}

/// Python's default separators.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_ascii(writer, fragment)
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(python::float(value).as_bytes())
    }
}

/// serde_json's own indentation, with text and floats as Python writes them.
struct Indented(PrettyFormatter<'static>);

impl Formatter for Indented {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_ascii(writer, fragment)
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(python::float(value).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn broken_text_is_located_by_byte() {
        let error = parse("request body", b"{\"a\":\n oops}").expect_err("not JSON");
        assert_eq!(error.at, "byte 7");
        assert_eq!(error.found, "oops}");
        assert!(error.to_string().starts_with("request body at byte 7: expected JSON (expected "), "{error}");
    }

    #[test]
    fn text_that_ends_too_early_says_so() {
        for cut in [&b""[..], b"{", b"[1,", b"\"a", b"{\n"] {
            assert_eq!(parse("line", cut).expect_err("cut").found, "the end of the input", "{cut:?}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = "[".repeat(100_000);
        assert!(parse("line", deep.as_bytes()).expect_err("too deep").expected.contains("recursion limit"));
        let allowed = format!("{}{}", "[".repeat(127), "]".repeat(127));
        assert!(parse("line", allowed.as_bytes()).is_ok());
    }

    #[test]
    fn bytes_that_are_not_utf8_and_half_surrogates_are_refused() {
        assert!(parse("line", b"\"\xff\"").is_err());
        assert!(parse("line", br#""a\ud800b""#).is_err());
    }

    #[test]
    fn one_line_form_is_pythons() {
        let value =
            json!({"b": [1, 2.0, 1e16, null, true], "a": "ü🦀\u{7f}\n\"\\/\u{1}\u{8}", "e": {}, "l": []});
        assert_eq!(
            spaced(&value),
            r#"{"b": [1, 2.0, 1e+16, null, true], "a": "\u00fc\ud83e\udd80\u007f\n\"\\/\u0001\b", "e": {}, "l": []}"#
        );
    }

    #[test]
    fn keys_are_escaped_like_values() {
        assert_eq!(spaced(&json!({"ü": 1})), "{\"\\u00fc\": 1}");
    }

    #[test]
    fn indented_form_sorts_at_every_level() {
        let value = json!({"b": {"z": 1, "a": "é"}, "a": [], "c": [1]});
        assert_eq!(
            spaced_sorted_indented(&value),
            "{\n  \"a\": [],\n  \"b\": {\n    \"a\": \"\\u00e9\",\n    \"z\": 1\n  },\n  \"c\": [\n    1\n  ]\n}\n"
        );
    }

    #[test]
    fn kinds_have_their_article() {
        let kinds = [json!(null), json!(true), json!(1), json!(""), json!([]), json!({})];
        let names: Vec<_> = kinds.iter().map(type_name).collect();
        assert_eq!(names, ["null", "a boolean", "a number", "a string", "an array", "an object"]);
    }
}
