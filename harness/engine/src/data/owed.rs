//! Whether what a scenario judges is owed where it is judged.
//!
//! A verdict on a row that an executor does not owe is in no report: the check looks like one, and counts nowhere.

use std::collections::BTreeMap;

use serde_saphyr::Spanned;

use super::error::DataError;
use super::library::Library;
use super::place::Kind;
use super::source::SourceFile;
use crate::scenario::Scenario;

/// What is judged of an executor that does not owe it.
pub(super) fn mistakes(library: &Library, read: &[SourceFile]) -> Vec<DataError> {
    let files: BTreeMap<&str, &SourceFile> = read.iter().map(|file| (file.name.as_str(), file)).collect();
    let mistakes = library.scenarios.values().flat_map(|scenario| {
        let place = library.places.of(Kind::Scenario, &scenario.id.value);
        let file = place.and_then(|place| files.get(place.file.as_str()).copied());
        file.into_iter().flat_map(|file| of_scenario(library, file, scenario))
    });
    mistakes.collect()
}

fn of_scenario(library: &Library, file: &SourceFile, scenario: &Scenario) -> Vec<DataError> {
    let told_on = || library.executors.keys().map(String::as_str).filter(|name| scenario.is_for(name));
    let by_steps = scenario.steps.iter().filter_map(|step| Some((step.requirement.as_ref()?, None)));
    let by_checks = scenario.then.iter().map(|check| (&check.requirement, check.executor.as_ref()));
    let judged = by_steps.chain(by_checks);
    let wrong = judged.filter_map(|(id, alone): (&Spanned<String>, Option<&Spanned<String>>)| {
        let owed_by = &library.catalogue.get(&id.value)?.executors;
        let owes = |name: &&str| owed_by.is_empty() || owed_by.iter().any(|owing| owing.value == **name);
        let alone = alone.map(|executor| executor.value.as_str());
        let mut judged_on = told_on().filter(|name| alone.is_none_or(|alone| alone == *name));
        let exempt = judged_on.find(|name| !owes(name))?;
        let place = (id.referenced.line(), id.referenced.column());
        let message = format!("expected a row that {exempt} owes, on which this is judged; found {}", id.value);
        let help = format!(
            "add {exempt} to `executors` of the row, or say `executor: NAME` (of a check) or `executors` (of the story)"
        );
        Some(DataError::new(&file.name, &file.text, place, message, Some(help)))
    });
    wrong.collect()
}
