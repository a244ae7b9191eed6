//! A user's own ids beside the embedded ones: each has a prefix that the embedded data does not use, so that neither can take the
//! place of the other, today or after an upgrade.

use std::collections::BTreeMap;

use gauntlet_reports::Layer;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::error::DataError;
use super::names::Keys;
use super::source::{Source, SourceFile};
use super::yaml::parse;

/// The digest of a user's own data: over each file, in order of relative path, the path and the bytes.
pub(super) fn layer(source: &Source) -> std::io::Result<Option<Layer>> {
    let Source::Folder(root) = source else { return Ok(None) };
    let mut hasher = blake3::Hasher::new();
    // What lies beside the folders of data, a list of known failures for instance, is no data.
    let files = crate::files::yaml_below(root)?.into_iter().filter(|(path, _)| path.contains('/'));
    for (path, text) in files {
        for part in [path.as_bytes(), text.as_bytes()] {
            // A length before each part keeps two files from being another one.
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
    }
    let digest = hasher.finalize().to_hex().to_string();
    Ok(Some(Layer { folder: root.to_string_lossy().into_owned(), digest }))
}

/// Where an id was first seen.
struct Seen {
    id: String,
    place: String,
    embedded: bool,
}

/// Every id of a user's own that exists already, or begins like embedded ones, with both places.
pub(super) fn clashes<'a>(files: impl Iterator<Item = (&'a SourceFile, bool)>) -> Vec<DataError> {
    let mut seen: BTreeMap<(&str, String), Seen> = BTreeMap::new();
    let mut prefixes: BTreeMap<(&str, String), Seen> = BTreeMap::new();
    let mut mistakes = Vec::new();
    for (file, embedded) in files {
        // Quirks and faults share their names.
        let kind = if file.kind == "faults" { "quirks" } else { file.kind.as_str() };
        for id in ids(file) {
            let at = (id.referenced.line(), id.referenced.column());
            let place = format!("{}:{}:{}", file.name, at.0, at.1);
            let known = |seen: &Seen| Seen {
                id: seen.id.clone(),
                place: seen.place.clone(),
                embedded: seen.embedded,
            };
            let prefix = prefix(kind, &id.value);
            let mut mistake = |message: String, help: String| {
                mistakes.push(DataError::new(&file.name, &file.text, at, message, Some(help)));
            };
            if !embedded {
                let same = seen.get(&(kind, id.value.clone())).map(known);
                let like =
                    prefix.as_ref().and_then(|prefix| prefixes.get(&(kind, prefix.clone()))).map(known);
                if let Some(first) = same {
                    let message =
                        format!("expected a new id; {:?} exists already, at {}", id.value, first.place);
                    mistake(message, "choose an id with a prefix of your own".to_owned());
                    continue;
                }
                match (&prefix, like, kind) {
                    (Some(prefix), Some(first), _) if first.embedded => mistake(
                        format!(
                            "expected an id with a prefix of your own; {prefix:?} is that of embedded ones, for instance of {:?} at {}",
                            first.id, first.place
                        ),
                        format!("write for instance {:?}", own(kind, &id.value, prefix)),
                    ),
                    (None, _, "suites") => mistake(
                        format!("expected an id with a prefix of your own; {:?} has none", id.value),
                        format!("write for instance \"mine/{}\"", id.value),
                    ),
                    (None, _, "requirements") => mistake(
                        format!("expected an id with a prefix of your own; {:?} has none", id.value),
                        format!("write for instance \"MINE-{}\"", id.value),
                    ),
                    _ => {}
                }
            }
            if let Some(prefix) = prefix {
                let first = Seen { id: id.value.clone(), place: place.clone(), embedded };
                prefixes.entry((kind, prefix)).or_insert(first);
            }
            let key = (kind, id.value.clone());
            seen.entry(key).or_insert(Seen { id: id.value, place, embedded });
        }
    }
    mistakes
}

/// What an id begins with, where ids have a prefix: the suite of a scenario, the first word of a requirement. Quirks, faults,
/// releases, executors and versions have names without one; they only must be new.
fn prefix(kind: &str, id: &str) -> Option<String> {
    let sign = match kind {
        "suites" => '/',
        "requirements" => '-',
        _ => return None,
    };
    id.split_once(sign).map(|(prefix, _)| format!("{prefix}{sign}"))
}

/// The id with another prefix.
fn own(kind: &str, id: &str, prefix: &str) -> String {
    let mine = if kind == "suites" { "mine/" } else { "MINE-" };
    format!("{mine}{}", id.strip_prefix(prefix).unwrap_or(id))
}

#[derive(Deserialize)]
struct WithId {
    id: Spanned<String>,
}

#[derive(Deserialize)]
struct WithRows {
    requirements: Vec<WithId>,
}

#[derive(Deserialize)]
struct OfProfile {
    version: Spanned<String>,
    cli: Keys,
}

/// The ids in a file; none in one that cannot be read, which is said elsewhere.
fn ids(file: &SourceFile) -> Vec<Spanned<String>> {
    match file.kind.as_str() {
        "requirements" => {
            let rows = parse::<WithRows>(&file.name, &file.text).map(|file| file.requirements);
            rows.unwrap_or_default().into_iter().map(|row| row.id).collect()
        }
        "profiles" => {
            let Ok(OfProfile { mut version, cli }) = parse(&file.name, &file.text) else { return Vec::new() };
            let executor = cli.0.into_iter().next().map(|key| key.value).unwrap_or_default();
            version.value = format!("{executor}-{}", version.value);
            vec![version]
        }
        "suites" | "executors" | "releases" | "quirks" | "faults" => {
            parse::<WithId>(&file.name, &file.text).map(|file| file.id).into_iter().collect()
        }
        _ => Vec::new(),
    }
}
