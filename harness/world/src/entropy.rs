//! The entropy port: the only source of random numbers in a cell.

use std::cell::RefCell;

use uuid::Uuid;

use crate::host::PORT;

/// Random bytes: from the operating system in the real mechanics, from a seeded stream in the simulated ones.
pub struct Entropy(Source);

enum Source {
    Real,
    Seeded(RefCell<blake3::OutputReader>),
}

impl Entropy {
    pub(crate) fn real() -> Self {
        Self(Source::Real)
    }

    /// A stream that depends on nothing but its seed parts, in order.
    pub(crate) fn seeded(parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(Source::Seeded(RefCell::new(hasher.finalize_xof())))
    }

    /// Fills the buffer.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the port: the ban keeps everyone else from going around it"
    )]
    pub fn fill(&self, buffer: &mut [u8]) {
        // How many, and never which: bearers are made of them.
        tracing::trace!(target: PORT, bytes = buffer.len(), "entropy.fill");
        match &self.0 {
            Source::Seeded(stream) => stream.borrow_mut().fill(buffer),
            // The operating system's generator can only fail before it was ever seeded; nothing sensible can go on then.
            Source::Real => getrandom::fill(buffer).expect("the operating system gives random bytes"),
        }
    }

    /// A number below `bound`, or 0 when the bound is 0. The bias of the remainder does not matter for what draws it.
    pub fn below(&self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes).checked_rem(bound).unwrap_or(0)
    }

    /// A random (version 4) UUID.
    pub fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}
