//! Patterns over the ids of cells: globs over whole components.
//!
//! An id is `STORY@EXECUTOR-VERSION[:RELEASE][+DEVIATION]#SEED[~real]`. A pattern is written in the same way:
//!
//! - `*` stands for anything within a component, `?` for one character of it. The story is one component, its slashes included.
//! - A component that is left out can be anything. Who names a seed, though, names whole ids: what such a pattern leaves out of
//!   release, deviation and lane is none, so that an id is the pattern of its cell and of no other.
//! - The lane is `~virtual`, `~real`, or a glob of these; the ids of the virtual lane do not write theirs.
//! - `**` goes across components. A pattern with it is compared with the whole id as it is written, and adds nothing by itself.

use gauntlet_reports::Lane;

use crate::cell::Plan;
use crate::data::release::REFERENCE;
use crate::data::{Library, nearest};

/// A pattern that was read.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    way: Way,
}

#[derive(Debug, Clone)]
enum Way {
    /// Compared with the whole id.
    Across(Glob),
    /// Compared component by component.
    Parts(Box<Parts>),
}

#[derive(Debug, Clone, Default)]
struct Parts {
    story: Part,
    profile: Part,
    release: Part,
    deviation: Part,
    seed: Part,
    lane: Part,
}

/// A component of a pattern, and where it begins.
#[derive(Debug, Clone, Default)]
struct Part {
    glob: Option<Glob>,
    column: usize,
}

/// The components of a cell's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellParts<'a> {
    /// The scenario.
    pub story: &'a str,
    /// The executor, a hyphen, and the version.
    pub profile: &'a str,
    /// The release.
    pub release: &'a str,
    /// The quirk or fault.
    pub deviation: Option<&'a str>,
    /// The seed.
    pub seed: u64,
    /// The lane.
    pub lane: Lane,
}

/// A pattern that is none, or that nothing matches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("in {pattern:?}, column {column}: {message}")]
pub struct PatternError {
    /// The pattern.
    pub pattern: String,
    /// Where in it, in characters from 1.
    pub column: usize,
    /// What was expected and what came.
    pub message: String,
    /// What to write instead.
    #[help]
    pub help: Option<String>,
}

