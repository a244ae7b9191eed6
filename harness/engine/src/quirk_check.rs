//! Whether `violates` of a quirk is exact: what its cells say, why that differs from what the file says, and the file as it should be.

mod real;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gauntlet_reports::{Lane, Verdict};
use gauntlet_world::injection::Quirk;

use crate::cell::{Deviation, Plan};
use crate::data::place::{Kind, Place};
use crate::data::{DataError, Library, Outline};
use crate::matrix::Selection;
use crate::narrow::{Crossing, Narrow};
use crate::oracle::Finding;
use crate::record::Record;
use crate::runner::{self, Settings};

pub use real::{OverProcesses, RealCell};

/// What the cells of a quirk say.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The quirk.
    pub quirk: Arc<Quirk>,
    /// Where it is written.
    pub place: Place,
    /// How many cells it had something to bite on.
    pub cells: usize,
    /// What it names and what fails in none of its cells.
    pub missed: Vec<Missed>,
    /// What fails and is not named.
    pub unnamed: Vec<Unnamed>,
    /// What of other roles fails, which nothing that a quirk says can excuse.
    pub hurt: Vec<Unnamed>,
    /// What of it was told over real processes, where that was asked for.
    pub real: Option<OverProcesses>,
    /// Everything of its role that fails.
    failed: BTreeSet<String>,
}

/// A requirement that is named and does not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// Its id.
    pub requirement: String,
    /// Why, in a sentence.
    pub because: String,
}

/// A requirement that fails without being named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unnamed {
    /// Its id.
    pub requirement: String,
    /// In how many cells.
    pub cells: usize,
    /// The first of them.
    pub cell: String,
    /// What did not hold there.
    pub finding: Option<Finding>,
}

/// What the cells say of one requirement.
#[derive(Debug, Default)]
struct Seen {
    by_verdict: BTreeMap<Verdict, (usize, String, Option<String>)>,
    finding: Option<Finding>,
}

/// Runs the cells of quirks in virtual time, and when asked for a few of them over real processes. Nothing when the run was stopped.
pub fn check(
    library: &Arc<Library>,
    ids: &BTreeSet<String>,
    settings: &Settings,
    over_processes: bool,
) -> Option<Vec<Checked>> {
    let selection = Selection {
        lanes: vec![Lane::Virtual],
        narrow: Narrow { crossing: Crossing::These(ids.clone()), ..Narrow::default() },
        ..Selection::default()
    };
    let mut crossed: Vec<Plan> = Vec::new();
    let mut complete = runner::run(selection.probes(library), library, settings, &mut |record| {
        crossed.extend(selection.crossed(library, &record.plan, &record.reachable));
    });
    let mut seen: BTreeMap<String, (usize, BTreeMap<String, Seen>)> = BTreeMap::new();
    let mut candidates = real::Candidates::default();
    complete &= runner::run(crossed, library, settings, &mut |record| {
        note(&mut seen, &record);
        if over_processes {
            candidates.note(&record);
        }
    });
    let quirks: Vec<Arc<Quirk>> = ids.iter().filter_map(|id| library.quirks.get(id).cloned()).collect();
    let mut told = match over_processes && complete {
        true => candidates.tell(library, &quirks, settings)?,
        false => BTreeMap::new(),
    };
    let checked = quirks.iter().filter_map(|quirk| {
        let (cells, seen) = seen.remove(&quirk.id).unwrap_or_default();
        let place = library.places.of(Kind::Quirk, &quirk.id)?.clone();
        let real = told.remove(&quirk.id);
        Some(Checked { real, ..compare(library, quirk, place, cells, &seen) })
    });
    complete.then(|| checked.collect())
}

fn note(seen: &mut BTreeMap<String, (usize, BTreeMap<String, Seen>)>, record: &Record) {
    let Some(Deviation::Quirk(quirk)) = &record.plan.deviation else { return };
    let (cells, seen) = seen.entry(quirk.id.clone()).or_default();
    *cells += 1;
    for (id, judgement) in &record.judgements {
        // What the profile breaks by itself is no deed of the quirk, unless the quirk is said to do it too.
        let its_own = quirk.violates.contains(id) || !record.plan.breaks(id);
        if judgement.verdict == Verdict::Fail && !its_own {
            continue;
        }
        let of_row = seen.entry(id.clone()).or_default();
        let first = || (0, record.line.id.clone(), judgement.reason.clone());
        of_row.by_verdict.entry(judgement.verdict).or_insert_with(first).0 += 1;
        if judgement.verdict == Verdict::Fail && of_row.finding.is_none() {
            of_row.finding = judgement.findings.first().cloned();
        }
    }
}

