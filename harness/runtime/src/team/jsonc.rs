//! JSON with comments and commas at ends, as people write configurations.

/// The same text as plain JSON: comments are blanks, and so are commas before a closing bracket. Places stay what they are.
pub(crate) fn plain(text: &[u8]) -> Vec<u8> {
    let mut plain = text.to_vec();
    let mut at = 0;
    let mut comma = None;
    while let Some(byte) = text.get(at) {
        match (byte, text.get(at + 1)) {
            (b'"', _) => {
                comma = None;
                at += 1;
                while let Some(byte) = text.get(at).filter(|byte| **byte != b'"') {
                    at += if *byte == b'\\' { 2 } else { 1 };
                }
            }
            (b'/', Some(b'/')) => {
                let end =
                    text[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| at + end);
                blank(&mut plain, at, end);
                at = end;
                continue;
            }
            (b'/', Some(b'*')) => {
                let rest = text.get(at + 2..).unwrap_or_default();
                let end = rest.windows(2).position(|two| two == b"*/").map_or(text.len(), |end| at + end + 4);
                blank(&mut plain, at, end);
                at = end;
                continue;
            }
            (b',', _) => comma = Some(at),
            (b'}' | b']', _) => {
                if let Some(comma) = comma.take() {
                    blank(&mut plain, comma, comma + 1);
                }
            }
            (byte, _) if byte.is_ascii_whitespace() => {}
            _ => comma = None,
        }
        at += 1;
    }
    plain
}

fn blank(text: &mut [u8], from: usize, to: usize) {
    for byte in text.iter_mut().take(to).skip(from).filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn comments_and_last_commas_are_no_part_of_it() {
        let text = br#"{ // first
            "a": "x // no, /* no */ \" ,}", /* and
            more */ "b": [1, 2, /* end */ ], }"#;
        let read: Value = serde_json::from_slice(&plain(text)).unwrap();
        assert_eq!(read, json!({ "a": "x // no, /* no */ \" ,}", "b": [1, 2] }));
    }

    proptest! {
        #[test]
        fn any_bytes_keep_their_length(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(plain(&bytes).len(), bytes.len());
        }

        #[test]
        fn plain_json_stays_as_it_is(texts in prop::collection::vec(any::<String>(), 0..6)) {
            let text = json!({ "of": texts }).to_string();
            prop_assert_eq!(plain(text.as_bytes()), text.as_bytes());
        }
    }
}
