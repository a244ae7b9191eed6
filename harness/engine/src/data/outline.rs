//! Where each part of a YAML file stands, so that a rule that no type can hold points at what breaks it.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

/// The shape of a file, with the place of every part.
pub(crate) struct Outline(Option<Spanned<Part>>);

enum Part {
    Leaf,
    List(Vec<Spanned<Part>>),
    Map(Vec<(Spanned<String>, Spanned<Part>)>),
}

impl Outline {
    /// The outline of a file that was read before.
    pub(crate) fn of(text: &str) -> Self {
        Self(serde_saphyr::from_str(text).ok())
    }

    /// The line and column of the part that a path of keys and numbers leads to: of the key when it is the last one and
    /// `key` says so, else of its value. A part that is not there has the place of the nearest one around it.
    fn find(&self, path: &[&str], key: bool) -> (u64, u64) {
        let Some(mut part) = self.0.as_ref() else { return (1, 1) };
        let mut place = part.referenced;
        for (depth, step) in path.iter().enumerate() {
            let (named, next) = match &part.value {
                Part::Leaf => break,
                Part::List(items) => match step.parse::<usize>().ok().and_then(|number| items.get(number)) {
                    Some(item) => (item.referenced, item),
                    None => break,
                },
                Part::Map(members) => match members.iter().find(|(name, _)| name.value == *step) {
                    Some((name, value)) => (name.referenced, value),
                    None => break,
                },
            };
            place = if key && depth + 1 == path.len() { named } else { next.referenced };
            part = next;
        }
        line_and_column(place)
    }

    /// Where the value is that a path of keys and numbers leads to.
    pub(crate) fn value(&self, path: &[&str]) -> (u64, u64) {
        self.find(path, false)
    }

    /// Where the key is that a path of keys and numbers leads to.
    pub(crate) fn key(&self, path: &[&str]) -> (u64, u64) {
        self.find(path, true)
    }
}

fn line_and_column(location: Location) -> (u64, u64) {
    (location.line(), location.column())
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        macro_rules! leaf {
            ($($visit:ident($kind:ty)),*) => {
                $(fn $visit<E>(self, _: $kind) -> Result<Part, E> { Ok(Part::Leaf) })*
            };
        }
        impl<'de> Visitor<'de> for Any {
            type Value = Part;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            leaf!(
                visit_bool(bool),
                visit_i64(i64),
                visit_u64(u64),
                visit_i128(i128),
                visit_u128(u128),
                visit_f64(f64),
                visit_str(&str)
            );

            fn visit_unit<E>(self) -> Result<Part, E> {
                Ok(Part::Leaf)
            }

            fn visit_none<E>(self) -> Result<Part, E> {
                Ok(Part::Leaf)
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Part, D::Error> {
                Part::deserialize(deserializer)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Part, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Part::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Part, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Part::Map(members))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_by_its_path_and_what_is_not_there_by_what_is_around_it() {
        let outline = Outline::of(
            "id: x\nsteps:\n  - write: { path: a, text: ~ }\n  - advance: 1s\nn: [1, 2.5, true]\n",
        );
        assert_eq!(outline.value(&["steps", "0", "write", "path"]), (3, 20));
        assert_eq!(outline.key(&["steps", "0", "write", "path"]), (3, 14));
        assert_eq!(outline.value(&["steps", "1", "advance"]), (4, 14));
        assert_eq!(outline.value(&["n", "2"]), (5, 13));
        assert_eq!(outline.value(&["steps", "1", "advance", "deeper"]), (4, 14));
        assert_eq!(outline.value(&["steps", "7"]), outline.value(&["steps"]));
        assert_eq!(Outline::of("{{{").value(&["a"]), (1, 1));
    }
}