fn compare(
    library: &Library,
    quirk: &Arc<Quirk>,
    place: Place,
    cells: usize,
    seen: &BTreeMap<String, Seen>,
) -> Checked {
    let is_of_role = |id: &str| library.catalogue.get(id).is_some_and(|row| row.role.name() == quirk.role);
    let fails = seen.iter().filter(|(_, seen)| seen.by_verdict.contains_key(&Verdict::Fail));
    let failed: BTreeSet<String> =
        fails.clone().filter(|(id, _)| is_of_role(id)).map(|(id, _)| id.clone()).collect();
    let unnamed = |(id, seen): (&String, &Seen)| {
        let (cells, cell, _) = seen.by_verdict.get(&Verdict::Fail).cloned().unwrap_or_default();
        Unnamed { requirement: id.clone(), cells, cell, finding: seen.finding.clone() }
    };
    let missed = quirk.violates.iter().filter(|id| !failed.contains(*id));
    let missed = missed
        .map(|id| Missed { requirement: id.clone(), because: because(library, quirk, id, seen.get(id)) });
    Checked {
        quirk: quirk.clone(),
        place,
        cells,
        missed: missed.collect(),
        unnamed: fails
            .clone()
            .filter(|(id, _)| is_of_role(id) && !quirk.violates.contains(id))
            .map(unnamed)
            .collect(),
        hurt: fails.filter(|(id, _)| !is_of_role(id)).map(unnamed).collect(),
        real: None,
        failed,
    }
}

/// Why a row that is named fails nowhere.
fn because(library: &Library, quirk: &Quirk, id: &str, seen: Option<&Seen>) -> String {
    let role = library.catalogue.get(id).map(|row| row.role.name()).unwrap_or_default();
    if role != quirk.role {
        return format!("it binds the {role}, and the quirk is one of the {}", quirk.role);
    }
    let Some(seen) = seen.filter(|seen| !seen.by_verdict.is_empty()) else {
        return "no cell of the quirk judges it".to_owned();
    };
    let told = seen.by_verdict.iter().rev().map(|(verdict, (cells, cell, reason))| {
        let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("{} in {cells}, such as {cell}{reason}", verdict.label())
    });
    told.collect::<Vec<_>>().join("; ")
}

impl Checked {
    /// Whether what the file says is what the cells say.
    pub fn is_exact(&self) -> bool {
        self.cells > 0 && self.missed.is_empty() && self.unnamed.is_empty() && self.hurt.is_empty()
    }

    /// What `violates` should be: what is named and fails in its order, then what else fails.
    pub fn should_be(&self) -> Vec<String> {
        let kept = self.quirk.violates.iter().filter(|id| self.failed.contains(*id)).cloned();
        kept.chain(self.unnamed.iter().map(|unnamed| unnamed.requirement.clone())).collect()
    }

    /// Why the quirk says nothing, when it reaches no cell: a mistake in its file, of which this is the text.
    pub fn idle(&self, text: &str) -> Option<DataError> {
        let quirk = &self.quirk;
        if self.cells > 0 {
            return None;
        }
        let outline = Outline::of(text);
        let (when, help) = if quirk.when == gauntlet_world::injection::When::default() {
            ("at", "`gauntlet explain` tells what passes the point; a story that leads there is missing")
        } else {
            (
                "when",
                "leave conditions out until cells are reached; `gauntlet explain` tells what passes the point",
            )
        };
        let message = format!(
            "expected a scenario in which something passes {} on which the quirk {} can bite; found none",
            quirk.at.name(),
            quirk.id
        );
        Some(DataError::new(&self.place.file, text, outline.key(&[when]), message, Some(help.to_owned())))
    }

    /// The text of its file as it should be. Nothing when it is so, or when the quirk breaks nothing: then it is none.
    pub fn mended(&self, text: &str) -> Option<String> {
        let should_be = self.should_be();
        if (self.missed.is_empty() && self.unnamed.is_empty()) || should_be.is_empty() {
            return None;
        }
        let list = format!("violates: [{}]", should_be.join(", "));
        let mut out = String::new();
        let mut lines = text.split_inclusive('\n').peekable();
        while let Some(line) = lines.next() {
            if !line.starts_with("violates:") {
                out.push_str(line);
                continue;
            }
            // A list in brackets may go over several lines, and so does one of hyphens.
            let mut last = line;
            if line.contains('[') {
                while !last.contains(']') {
                    let Some(next) = lines.next() else { break };
                    last = next;
                }
            } else {
                let is_item = |line: &str| line.trim_start().starts_with("- ");
                while lines.peek().is_some_and(|next| is_item(next)) {
                    last = lines.next().unwrap_or_default();
                }
            }
            let comment = last.split_once(" #").map(|(_, comment)| format!(" #{}", comment.trim_end()));
            out.push_str(&format!("{list}{}\n", comment.unwrap_or_default()));
        }
        Some(out)
    }
}

