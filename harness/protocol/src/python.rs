//! How Python prints and judges values. The receivers of the product line are Python programs, and some of their
//! fixed texts are Python's own forms (fact sheet 2.3 E8, 3.0).

use serde_json::Value;

/// Whether `c` is printed as itself by Python's `repr`: neither control, format, surrogate, private, unassigned nor
/// a separator other than the space.
pub(crate) fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    // The standard library escapes the same Unicode classes in Debug output, but at the start of a text it also
    // escapes combining marks. Behind another character it does not.
    let mut text = String::from("a");
    text.push(c);
    text.escape_debug().nth(1) == Some(c)
}

/// Python's `repr` of a JSON value after `json.loads`.
pub(crate) fn repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => match number.as_f64() {
            Some(float_value) if number.is_f64() => float(float_value),
            _ => number.to_string(),
        },
        Value::String(text) => repr_str(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(repr).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, item)| format!("{}: {}", repr_str(key), repr(item))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// The name of a JSON value's type in Python.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// Python's `repr` of a string: single quotes, unless the text holds a single and no double quote.
fn repr_str(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut shown = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if c == quote => shown.extend(['\\', c]),
            c if is_printable(c) => shown.push(c),
            c => shown.push_str(&match u32::from(c) {
                code @ 0..=0xff => format!("\\x{code:02x}"),
                code @ 0x100..=0xffff => format!("\\u{code:04x}"),
                code => format!("\\U{code:08x}"),
            }),
        }
    }
    shown.push(quote);
    shown
}

/// Python's print of a float: `300.0`, `0.5`, `1e+16`, `1e-05`.
pub(crate) fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    // Both languages print the shortest digits that read back, and change to exponents at the same sizes.
    let shown = format!("{value:?}");
    let Some((digits, exponent)) = shown.split_once('e') else { return shown };
    match exponent.strip_prefix('-') {
        Some(size) => format!("{digits}e-{size:0>2}"),
        None => format!("{digits}e+{exponent:0>2}"),
    }
}

/// Whether Python's `if value` holds: null, false, zero and everything empty do not.
pub(crate) fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn strings_take_the_quotes_that_python_takes() {
        assert_eq!(repr(&json!("ping")), "'ping'");
        assert_eq!(repr(&json!("it's")), "\"it's\"");
        assert_eq!(repr(&json!("it's \"so\"")), "'it\\'s \"so\"'");
        assert_eq!(repr(&json!("\"")), "'\"'");
    }

    #[test]
    fn unprintable_characters_are_escaped_by_their_size() {
        assert_eq!(
            repr(&json!("\0\u{7f}\u{a0}\u{ad}\u{2028}\u{e000}\u{10ffff}")),
            "'\\x00\\x7f\\xa0\\xad\\u2028\\ue000\\U0010ffff'"
        );
        assert_eq!(repr(&json!("\t\n\r\\")), "'\\t\\n\\r\\\\'");
    }

    #[test]
    fn printable_characters_of_any_script_stay() {
        assert_eq!(repr(&json!("grüße 日本 🦀 e\u{301} \u{301}")), "'grüße 日本 🦀 e\u{301} \u{301}'");
    }

    #[test]
    fn other_values_print_as_python_literals() {
        assert_eq!(
            repr(&json!([null, true, false, 5, 1.5, {"a": []}])),
            "[None, True, False, 5, 1.5, {'a': []}]"
        );
    }

    #[test]
    fn floats_keep_their_point_and_pythons_exponent() {
        for (value, text) in [
            (300.0, "300.0"),
            (0.25, "0.25"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e-7, "1.5e-07"),
            (0.0001, "0.0001"),
            (1e-5, "1e-05"),
            (-2.0, "-2.0"),
            (1e300, "1e+300"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(float(value), text);
        }
    }

    #[test]
    fn truth_follows_python() {
        for falsy in
            [json!(null), json!(false), json!(0), json!(0.0), json!(-0.0), json!(""), json!([]), json!({})]
        {
            assert!(!truthy(&falsy), "{falsy}");
        }
        for true_value in [json!(true), json!(1), json!(-0.5), json!(" "), json!([0]), json!({"a": null})] {
            assert!(truthy(&true_value), "{true_value}");
        }
    }
}
