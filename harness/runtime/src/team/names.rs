//! Names that become parts of paths, confined before anything is made on the disk (team sheet 4, TEAM-STATE-05).

use std::fmt;

use super::error::TeamError;

/// A text that is the name of one file or folder and leads nowhere else.
fn confined(what: &'static str, text: &str) -> Result<String, TeamError> {
    let leads = text.is_empty() || text == "." || text == ".." || text.contains(['/', '\\', '\0']);
    // Longer than any file system takes, with room for what is put around it.
    if leads || text.len() > 200 {
        return Err(TeamError::Traversal { what, given: text.chars().take(100).collect() });
    }
    Ok(text.to_owned())
}

macro_rules! name {
    ($name:ident, $what:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The name, if it leads nowhere else.
            pub fn new(text: &str) -> Result<Self, TeamError> {
                confined($what, text).map(Self)
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(RunId, "teamRunId", "The id of one run of a team, which is the name of its folder.");
name!(MemberName, "member name", "The name of a member, which is the name of its inbox.");
name!(TeamName, "team name", "The name of a declared team, which is the name of its folder.");
name!(MessageId, "messageId", "The id of a message, which is the name of its file.");

/// The id of a task: decimal digits (TEAM-TASK-10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskId(String);

impl TaskId {
    /// The id, if it is nothing but digits.
    pub fn new(text: &str) -> Result<Self, TeamError> {
        let digits = !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits {
            return Err(TeamError::Traversal { what: "taskId", given: text.chars().take(100).collect() });
        }
        Ok(Self(text.to_owned()))
    }

    /// The id with this number.
    pub fn numbered(number: u64) -> Self {
        Self(number.to_string())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a name of a team or a member becomes: small letters, digits and single dashes between them (team sheet 3.3, rule 2).
pub(crate) fn stem(text: &str) -> String {
    let mut stem = String::new();
    for c in text.trim().chars() {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            stem.push(c);
        } else if !stem.is_empty() && !stem.ends_with('-') {
            stem.push('-');
        }
    }
    let stem = stem.trim_end_matches('-');
    if stem.is_empty() { "member".to_owned() } else { stem.chars().take(200).collect() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        for trick in ["", ".", "..", "../x", "a/b", "a\\b", "a\0b", "/etc"] {
            assert!(matches!(RunId::new(trick), Err(TeamError::Traversal { .. })), "{trick:?} was taken");
            assert!(matches!(TaskId::new(trick), Err(TeamError::Traversal { .. })), "{trick:?} was taken");
        }
        for trick in ["../1", "1a", "-1", " 1", "١"] {
            assert!(TaskId::new(trick).is_err(), "{trick:?} was taken");
        }
        assert_eq!(TaskId::new("12").unwrap().as_str(), "12");
    }

    #[test]
    fn a_stem_is_what_the_author_meant() {
        for (given, stem_of) in
            [(" My Team! ", "my-team"), ("--a__b--", "a-b"), ("", "member"), ("日本", "member"), ("A1", "a1")]
        {
            assert_eq!(stem(given), stem_of);
        }
    }

    proptest! {
        #[test]
        fn a_stem_is_a_name_and_its_own_stem(text in ".{0,40}") {
            let once = stem(&text);
            prop_assert!(MemberName::new(&once).is_ok());
            prop_assert!(once.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            prop_assert_eq!(stem(&once), once);
        }

        #[test]
        fn a_confined_name_is_one_component(text in any::<String>()) {
            if let Ok(name) = MemberName::new(&text) {
                let path = std::path::Path::new("/base").join(name.as_str());
                prop_assert_eq!(path.parent(), Some(std::path::Path::new("/base")));
            }
        }
    }
}
