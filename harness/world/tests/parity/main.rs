//! Parity: one body of tests, run over the simulated mechanics and over the real ones. What holds in a cell holds on this
//! computer too, down to the numbers of the errors.
#![expect(
    clippy::unwrap_used,
    reason = "the bodies of these tests stand outside the functions that carry #[test]"
)]

/// Makes two tests of each body: `name::simulated` and `name::real`.
macro_rules! both {
    ($($name:ident)*) => {$(
        mod $name {
            #[test]
            fn simulated() {
                crate::rig::simulated(super::$name);
            }

            #[test]
            fn real() {
                crate::rig::real(super::$name);
            }
        }
    )*};
}

mod clock;
mod disk;
mod disk_errors;
mod network;
mod panics;
mod processes;
mod replacing;
mod rig;
mod signals;
