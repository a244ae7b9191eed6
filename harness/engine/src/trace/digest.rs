//! The digest of a trace. What is hashed are the trace's values themselves, each with its kind and its length: to write them as text,
//! with every quote escaped, takes longer than all the hashing.

use std::fmt;

use serde::ser::{self, Serialize, Serializer};

use super::Observation;

/// A digest of a whole trace: equal digests mean equal traces, byte for byte.
pub fn digest(observations: &[Observation]) -> String {
    // Long pieces at once are hashed several times as fast as short ones; this is as many as are hashed side by side, twice.
    const PIECE: usize = 32 * 1024;
    let mut hasher = blake3::Hasher::new();
    let mut bytes = Vec::with_capacity(PIECE);
    for observation in observations {
        // The types of a trace hold nothing that cannot be said here.
        if observation.serialize(&mut Plain(&mut bytes)).is_err() {
            bytes.push(kind::UNSAID);
        }
        if bytes.len() >= PIECE {
            hasher.update(&bytes);
            bytes.clear();
        }
    }
    hasher.update(&bytes);
    hasher.finalize().to_hex().to_string()
}

/// What begins each value, so that no two traces look alike.
mod kind {
    pub(super) const UNSAID: u8 = 0;
    pub(super) const NONE: u8 = 1;
    pub(super) const SOME: u8 = 2;
    pub(super) const FALSE: u8 = 3;
    pub(super) const TRUE: u8 = 4;
    pub(super) const SIGNED: u8 = 5;
    pub(super) const UNSIGNED: u8 = 6;
    pub(super) const FLOAT: u8 = 7;
    pub(super) const TEXT: u8 = 8;
    pub(super) const BYTES: u8 = 9;
    pub(super) const LIST: u8 = 10;
    pub(super) const MAP: u8 = 11;
    pub(super) const VARIANT: u8 = 12;
    pub(super) const END: u8 = 13;
}

/// Appends values to bytes.
struct Plain<'a>(&'a mut Vec<u8>);

impl Plain<'_> {
    fn kind(&mut self, kind: u8) {
        self.0.push(kind);
    }

    fn number(&mut self, kind: u8, number: [u8; 8]) {
        self.kind(kind);
        self.0.extend_from_slice(&number);
    }

    fn long(&mut self, kind: u8, bytes: &[u8]) {
        self.number(kind, (bytes.len() as u64).to_le_bytes());
        self.0.extend_from_slice(bytes);
    }

    fn variant(&mut self, name: &str) {
        self.kind(kind::VARIANT);
        self.long(kind::TEXT, name.as_bytes());
    }

    fn end(&mut self) -> Result<(), Unsaid> {
        self.kind(kind::END);
        Ok(())
    }
}

/// A value refused to be written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unsaid(String);