/// What separates components; `:` does so within the second one.
const SIGNS: [char; 4] = ['@', '+', '#', '~'];

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let wrong = |column: usize, message: String, help: Option<String>| {
            Err(PatternError { pattern: text.to_owned(), column, message, help })
        };
        let grammar = || Some("fleet/busy@codex-0.44.0+slow-callback#7~real".to_owned());
        if text.is_empty() {
            return wrong(1, "expected a pattern over ids of cells; found nothing".to_owned(), grammar());
        }
        if let Some(at) = text.chars().position(|c| c.is_whitespace() || c.is_control()) {
            return wrong(at + 1, "expected no blank, since no id has one".to_owned(), grammar());
        }
        if text.contains("**") {
            return Ok(Self { text: text.to_owned(), way: Way::Across(Glob::new(text)) });
        }
        let mut parts = Parts::default();
        let mut sign = None;
        let mut rest = text;
        let mut column = 1;
        loop {
            let end = rest.find(SIGNS).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            if word.is_empty() && sign.is_some() {
                let name = sign.map(name_of).unwrap_or_default();
                return wrong(column, format!("expected {name} or `*`; found nothing"), grammar());
            }
            let (word, release) = match (sign, word.split_once(':')) {
                (Some('@'), Some((word, release))) => (word, Some(release)),
                _ => (word, None),
            };
            let part = Part { glob: (!word.is_empty()).then(|| Glob::new(word)), column };
            match sign {
                None => parts.story = part,
                Some('@') => parts.profile = part,
                Some('+') => parts.deviation = part,
                Some('#') => parts.seed = part,
                _ => parts.lane = part,
            }
            if let Some(release) = release {
                let at = column + word.chars().count() + 1;
                if release.is_empty() {
                    return wrong(at, "expected a release or `*`; found nothing".to_owned(), grammar());
                }
                parts.release = Part { glob: Some(Glob::new(release)), column: at };
            }
            column += rest[..end].chars().count() + 1;
            let mut signs = after.chars();
            let Some(next) = signs.next() else { break };
            let rank = |sign: char| SIGNS.iter().position(|known| *known == sign);
            if let Some(before) = sign.filter(|before| rank(*before) >= rank(next)) {
                let message =
                    format!("expected `{next}` before {} and once only; found it behind", name_of(before));
                return wrong(
                    column - 1,
                    message,
                    Some(format!("an id looks like {}", grammar().unwrap_or_default())),
                );
            }
            sign = Some(next);
            rest = signs.as_str();
        }
        if let Some(seed) = parts.seed.literal().filter(|seed| seed.parse::<u64>().is_err()) {
            return wrong(
                parts.seed.column,
                format!("expected a number or `*` as the seed; found {seed:?}"),
                None,
            );
        }
        if let Some(glob) =
            parts.lane.glob.as_ref().filter(|glob| !LANES.iter().any(|lane| glob.matches(lane)))
        {
            let help = nearest(&glob.text, LANES).map(|lane| format!("did you mean `~{lane}`?"));
            let message = format!("expected the lane `~virtual`, `~real` or `~*`; found {:?}", glob.text);
            return wrong(parts.lane.column, message, help);
        }
        Ok(Self { text: text.to_owned(), way: Way::Parts(Box::new(parts)) })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is of this cell.
    pub fn matches(&self, plan: &Plan) -> bool {
        match &self.way {
            Way::Across(glob) => glob.matches(&plan.id()),
            Way::Parts(_) => {
                let profile = format!("{}-{}", plan.profile.executor(), plan.profile.version);
                self.matches_parts(&CellParts {
                    story: &plan.scenario.id.value,
                    profile: &profile,
                    release: &plan.release.id.value,
                    deviation: plan.deviation.as_ref().map(|deviation| deviation.id()),
                    seed: plan.seed,
                    lane: plan.lane,
                })
            }
        }
    }

    /// Whether it is of a cell with these components.
    pub fn matches_parts(&self, cell: &CellParts<'_>) -> bool {
        let parts = match &self.way {
            Way::Across(glob) => return glob.matches(&cell.id()),
            Way::Parts(parts) => parts,
        };
        let is_whole = parts.seed.glob.is_some();
        let or = |part: &Part, text: &str, none: bool| match &part.glob {
            Some(glob) => glob.matches(text),
            None => none || !is_whole,
        };
        or(&parts.story, cell.story, true)
            && or(&parts.profile, cell.profile, true)
            && or(&parts.release, cell.release, cell.release == REFERENCE)
            && match (&parts.deviation.glob, cell.deviation) {
                (Some(glob), Some(deviation)) => glob.matches(deviation),
                (Some(_), None) => false,
                (None, deviation) => deviation.is_none() || !is_whole,
            }
            && or(&parts.seed, &cell.seed.to_string(), true)
            && or(&parts.lane, name_of_lane(cell.lane), cell.lane == Lane::Virtual)
    }

    /// Whether it may be of cells of a story on an executor and version, as far as these say.
    pub fn may_be_of(&self, story: &str, profile: &str) -> bool {
        match &self.way {
            // What goes across can begin anywhere.
            Way::Across(_) => true,
            Way::Parts(parts) => takes(&parts.story, story) && takes(&parts.profile, profile),
        }
    }

    /// The components of an id, when this is one and no pattern of several.
    pub fn as_cell(&self) -> Option<CellParts<'_>> {
        let Way::Parts(parts) = &self.way else { return None };
        Some(CellParts {
            story: parts.story.literal()?,
            profile: parts.profile.literal()?,
            release: if parts.release.glob.is_some() { parts.release.literal()? } else { REFERENCE },
            deviation: if parts.deviation.glob.is_some() { Some(parts.deviation.literal()?) } else { None },
            seed: parts.seed.literal()?.parse().ok()?,
            lane: match parts.lane.glob.as_ref().map(|_| parts.lane.literal()) {
                None | Some(Some("virtual")) => Lane::Virtual,
                Some(Some("real")) => Lane::Real,
                Some(_) => return None,
            },
        })
    }

    /// Why there is no such cell in the whole matrix, if so: the first component that nothing has, with the nearest that there is.
    pub fn nothing_like_it(&self, library: &Library) -> Option<PatternError> {
        let profiles: Vec<(String, &str)> = library
            .profiles
            .keys()
            .map(|(executor, version)| (format!("{executor}-{version}"), executor.as_str()))
            .collect();
        let deviations: Vec<&str> =
            library.quirks.keys().chain(library.faults.keys()).map(String::as_str).collect();
        let Way::Parts(parts) = &self.way else {
            return (!self.is_of_any(library, &profiles, &deviations))
                .then(|| self.nothing(1, "a cell", None, Vec::new()));
        };
        let stories: Vec<&str> = library.scenarios.keys().map(String::as_str).collect();
        let names: Vec<&str> = profiles.iter().map(|(name, _)| name.as_str()).collect();
        let releases: Vec<&str> = library.releases.keys().map(String::as_str).collect();
        for (part, what, known) in [
            (&parts.story, "a scenario", stories),
            (&parts.profile, "an executor and version", names),
            (&parts.release, "a release", releases),
            (&parts.deviation, "a quirk or fault", deviations.clone()),
        ] {
            let Some(glob) = &part.glob else { continue };
            if !known.iter().any(|name| glob.matches(name)) {
                return Some(self.nothing(part.column, what, Some(&glob.text), known));
            }
        }
        let told = library.scenarios.values().filter(|scenario| takes(&parts.story, &scenario.id.value));
        let is_told = told.into_iter().any(|scenario| {
            let mut meant = profiles.iter().filter(|(name, _)| takes(&parts.profile, name));
            meant.any(|(_, executor)| scenario.is_for(executor))
        });
        (!is_told).then(|| PatternError {
            pattern: self.text.clone(),
            column: parts.profile.column.max(1),
            message:
                "expected a scenario and an executor that tells it; the scenario is not for this executor"
                    .to_owned(),
            help: None,
        })
    }

    fn nothing(&self, column: usize, what: &str, found: Option<&str>, known: Vec<&str>) -> PatternError {
        let help =
            found.and_then(|found| nearest(found, known)).map(|name| format!("did you mean {name:?}?"));
        let found = found.unwrap_or(&self.text);
        PatternError {
            pattern: self.text.clone(),
            column,
            message: format!("expected {what} that there is; nothing matches {found:?}"),
            help,
        }
    }

    fn is_of_any(&self, library: &Library, profiles: &[(String, &str)], deviations: &[&str]) -> bool {
        // A seed can be any; one that is written is tried.
        let digits = self.text.rsplit_once('#').map(|(_, seed)| seed.trim_end_matches("~real"));
        let seed = digits.and_then(|digits| digits.parse().ok()).unwrap_or_default();
        let with = |deviation: Option<&str>| {
            library.scenarios.values().any(|scenario| {
                let mut meant = profiles.iter().filter(|(_, executor)| scenario.is_for(executor));
                meant.any(|(profile, _)| {
                    library.releases.keys().any(|release| {
                        [Lane::Virtual, Lane::Real].into_iter().any(|lane| {
                            let story = scenario.id.value.as_str();
                            self.matches_parts(&CellParts { story, profile, release, deviation, seed, lane })
                        })
                    })
                })
            })
        };
        with(None) || deviations.iter().any(|deviation| with(Some(deviation)))
    }
}

