//! Specifications on the disk (team sheet 3.1): those of the project win over those of the user.

use std::path::{Path, PathBuf};

use gauntlet_protocol::json;
use gauntlet_world::Host;
use gauntlet_world::disk::Kind;
use serde_json::Value;

use super::{Author, SpecError, TeamSpec, read};
use crate::team::error::TeamError;
use crate::team::files;
use crate::team::layout::Layout;
use crate::team::names::TeamName;
use crate::team::state::SpecSource;

/// A declared team, and what became of reading it.
pub(crate) struct Declared {
    pub(crate) name: TeamName,
    pub(crate) source: SpecSource,
    pub(crate) spec: Result<TeamSpec, TeamError>,
}

/// The specification with this name, of the project or else of the user.
pub(crate) async fn named(
    host: &Host,
    layout: &Layout,
    name: &str,
    author: &Author,
) -> Result<(TeamSpec, SpecSource), TeamError> {
    let name = TeamName::new(name)?;
    let (of_project, of_user) = (layout.project_spec(&name), layout.user_spec(&name));
    for (file, source) in [(&of_project, SpecSource::Project), (&of_user, SpecSource::User)] {
        if let Some(spec) = of_file(host, file, author).await? {
            return Ok((spec, source));
        }
    }
    let message = format!(
        "team '{name}' is not declared: neither {} nor {} is there",
        of_project.display(),
        of_user.display()
    );
    Err(SpecError::new("TEAM_SPEC_NOT_FOUND", "teamName", message).into())
}

/// Where a specification that came with its call is counted to.
pub(crate) async fn source_of_inline(host: &Host, layout: &Layout, name: &str) -> SpecSource {
    let Ok(name) = TeamName::new(name) else { return SpecSource::Project };
    let is_there = async |file: PathBuf| host.disk().stat(file).await.is_ok();
    if !is_there(layout.project_spec(&name)).await && is_there(layout.user_spec(&name)).await {
        return SpecSource::User;
    }
    SpecSource::Project
}

/// All declared teams, by name. One that cannot be read is told of, and hides no other (TEAM-SPEC-02).
pub(crate) async fn all(host: &Host, layout: &Layout, author: &Author) -> Vec<Declared> {
    let mut declared: Vec<Declared> = Vec::new();
    for (folder, source) in
        [(layout.project_teams(), SpecSource::Project), (layout.user_teams(), SpecSource::User)]
    {
        let listed = files::list(host, &folder).await.unwrap_or_default();
        for (name, kind) in listed {
            let Ok(name) = TeamName::new(&name) else { continue };
            if kind == Kind::File {
                continue;
            }
            if declared.iter().any(|known| known.name == name) {
                tracing::info!(%name, "a team of the user gives way to that of the project");
                continue;
            }
            let file = folder.join(name.as_str()).join("config.json");
            let spec = match of_file(host, &file, author).await {
                Ok(Some(spec)) => Ok(spec),
                Ok(None) => Err(TeamError::Missing { what: "a declared team".to_owned(), file }),
                Err(error) => Err(error),
            };
            declared.push(Declared { name, source, spec });
        }
    }
    declared.sort_by(|a, b| a.name.cmp(&b.name));
    declared
}

async fn of_file(host: &Host, file: &Path, author: &Author) -> Result<Option<TeamSpec>, TeamError> {
    let content = match files::read(host, file).await {
        Ok(Some(content)) => content,
        Ok(None) => return Ok(None),
        Err(error) => return Err(SpecError::new("TEAM_SPEC_READ_FAILED", "", error.to_string()).into()),
    };
    let in_file = |error: SpecError| SpecError {
        message: format!("{} (in {})", error.message, file.display()),
        ..error
    };
    let written = json::parse("the team spec", &content);
    let written: Value =
        written.map_err(|error| in_file(SpecError::new("INVALID_JSON", "", error.to_string())))?;
    Ok(Some(read(&written, author).map_err(in_file)?))
}
