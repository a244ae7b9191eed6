//! A message that names a profile: whom a reply is for, who asks for what is kept for it, and what became of a reply that came to
//! another profile. See `docs/extensions.md`.

use serde_json::{Value, json};

use super::{Misuse, PROFILE};
use crate::error::ParseError;
use crate::fields::Fields;

const WHAT: &str = "profile";
const LONGEST_NAME: usize = 64;
/// The class of a reply that came to another profile than the one that it is for.
pub const MISROUTED: &str = "misrouted";

/// Whom a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    /// The profile's name.
    pub profile: String,
    /// Whether that profile asks for what is kept for it. Of a reply it is no matter.
    pub asks: bool,
}

impl Addressee {
    /// Reads a payload: `{"profile": NAME}`, with `"asks": true` beside it where somebody asks.
    pub fn read(payload: &Value) -> Result<Addressee, ParseError> {
        let members = Fields::of(WHAT, payload)?;
        members.only(&["profile", "asks"])?;
        let profile = members.string("profile")?;
        if !is_name(profile) {
            let expected = "a name of 1 to 64 letters, digits, ., - and _, the first one no dot";
            return Err(members.wrong("profile", expected));
        }
        let asks = match members.get("asks") {
            None => false,
            Some(Value::Bool(asks)) => *asks,
            Some(_) => return Err(members.wrong("asks", "true or false")),
        };
        Ok(Addressee { profile: profile.to_owned(), asks })
    }

    /// What a message says of a profile, if it does.
    pub fn in_message(message: &Value) -> Result<Option<Addressee>, Misuse> {
        PROFILE.payload(message)?.map(Addressee::read).transpose().map_err(Misuse::from)
    }

    /// The payload.
    pub fn to_value(&self) -> Value {
        let mut value = json!({ "profile": self.profile });
        if self.asks {
            value["asks"] = json!(true);
        }
        value
    }
}

/// Whether a text can be the name of a profile on the wire: that of one folder, which leads nowhere else.
pub fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len())
        && !text.starts_with('.')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// What a node says of a reply that is not for it.
pub fn misrouted(profile: &str, at: &str, known: bool) -> Value {
    json!({ "class": MISROUTED, "profile": profile, "at": at, "kept": true, "known": known })
}

/// Whether an answer says that a reply came to another profile than the one that it is for.
pub fn is_misrouted(result: &Value) -> bool {
    let said =
        result.pointer("/message/metadata").and_then(|metadata| metadata.get(PROFILE.uri)?.get("class"));
    said.is_some_and(|class| class == MISROUTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_the_name_of_one_folder() {
        assert!(["default", "a", "Work-2", "v1.2_x"].into_iter().all(is_name));
        let long = "x".repeat(65);
        for wrong in ["", ".", "..", ".hidden", "a/b", "../up", "a\\b", "a b", "a\0", "ä", "%2e%2e", &long] {
            assert!(!is_name(wrong), "{wrong:?}");
            assert!(Addressee::read(&json!({ "profile": wrong })).is_err(), "{wrong:?}");
        }
        assert!(Addressee::read(&json!({ "profile": 5 })).is_err());
        assert!(Addressee::read(&json!({ "profile": "a", "home": "/" })).is_err());
        assert!(Addressee::read(&json!({ "profile": "a", "asks": "yes" })).is_err());
    }

    #[test]
    fn what_is_written_reads_back() {
        for asks in [false, true] {
            let addressee = Addressee { profile: "work".to_owned(), asks };
            assert_eq!(Addressee::read(&addressee.to_value()), Ok(addressee));
        }
        let mut message = json!({ "role": "agent" });
        PROFILE.announce(&mut message, misrouted("beta", "alpha", false));
        assert!(is_misrouted(&json!({ "message": message })));
        assert!(!is_misrouted(&json!({ "message": { "metadata": {} } })));
    }
}
