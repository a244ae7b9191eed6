//! The peers: quirks and where they bite, faults, profiles, releases, executors.

use std::collections::BTreeMap;

use gauntlet_reports::Explanation;
use gauntlet_world::injection::Point;
use serde_json::Value;

use super::{Explainer, all_or, as_json};
use crate::data::executor::Executor;
use crate::data::place::Kind;

/// What the documentation of each injection point says, by its name.
pub(super) fn points() -> BTreeMap<String, String> {
    let schema = schemars::schema_for!(Point).to_value();
    let points = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    let text = |point: &Value, member: &str| Some(point.get(member)?.as_str()?.to_owned());
    points.filter_map(|point| Some((text(point, "const")?, text(point, "description")?))).collect()
}

impl Explainer<'_> {
    pub(super) fn quirk(&self, id: &str) -> Option<Explanation> {
        let library = self.library;
        let quirk = library.quirks.get(id)?;
        let mut told = self.begin("quirk", Kind::Quirk, id);
        told.one("title", quirk.title.as_str());
        told.one("role", quirk.role.as_str());
        told.one("at", quirk.at.name());
        told.one("does", as_json(&quirk.deviation));
        let when = as_json(&quirk.when);
        told.one("when", if when == "{}" { "always".to_owned() } else { when });
        told.one("executors", all_or(quirk.executors.iter().map(String::as_str)));
        told.one("virtual only", quirk.virtual_only.clone().unwrap_or_default());
        told.many("violates", quirk.violates.iter().map(|id| self.stated(id)).collect());
        told.many("seen in", quirk.seen_in.clone());
        let has = |named: &serde_saphyr::Spanned<String>| named.value == id;
        let releases = library.releases.values().filter(|release| {
            let further = release.executors.values().flat_map(|before| &before.quirks);
            release.quirks.iter().chain(further).any(has)
        });
        told.many("releases that have it", releases.map(|release| release.id.value.clone()).collect());
        let rows =
            self.results.and_then(|results| results.summary()).map(|summary| &summary.detection.quirks);
        let row = rows.into_iter().flatten().find(|row| row.id == id);
        told.one(
            "last result",
            match row {
                Some(row) if row.caught => format!("caught, in {} cells", row.cells),
                Some(row) if row.scored => {
                    let (missed, unnamed) = (row.missed.join(", "), row.unnamed.join(", "));
                    format!("not caught: not failed [{missed}], failed without being named [{unnamed}]")
                }
                _ => "not run".to_owned(),
            },
        );
        Some(told)
    }

    pub(super) fn fault(&self, id: &str) -> Option<Explanation> {
        let fault = self.library.faults.get(id)?;
        let mut told = self.begin("fault", Kind::Fault, id);
        told.one("title", fault.title.as_str());
        told.one("rule", as_json(&fault.rule));
        told.one("judges", "the invariants, in every cell that makes the call; everybody keeps theirs");
        let broken = self.results.and_then(|results| results.summary()).map(|summary| {
            let rows = summary.resilience.broken.iter().filter(|row| row.deviation == id);
            rows.map(|row| format!("{} of the {} in {}", row.requirement, row.role, row.cell))
                .collect::<Vec<_>>()
        });
        match broken {
            None => told.one("last result", "not run"),
            Some(broken) if broken.is_empty() => {
                told.one("last result", "nothing of it is known to be broken")
            }
            Some(broken) => told.many("last result", broken),
        }
        Some(told)
    }

    /// By `executor-version`, as cells name it, or `executor version`.
    pub(super) fn profile(&self, id: &str) -> Option<Explanation> {
        let library = self.library;
        let profile = library.profiles.values().find(|profile| {
            let (executor, version) = (profile.executor(), &profile.version);
            id == format!("{executor}-{version}") || id == format!("{executor} {version}")
        })?;
        let id = format!("{}-{}", profile.executor(), profile.version);
        let mut told = self.begin("profile", Kind::Profile, &id);
        told.one("executor", profile.executor());
        told.one("version", profile.version.as_str());
        told.one("recorded from", profile.recorded_from.as_deref().unwrap_or("nothing: it is unrecorded"));
        let breaks = profile.breaks.iter().map(|(id, evidence)| format!("{}\n{evidence}", self.stated(id)));
        told.many("breaks", breaks.map(|text| text.replace('\n', " — ")).collect());
        Some(told)
    }

    pub(super) fn release(&self, id: &str) -> Option<Explanation> {
        let release = self.library.releases.get(id)?;
        let mut told = self.begin("release", Kind::Release, id);
        told.one("title", release.title.as_str());
        told.many("seen in", release.seen_in.clone());
        told.many("quirks", release.quirks.iter().map(|quirk| quirk.value.clone()).collect());
        let breaks = |breaks: &BTreeMap<String, String>| {
            breaks.iter().map(|(id, evidence)| format!("{id}: {evidence}")).collect::<Vec<_>>()
        };
        told.many("breaks", breaks(&release.breaks));
        for (executor, before) in &release.executors {
            let quirks = before.quirks.iter().map(|quirk| quirk.value.clone()).collect();
            told.many(&format!("quirks in front of {executor}"), quirks);
            told.many(&format!("breaks in front of {executor}"), breaks(&before.breaks));
        }
        Some(told)
    }

    pub(super) fn executor(&self, id: &str) -> Option<Explanation> {
        let library = self.library;
        let executor = library.executors.get(id)?;
        let mut told = self.begin("executor", Kind::Executor, id);
        let words = Executor::WORDS.into_iter().filter_map(|word| Some((word, executor.word(word)?)));
        told.many("words", words.map(|(word, means)| format!("{{{word}}}: {means}")).collect());
        let versions = library.versions(id).into_iter();
        let version = |profile: &gauntlet_simulators::cli::Profile| {
            let mark = if profile.recorded_from.is_some() { "" } else { " (unrecorded)" };
            format!("{}{mark}", profile.version)
        };
        told.many("versions, oldest first", versions.map(|profile| version(&profile)).collect());
        let owed = library.catalogue.all().filter(|row| row.is_for(id)).count();
        told.one("requirements", owed.to_string());
        let told_there = library.scenarios.values().filter(|scenario| scenario.is_for(id)).count();
        told.one("scenarios", told_there.to_string());
        Some(told)
    }

    /// Where quirks bite.
    pub(super) fn point(&self, id: &str) -> Option<Explanation> {
        let about = points().remove(id)?;
        let point: Point = serde_json::from_value(id.into()).ok()?;
        let mut told = Explanation::new(
            "injection point",
            id,
            Some(("harness/world/src/injection/point.rs".to_owned(), 1)),
        );
        told.one("event", about.replace('\n', " "));
        told.one("role", point.role());
        let traits = point.traits();
        let list = |names: Option<&[&str]>| names.map_or("any".to_owned(), |names| names.join(", "));
        told.one("members", list(traits.members));
        told.one("members whose change has an effect", list(traits.changeable));
        told.one("deviations", traits.kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", "));
        let quirks = self.library.quirks.values().filter(|quirk| quirk.at == point);
        told.many("quirks", quirks.map(|quirk| format!("{}: {}", quirk.id, quirk.title)).collect());
        Some(told)
    }
}