/// The difference of two texts as a patch, with three lines around it.
pub fn patch(file: &str, before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same_from = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let rest = old.len().min(new.len()) - same_from;
    let ends = old.iter().rev().zip(new.iter().rev()).take(rest);
    let same_to = ends.take_while(|(old, new)| old == new).count();
    let from = same_from.saturating_sub(3);
    let behind = same_to.min(3);
    let (old_to, new_to) = (old.len() - same_to, new.len() - same_to);
    let mut out = format!(
        "--- {file}\n+++ {file}\n@@ -{},{} +{},{} @@\n",
        from + 1,
        old_to + behind - from,
        from + 1,
        new_to + behind - from
    );
    let mut put =
        |sign: char, lines: &[&str]| lines.iter().for_each(|line| out.push_str(&format!("{sign}{line}\n")));
    put(' ', &old[from..same_from]);
    put('-', &old[same_from..old_to]);
    put('+', &new[same_from..new_to]);
    put(' ', &old[old_to..old_to + behind]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(violates: &[&str], failed: &[&str]) -> Checked {
        let text = format!(
            "id: mine\ntitle: Mine.\nrole: receiver\nat: receiver.ack\ndo: omit\nviolates: [{}]\nseen_in: [me]\n",
            violates.join(", ")
        );
        let quirk: Quirk = crate::data::parse_yaml("quirks/mine.yaml", &text).expect("a quirk");
        let unnamed = failed.iter().filter(|id| !violates.contains(id)).map(|id| Unnamed {
            requirement: (*id).to_owned(),
            cells: 1,
            cell: "a cell".to_owned(),
            finding: None,
        });
        let missed = violates.iter().filter(|id| !failed.contains(id));
        let missed = missed.map(|id| Missed { requirement: (*id).to_owned(), because: String::new() });
        Checked {
            place: Place { file: "quirks/mine.yaml".to_owned(), line: 1, embedded: false },
            cells: 1,
            missed: missed.collect(),
            unnamed: unnamed.collect(),
            hurt: Vec::new(),
            real: None,
            failed: failed.iter().map(|id| (*id).to_owned()).collect(),
            quirk: Arc::new(quirk),
        }
    }

    #[test]
    fn the_list_is_mended_in_each_form_in_which_it_is_written_and_nothing_else_changes() {
        let wrong = checked(&["A-1", "B-2"], &["B-2", "C-3"]);
        for written in [
            "violates: [A-1, B-2]\n",
            "violates: [A-1,\n  B-2]\n",
            "violates:\n  - A-1\n  - B-2\n",
            "violates:\n- A-1\n- B-2\n",
        ] {
            let text = format!("# a comment\nid: mine\n{written}seen_in: [me]\n");
            let mended = wrong.mended(&text).expect("it is wrong");
            assert_eq!(mended, "# a comment\nid: mine\nviolates: [B-2, C-3]\nseen_in: [me]\n", "{written}");
        }
        let mended = wrong.mended("violates: [A-1, B-2] # why\n").expect("it is wrong");
        assert_eq!(mended, "violates: [B-2, C-3] # why\n");
    }

    #[test]
    fn what_is_exact_or_breaks_nothing_is_not_mended() {
        assert_eq!(checked(&["A-1"], &["A-1"]).mended("violates: [A-1]\n"), None);
        assert_eq!(checked(&["A-1"], &[]).mended("violates: [A-1]\n"), None);
    }

    #[test]
    fn a_patch_shows_what_changes_and_three_lines_around_it() {
        let before = "1\n2\n3\n4\nviolates: [A]\n6\n";
        let after = "1\n2\n3\n4\nviolates: [B]\n6\n";
        let expected = "--- f\n+++ f\n@@ -2,5 +2,5 @@\n 2\n 3\n 4\n-violates: [A]\n+violates: [B]\n 6\n";
        assert_eq!(patch("f", before, after), expected);
    }
}
