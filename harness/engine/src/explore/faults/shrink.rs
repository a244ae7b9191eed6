//! The smallest list that still fails.

use crate::explore::choices::Choice;

/// Makes a list smaller as long as `fails` says that it fails, in at most so many attempts: pieces are taken out, then choices are made
/// simpler.
pub(super) fn shrunk(
    list: &[Choice],
    attempts: usize,
    fails: &mut dyn FnMut(&[Choice]) -> bool,
) -> Vec<Choice> {
    let mut smallest = list.to_vec();
    let mut left = attempts;
    loop {
        let before = smallest.clone();
        let mut length = smallest.len() / 2;
        while length > 0 {
            // From the end, since what comes last depends on what came before.
            let mut end = smallest.len();
            while end >= length && length > 0 {
                let mut candidate = smallest.clone();
                candidate.drain(end - length..end);
                let mut zeroed = smallest.clone();
                zeroed[end - length..end].fill(0);
                // Without it is smaller than with the simplest in its place.
                if !try_one(&mut smallest, candidate, &mut left, fails) {
                    try_one(&mut smallest, zeroed, &mut left, fails);
                }
                end = end.saturating_sub(length).min(smallest.len());
            }
            length /= 2;
        }
        for place in 0..smallest.len() {
            for simpler in [0, 1] {
                let Some(choice) = smallest.get(place).copied().filter(|choice| *choice > simpler) else {
                    continue;
                };
                let mut candidate = smallest.clone();
                candidate[place] = simpler;
                try_one(&mut smallest, candidate, &mut left, fails);
                if let Some(half) = smallest.get(place).copied().filter(|now| *now == choice && *now > 3) {
                    let mut candidate = smallest.clone();
                    candidate[place] = half / 2;
                    try_one(&mut smallest, candidate, &mut left, fails);
                }
            }
        }
        if smallest == before || left == 0 {
            return smallest;
        }
    }
}

/// Takes a candidate in the place of the smallest if it fails too.
fn try_one(
    smallest: &mut Vec<Choice>,
    mut candidate: Vec<Choice>,
    left: &mut usize,
    fails: &mut dyn FnMut(&[Choice]) -> bool,
) -> bool {
    while candidate.last() == Some(&0) {
        candidate.pop();
    }
    if *left == 0 || candidate == *smallest {
        return false;
    }
    *left -= 1;
    let is_smaller = fails(&candidate);
    if is_smaller {
        *smallest = candidate;
    }
    is_smaller
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_goes() {
        let list: Vec<Choice> = (0..60).map(|n| n * 37 % 11).collect();
        let smallest = shrunk(&list, 5000, &mut |list| {
            list.contains(&7) && list.iter().filter(|c| **c > 0).count() >= 2
        });
        assert_eq!(smallest.len(), 2, "{smallest:?}");
        assert!(smallest.contains(&7) && smallest.contains(&1), "{smallest:?}");
    }

    #[test]
    fn it_gives_up_in_time_and_what_it_gives_fails() {
        let mut asked = 0;
        let smallest = shrunk(&[9; 500], 50, &mut |list| {
            asked += 1;
            list.len() > 100
        });
        assert!(asked <= 50 && smallest.len() > 100);
    }
}