impl ser::Error for Unsaid {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

macro_rules! numbers {
    ($($method:ident($from:ty) as $to:ty: $kind:ident;)*) => {
        $(fn $method(self, value: $from) -> Result<(), Unsaid> {
            self.number(kind::$kind, <$to>::from(value).to_le_bytes());
            Ok(())
        })*
    };
}

impl Serializer for &mut Plain<'_> {
    type Ok = ();
    type Error = Unsaid;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    numbers! {
        serialize_i8(i8) as i64: SIGNED;
        serialize_i16(i16) as i64: SIGNED;
        serialize_i32(i32) as i64: SIGNED;
        serialize_i64(i64) as i64: SIGNED;
        serialize_u8(u8) as u64: UNSIGNED;
        serialize_u16(u16) as u64: UNSIGNED;
        serialize_u32(u32) as u64: UNSIGNED;
        serialize_u64(u64) as u64: UNSIGNED;
        serialize_f32(f32) as f64: FLOAT;
        serialize_f64(f64) as f64: FLOAT;
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result<(), Unsaid> {
        self.kind(if value { kind::TRUE } else { kind::FALSE });
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Unsaid> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Unsaid> {
        self.long(kind::TEXT, value.as_bytes());
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Unsaid> {
        self.long(kind::BYTES, value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Unsaid> {
        self.kind(kind::NONE);
        Ok(())
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Unsaid> {
        self.kind(kind::SOME);
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Unsaid> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unsaid> {
        self.serialize_none()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Unsaid> {
        self.variant(variant);
        self.serialize_none()
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unsaid> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Unsaid> {
        self.variant(variant);
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Unsaid> {
        self.kind(kind::LIST);
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Unsaid> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Unsaid> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, Unsaid> {
        self.variant(variant);
        self.serialize_seq(None)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Unsaid> {
        self.kind(kind::MAP);
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unsaid> {
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, Unsaid> {
        self.variant(variant);
        self.serialize_map(None)
    }
}

impl ser::SerializeSeq for &mut Plain<'_> {
    type Ok = ();
    type Error = Unsaid;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Unsaid> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Unsaid> {
        Plain::end(self)
    }
}

impl ser::SerializeMap for &mut Plain<'_> {
    type Ok = ();
    type Error = Unsaid;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Unsaid> {
        key.serialize(&mut **self)
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Unsaid> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Unsaid> {
        Plain::end(self)
    }
}

/// What holds other values without names.
macro_rules! tuples {
    ($($trait:ident)*) => {
        $(impl ser::$trait for &mut Plain<'_> {
            type Ok = ();
            type Error = Unsaid;

            fn serialize_field<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Unsaid> {
                value.serialize(&mut **self)
            }

            fn end(self) -> Result<(), Unsaid> {
                Plain::end(self)
            }
        })*
    };
}

/// What holds other values by name.
macro_rules! structs {
    ($($trait:ident)*) => {
        $(impl ser::$trait for &mut Plain<'_> {
            type Ok = ();
            type Error = Unsaid;

            fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), Unsaid> {
                self.long(kind::TEXT, name.as_bytes());
                value.serialize(&mut **self)
            }

            fn end(self) -> Result<(), Unsaid> {
                Plain::end(self)
            }
        })*
    };
}

tuples! { SerializeTupleStruct SerializeTupleVariant }
structs! { SerializeStruct SerializeStructVariant }

impl ser::SerializeTuple for &mut Plain<'_> {
    type Ok = ();
    type Error = Unsaid;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Unsaid> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Unsaid> {
        Plain::end(self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::trace::{Blob, FileSeen, What};

    fn of(what: What) -> String {
        digest(&[Observation { at_ms: 0, what }])
    }

    fn result(value: serde_json::Value) -> String {
        of(What::Result { step: "s".to_owned(), value })
    }

    fn file(content: &[u8]) -> String {
        let seen = FileSeen { mode: 0o600, content: Blob(content.to_vec()) };
        of(What::Files { moment: "end".to_owned(), changed: BTreeMap::from([("f".to_owned(), Some(seen))]) })
    }

    #[test]
    fn what_differs_in_anything_has_another_digest() {
        let values = [
            json!(null),
            json!([]),
            json!({}),
            json!([null]),
            json!([[], []]),
            json!([[[]]]),
            json!(["ab", "c"]),
            json!(["a", "bc"]),
            json!({ "a": "b" }),
            json!({ "a": { "b": 1 }, "c": 2 }),
            json!({ "a": { "b": 1, "c": 2 } }),
            json!(["a", "b"]),
            json!(1),
            json!(-1),
            json!(1.0),
            json!(true),
            json!("true"),
        ];
        let digests: std::collections::BTreeSet<String> = values.iter().cloned().map(result).collect();
        assert_eq!(digests.len(), values.len());
        assert_eq!(result(json!([1])), result(json!([1])));
    }

    #[test]
    fn bytes_that_are_shown_alike_have_digests_of_their_own() {
        assert_ne!(file(b"\xff"), file(b"\xfe"));
        assert_ne!(file("\u{fffd}".as_bytes()), file(b"\xff"));
        let long = |last| file(&[vec![b'x'; 100_000], vec![last]].concat());
        assert_ne!(long(b'a'), long(b'b'));
    }

    #[test]
    fn when_and_where_something_was_seen_counts() {
        let at = |at_ms, host: &str| Observation { at_ms, what: What::Ready { host: host.to_owned() } };
        assert_ne!(digest(&[at(0, "a")]), digest(&[at(1, "a")]));
        assert_ne!(digest(&[at(0, "a"), at(0, "b")]), digest(&[at(0, "b"), at(0, "a")]));
        assert_ne!(digest(&[at(0, "a")]), digest(&[]));
    }
}
