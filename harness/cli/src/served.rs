//! What `gauntlet serve` can be: the list of it, and a version of the CLI that is played behind the receiver.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use gauntlet_engine::data::Library;
use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::{files, stand_in, strays};
use gauntlet_reports::escape::one_line;
use gauntlet_simulators::cli::Profile;
use gauntlet_simulators::stage::{Ending, Invocation, LocalFuture, Part, Stage};
use gauntlet_world::injection::Quirk;
use miette::{IntoDiagnostic, Report, WrapErr, miette};

use crate::args::ServeArgs;
use crate::process;

type Failure = (Report, ExitCode);

/// The word for the newest version that is known.
const NEWEST: &str = "newest";

/// Prints what can be served: of one executor, or of each.
pub(crate) fn list(args: &ServeArgs, library: &Library) {
    let mut out = std::io::stdout().lock();
    // A reader that has seen enough is no reason to fail.
    let mut say = |line: String| drop(writeln!(out, "{}", one_line(&line)));
    let served: Vec<&str> = gauntlet_protocol::fleet::MODES.iter().map(|mode| mode.name).collect();
    let is_meant = |id: &str| args.executor.as_deref().is_none_or(|named| named == id);
    for executor in served.into_iter().filter(|id| is_meant(id)) {
        let versions: Vec<String> =
            library.versions(executor).iter().map(|profile| profile.version.clone()).collect();
        say(format!("{executor}  --version {}", versions.join(", ")));
    }
    for (id, release) in &library.releases {
        say(format!("--release {id}  {}", release.title));
    }
    let fits = |quirk: &Quirk| quirk.executors.is_empty() || quirk.executors.iter().any(|id| is_meant(id));
    for quirk in library.quirks.values().filter(|quirk| fits(quirk)) {
        match quirk.role.as_str() {
            "receiver" => say(format!("--quirk {}  {}", quirk.id, quirk.title)),
            "cli" => say(format!("--quirk {} (with --version)  {}", quirk.id, quirk.title)),
            _ => {}
        }
    }
}

/// A CLI that is played: its version, and how it deviates.
pub(crate) struct Played {
    library: Arc<Library>,
    profile: Arc<Profile>,
    quirks: Vec<Quirk>,
    binary: PathBuf,
    folder: PathBuf,
}

impl Played {
    /// The CLI that was asked for; nothing when the one on the PATH is called.
    pub(crate) fn of(
        args: &ServeArgs,
        executor: &str,
        library: &Arc<Library>,
        quirks: Vec<Quirk>,
    ) -> Result<Option<Self>, Failure> {
        let Some(version) = &args.version else { return Ok(None) };
        let known = library.versions(executor);
        let found = match version.as_str() {
            NEWEST => known.last(),
            named => known.iter().find(|profile| profile.version == named),
        };
        let Some(profile) = found.cloned() else {
            let known: Vec<&str> = known.iter().map(|profile| profile.version.as_str()).collect();
            let known = known.join(", ");
            let message =
                miette!("--version: expected a version of {executor} ({known}, {NEWEST}); found {version:?}");
            return Err((message, ExitCode::Usage));
        };
        let broken = |report: Report| (report, ExitCode::Broken);
        let binary = std::env::current_exe().into_diagnostic().wrap_err("the own binary cannot be found");
        let binary = binary.map_err(broken)?;
        let home = std::env::temp_dir();
        strays::clear_abandoned(&home);
        let folder = files::scratch(&home);
        let made = files::make_private_dir(&folder).and_then(|()| files::make_dir(&folder.join("bin")));
        made.into_diagnostic().wrap_err("the folder of the stand-in cannot be made").map_err(broken)?;
        Ok(Some(Self { library: library.clone(), profile, quirks, binary, folder }))
    }

    /// The folder that must come first on the receiver's PATH.
    pub(crate) fn bin(&self) -> PathBuf {
        self.folder.join("bin")
    }

    /// Puts it there. Its connections are none of the receiver's.
    pub(crate) async fn put(&self) -> Result<(), String> {
        let wrong = |error: String| format!("the CLI cannot be played: {error}");
        let host = process::host("stage", Vec::new()).map_err(|(report, _)| wrong(report.to_string()))?;
        let executor = self.library.executors.get(self.profile.executor());
        let executor = executor.ok_or_else(|| wrong("its executor is not known".to_owned()))?;
        let place = stand_in::Place { binary: &self.binary, folder: &self.folder, bin: Some(&self.bin()) };
        let quirks = self.quirks.iter().map(|quirk| executor.quirk(quirk)).collect();
        let put = stand_in::put(&host, &place, executor, Rc::new(AlwaysOk), self.profile.clone(), quirks);
        put.await.map_err(|error| wrong(error.to_string()))
    }
}

/// However serving ends, its folder goes.
impl Drop for Played {
    fn drop(&mut self) {
        if let Err(error) = files::remove_dir(Path::new(&self.folder)) {
            eprintln!("{} cannot be removed: {error}", self.folder.display());
        }
    }
}

/// Every turn is answered `ok`.
struct AlwaysOk;

impl Stage for AlwaysOk {
    fn enter(&self, _: Invocation) -> LocalFuture<'_, Part> {
        Box::pin(async { Part { reply: Some("ok".to_owned()), ..Part::default() } })
    }

    fn leave(&self, _: Ending) -> LocalFuture<'_, ()> {
        Box::pin(async {})
    }
}
