//! Putting a stand-in in the place of a CLI: where receivers look for it, and connected to the stage that tells it its part.

use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use gauntlet_simulators::cli::Profile;
use gauntlet_simulators::control;
use gauntlet_simulators::stage::Stage;
use gauntlet_world::Host;
use gauntlet_world::injection::Quirk;
use gauntlet_world::network::Address;

use crate::data::executor::Executor;
use crate::files;
use crate::record::quoted;

/// Where a stand-in lives.
pub struct Place<'a> {
    /// The `gauntlet` binary, which it is.
    pub binary: &'a Path,
    /// A private folder for its key.
    pub folder: &'a Path,
    /// The folder on the PATH of whoever calls it; nothing when no CLI is to be found.
    pub bin: Option<&'a Path>,
}

/// Opens the control connection, and puts the launcher where a receiver looks for its CLI. The launcher has everything baked in, since
/// receivers filter the environment and choose the working directory.
pub async fn put(
    harness: &Host,
    place: &Place<'_>,
    executor: &Executor,
    stage: Rc<dyn Stage>,
    profile: Arc<Profile>,
    quirks: Vec<Quirk>,
) -> io::Result<()> {
    let listener = harness.network().listen(&Address::loopback(0)).await?;
    let address = Address::loopback(listener.port());
    let key = harness.entropy().uuid().to_string();
    let key_file = place.folder.join("control.key");
    harness.disk().create_new(&key_file, key.as_bytes(), 0o600).await?;
    if let Some(bin) = place.bin {
        let launcher = format!(
            "#!/bin/sh\nexec {} stand-in {} --control {} --key-file {} -- \"$@\"\n",
            quoted(&place.binary.to_string_lossy()),
            quoted(&executor.id.value),
            quoted(&address.to_string()),
            quoted(&key_file.to_string_lossy()),
        );
        let path = bin.join(&executor.cli);
        files::write(&path, launcher.as_bytes())?;
        files::set_mode(&path, 0o755)?;
    }
    harness.spawn(control::serve(harness.clone(), listener, key, stage, profile, quirks));
    Ok(())
}