impl CellParts<'_> {
    /// The id.
    pub fn id(&self) -> String {
        let release = if self.release == REFERENCE { String::new() } else { format!(":{}", self.release) };
        let deviation = self.deviation.map(|deviation| format!("+{deviation}")).unwrap_or_default();
        let lane = if self.lane == Lane::Real { "~real" } else { "" };
        format!("{}@{}{release}{deviation}#{}{lane}", self.story, self.profile, self.seed)
    }
}

impl Part {
    /// Its text, when it has no sign that stands for another.
    fn literal(&self) -> Option<&str> {
        self.glob.as_ref().filter(|glob| !glob.text.contains(['*', '?'])).map(|glob| glob.text.as_str())
    }
}

fn takes(part: &Part, text: &str) -> bool {
    part.glob.as_ref().is_none_or(|glob| glob.matches(text))
}

const LANES: [&str; 2] = ["virtual", "real"];

fn name_of_lane(lane: Lane) -> &'static str {
    match lane {
        Lane::Virtual => LANES[0],
        Lane::Real => LANES[1],
    }
}

fn name_of(sign: char) -> &'static str {
    match sign {
        '@' => "an executor and version",
        '+' => "a quirk or fault",
        '#' => "a seed",
        _ => "a lane",
    }
}

/// Text in which `*` and `?` stand for others within a component, and `**` across.
#[derive(Debug, Clone)]
pub struct Glob {
    text: String,
    /// What every match begins with.
    head: String,
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, Copy)]
enum Token {
    Sign(char),
    One,
    Within,
    Across,
}

