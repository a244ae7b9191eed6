//! A small HTTP/1 server codec over byte streams, whose framing is data.
//!
//! Receivers of this field are built on small servers whose framing differs from hyper's, and bridges break on exactly
//! that. So a simulated receiver reads with httparse and writes what its [`Framing`] says.

mod connection;
mod framing;
mod head;
#[cfg(test)]
mod tests;

pub(crate) use connection::reason;
pub use connection::{Connection, Refused};
pub use framing::Framing;
pub use head::{Head, Length};
