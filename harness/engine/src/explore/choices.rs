//! The list of choices that a cell is made of. Whoever makes a cell draws all that it needs here, and nothing elsewhere: so a list
//! is a cell, a part of it is a smaller one, and what is not said any more is the simplest there is.

use std::cell::{Cell, RefCell};

/// One choice.
pub(super) type Choice = u16;

/// A list that is being read, and written where it ends.
pub(super) struct Choices {
    given: Vec<Choice>,
    next: Cell<usize>,
    taken: RefCell<Vec<Choice>>,
    fresh: RefCell<Option<blake3::OutputReader>>,
}

impl Choices {
    /// What is in the list, and behind its end always the first of all possibilities.
    pub(super) fn of(given: &[Choice]) -> Self {
        Self {
            given: given.to_vec(),
            next: Cell::new(0),
            taken: RefCell::default(),
            fresh: RefCell::default(),
        }
    }

    /// What is in the list, and behind its end what a text draws.
    pub(super) fn going_on(given: &[Choice], text: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(text.as_bytes());
        Self { fresh: RefCell::new(Some(hasher.finalize_xof())), ..Self::of(given) }
    }

    /// One of so many possibilities. The first one is the simplest.
    pub(super) fn of_so_many(&self, many: usize) -> usize {
        let place = self.next.get();
        self.next.set(place + 1);
        let drawn = match self.given.get(place) {
            Some(choice) => usize::from(*choice),
            None => usize::from(self.drawn()),
        };
        let choice = drawn % many.max(1);
        // So many possibilities there never are.
        self.taken.borrow_mut().push(Choice::try_from(choice).unwrap_or(Choice::MAX));
        choice
    }

    /// Whether something is so, as it is in one of so many cases.
    pub(super) fn one_in(&self, many: usize) -> bool {
        self.of_so_many(many) == many.saturating_sub(1) && many > 1
    }

    /// One of these.
    pub(super) fn one<'a, T>(&self, all: &'a [T]) -> &'a T {
        &all[self.of_so_many(all.len())]
    }

    /// What was drawn, without what is simplest at its end.
    pub(super) fn taken(&self) -> Vec<Choice> {
        let mut taken = self.taken.borrow().clone();
        while taken.last() == Some(&0) {
            taken.pop();
        }
        taken
    }

    fn drawn(&self) -> Choice {
        let mut bytes = [0; 2];
        if let Some(fresh) = &mut *self.fresh.borrow_mut() {
            fresh.fill(&mut bytes);
        }
        Choice::from_le_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_drawn_draws_the_same_again() {
        let first = Choices::going_on(&[], "a cell");
        let drawn: Vec<usize> = (2..40).map(|many| first.of_so_many(many)).collect();
        let again = Choices::of(&first.taken());
        assert_eq!((2..40).map(|many| again.of_so_many(many)).collect::<Vec<_>>(), drawn);
        assert_ne!(drawn, vec![0; drawn.len()]);
    }

    #[test]
    fn behind_the_end_of_a_list_all_is_simple() {
        let choices = Choices::of(&[3]);
        assert_eq!((choices.of_so_many(5), choices.of_so_many(5), choices.one_in(2)), (3, 0, false));
        assert_eq!(choices.taken(), [3]);
    }
}