impl Glob {
    /// Reads a glob; every text is one.
    pub fn new(text: &str) -> Self {
        let mut tokens = Vec::new();
        let mut signs = text.chars().peekable();
        while let Some(sign) = signs.next() {
            tokens.push(match sign {
                '*' if signs.next_if_eq(&'*').is_some() => Token::Across,
                '*' => Token::Within,
                '?' => Token::One,
                sign => Token::Sign(sign),
            });
        }
        let head = text.split(['*', '?']).next().unwrap_or_default().to_owned();
        Self { text: text.to_owned(), head, tokens }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it stands for a whole text.
    pub fn matches(&self, text: &str) -> bool {
        if !text.starts_with(&self.head) {
            return false;
        }
        let signs: Vec<char> = text.chars().collect();
        // After each token: to which places of the text what was read so far can reach.
        let mut reach = vec![false; signs.len() + 1];
        reach[0] = true;
        for token in &self.tokens {
            let mut next = vec![false; signs.len() + 1];
            for at in 0..=signs.len() {
                let is_inside = |at: usize| !SIGNS.contains(&signs[at]);
                next[at] = match token {
                    Token::Sign(sign) => at > 0 && reach[at - 1] && signs[at - 1] == *sign,
                    Token::One => at > 0 && reach[at - 1] && is_inside(at - 1),
                    Token::Within => reach[at] || at > 0 && next[at - 1] && is_inside(at - 1),
                    Token::Across => reach[at] || at > 0 && next[at - 1],
                };
            }
            reach = next;
        }
        reach[signs.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: CellParts<'static> = CellParts {
        story: "fleet/busy",
        profile: "codex-0.44.0",
        release: REFERENCE,
        deviation: None,
        seed: 7,
        lane: Lane::Virtual,
    };

    fn of(pattern: &str) -> Vec<String> {
        let crossed = CellParts { deviation: Some("slow"), ..PLAIN };
        let cells = [
            PLAIN,
            CellParts { lane: Lane::Real, ..PLAIN },
            crossed,
            CellParts { lane: Lane::Real, ..crossed },
            CellParts { release: "old", ..PLAIN },
            CellParts { story: "fleet/busy-twice", seed: 0, ..PLAIN },
        ];
        let pattern = Pattern::parse(pattern).expect("it is a pattern");
        cells.iter().filter(|cell| pattern.matches_parts(cell)).map(CellParts::id).collect()
    }

    #[test]
    fn an_id_is_the_pattern_of_its_cell_and_of_no_other() {
        for id in of("**") {
            assert_eq!(of(&id), [id.as_str()]);
            let pattern = Pattern::parse(&id).expect("it is a pattern");
            assert_eq!(pattern.as_cell().expect("it is an id").id(), id);
        }
        assert_eq!(of("**").len(), 6);
    }

    #[test]
    fn what_is_left_out_before_a_seed_is_named_can_be_anything() {
        assert_eq!(of("fleet/busy").len(), 5);
        assert_eq!(of("fleet/busy@codex-0.44.0").len(), 5);
        assert_eq!(of("fleet/busy+slow").len(), 2);
        assert_eq!(of("+slow~real"), ["fleet/busy@codex-0.44.0+slow#7~real"]);
        assert_eq!(of("@codex-*:old"), ["fleet/busy@codex-0.44.0:old#7"]);
    }

    #[test]
    fn who_names_a_seed_names_whole_ids() {
        assert_eq!(of("fleet/busy@*#*"), ["fleet/busy@codex-0.44.0#7"]);
        assert_eq!(of("fleet/*#*~*").len(), 3);
        assert_eq!(of("*+*#7~*").len(), 2);
    }

    #[test]
    fn one_star_stays_within_its_component_and_two_go_across() {
        assert_eq!(of("fleet/busy*").len(), 6, "a story ends where the next component begins");
        assert_eq!(of("*/busy-*"), ["fleet/busy-twice@codex-0.44.0#0"]);
        assert_eq!(of("fleet/busy@**~real").len(), 2);
        assert_eq!(of("fleet**#7").len(), 3);
        assert!(of("fleet/*#7**x").is_empty());
        assert!(!Glob::new("fleet/*#7").matches("fleet/busy@codex-0.44.0#7"));
        assert!(Glob::new("b?sy").matches("busy") && !Glob::new("b?sy").matches("b+sy"));
    }

    #[test]
    fn what_is_no_pattern_is_pointed_at() {
        for (pattern, column, words) in [
            ("", 1, "found nothing"),
            ("fleet/busy@", 12, "an executor and version"),
            ("fleet/busy@codex-1:", 20, "a release"),
            ("fleet/busy#7@codex", 13, "expected `@` before a seed"),
            ("fleet/busy#x", 12, "a number"),
            ("fleet/busy#7~rael", 14, "`~real`"),
            ("fleet busy", 6, "blank"),
        ] {
            let error = Pattern::parse(pattern).expect_err(pattern);
            assert!(error.column == column && error.message.contains(words), "{pattern}: {error:?}");
        }
    }
}
