//! What team mode does with files over and over, with errors that name the file.

use std::io;
use std::path::Path;

use gauntlet_world::Host;
use gauntlet_world::disk::Kind;
use serde::Serialize;

use super::error::TeamError;

/// The content of a file; nothing when there is none.
pub(crate) async fn read(host: &Host, file: &Path) -> Result<Option<Vec<u8>>, TeamError> {
    host.disk().read_if_present(file).await.map_err(|error| TeamError::disk("read", file, error))
}

/// Replaces a file, so that it is whole and durable whatever happens.
pub(crate) async fn replace(host: &Host, file: &Path, content: &[u8]) -> Result<(), TeamError> {
    host.disk().replace(file, content).await.map_err(|error| TeamError::disk("write", file, error))
}

/// Moves a file, durably. False: there is none, which is fine. The new name is durable before the old one is gone for good, so that a
/// power cut leaves the file at one of the two places or at both, and never nowhere.
pub(crate) async fn shift(host: &Host, from: &Path, to: &Path) -> Result<bool, TeamError> {
    let failed = |error| TeamError::disk("move", from, error);
    // After a power cut one file may stand at both places, and to rename it from one to the other does nothing.
    let is_twice = host.disk().stat(to).await.is_ok();
    match host.disk().rename(from, to).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        moved => moved.map_err(failed)?,
    }
    if is_twice {
        remove(host, from).await?;
    }
    let (old, new) = (from.parent().unwrap_or(Path::new("/")), to.parent().unwrap_or(Path::new("/")));
    host.disk().sync_dir(new).await.map_err(failed)?;
    if old != new {
        host.disk().sync_dir(old).await.map_err(failed)?;
    }
    Ok(true)
}

/// Removes a file; fine when there is none.
pub(crate) async fn remove(host: &Host, file: &Path) -> Result<(), TeamError> {
    match host.disk().remove(file).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(TeamError::disk("remove", file, error)),
        _ => Ok(()),
    }
}

/// Makes a folder that is its owner's alone, durably with its name. A disk without such permissions does (TEAM-CFG-04).
pub(crate) async fn make_private_dir(host: &Host, folder: &Path) -> Result<(), TeamError> {
    let failed = |error| TeamError::disk("make the folder", folder, error);
    let is_new = host.disk().stat(folder).await.is_err();
    host.disk().make_dir(folder).await.map_err(failed)?;
    let mode = host.disk().stat(folder).await.map_err(failed)?.mode;
    if mode & 0o7777 != 0o700
        && let Err(error) = host.disk().set_mode(folder, 0o700).await
    {
        // EPERM, EACCES, EINVAL, ENOTSUP: what file systems without permissions answer.
        if !matches!(error.raw_os_error(), Some(1 | 13 | 22 | 95)) {
            return Err(failed(error));
        }
        tracing::warn!(folder = %folder.display(), %error, "the folder's permissions cannot be set");
    }
    if is_new {
        host.disk().sync_dir(folder.parent().unwrap_or(folder)).await.map_err(failed)?;
    }
    Ok(())
}

/// The names in a folder, sorted; none when there is no folder.
pub(crate) async fn list(host: &Host, folder: &Path) -> Result<Vec<(String, Kind)>, TeamError> {
    match host.disk().list(folder).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.map_err(|error| TeamError::disk("list", folder, error)),
    }
}

/// Removes a folder with all in it; fine when there is none. Links are removed and not followed.
pub(crate) async fn remove_tree(host: &Host, folder: &Path) -> Result<(), TeamError> {
    for (name, kind) in list(host, folder).await? {
        let path = folder.join(name);
        match kind {
            Kind::Directory => Box::pin(remove_tree(host, &path)).await?,
            Kind::File | Kind::Link => remove(host, &path).await?,
        }
    }
    match host.disk().remove_dir(folder).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(TeamError::disk("remove", folder, error))
        }
        _ => Ok(()),
    }
}

/// JSON as it is in these files: indented by two, with a line end (team sheet 4.1).
pub(crate) fn pretty(value: &impl Serialize) -> Vec<u8> {
    // What is written here has texts as keys and finite numbers.
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    text
}
