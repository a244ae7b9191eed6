//! Bringing a receiver to a repository (fleet sheet 6.6). What it does twice, it does once.

use std::path::{Path, PathBuf};

use gauntlet_protocol::fleet::config::edit::{self, DeployedPeer};
use gauntlet_protocol::fleet::extension::profile::is_name;
use gauntlet_protocol::fleet::workdir::{
    ReceiverOptions, ignored, receiver_config, role_text, with_entries, with_import,
};
use gauntlet_protocol::fleet::{Managed, Mode};
use gauntlet_world::disk::Kind;
use gauntlet_world::injection::Point;
use serde_json::{Map, Value, json};

use super::{ManagedError, Receiver, shown};
use crate::fleet::Fleet;
use crate::fleet::home::real_path;
use crate::fleet::tokens::token_file;

/// What a deploy is told.
#[derive(Debug, Clone, Default)]
pub(in crate::fleet) struct Order {
    /// The port, instead of one that is chosen.
    pub(in crate::fleet) port: Option<u16>,
    /// Without a bearer, and so without being looked after.
    pub(in crate::fleet) no_auth: bool,
    /// It was deployed before, and is told what it was told then.
    pub(in crate::fleet) again: bool,
    /// What goes into the receiver's configuration.
    pub(in crate::fleet) options: ReceiverOptions,
}

/// What a receiver is told by its configuration and its role.
struct Told {
    /// The variable with the bearer that it asks for.
    token_env: Option<String>,
    /// The address of the node where its replies go.
    node: String,
    /// What the order says of it.
    options: ReceiverOptions,
}

impl Fleet {
    /// The receiver of a kind in a repository as somebody wrote it.
    pub(in crate::fleet) async fn receiver_at(
        &self,
        kind: &'static Managed,
        written: &str,
    ) -> Result<Receiver, ManagedError> {
        if written.trim().is_empty() {
            return Err(ManagedError::NoPath);
        }
        let mode = Mode::named(kind.mode).ok_or_else(|| ManagedError::Template(kind.receiver_file()))?;
        let repo = real_path(&self.host, written.trim(), self.host.cwd()).await;
        let event = json!({ "written": written.trim(), "real": shown(&repo) });
        let found = self.decide(Point::RuntimeRepository, event).await;
        let repo = found.text("real").map_or(repo, PathBuf::from);
        match self.host.disk().stat(&repo).await {
            Ok(meta) if meta.kind == Kind::Directory => Ok(Receiver { kind, mode, repo }),
            Ok(_) => Err(ManagedError::NotAFolder(written.to_owned())),
            Err(_) => Err(ManagedError::Missing(written.to_owned())),
        }
    }

    /// Deploys a receiver: files, process, token, peer. Whatever goes wrong is an error that says so, and until the receiver is
    /// healthy nothing is published.
    pub(in crate::fleet) async fn deploy(
        &self,
        receiver: &Receiver,
        order: &Order,
    ) -> Result<Value, ManagedError> {
        let _alone = self.managing.lock().await;
        self.deploy_alone(receiver, order).await
    }

    pub(super) async fn deploy_alone(
        &self,
        receiver: &Receiver,
        order: &Order,
    ) -> Result<Value, ManagedError> {
        let mut warnings: Vec<String> = Vec::new();
        let port = self.port_for(receiver, order.port).await?;
        if self.host.disk().stat(receiver.repo.join(".git")).await.is_err() {
            warnings.push(format!("{} is not a git repository", receiver.repo_text()));
        }
        let told = self.told(receiver, port, order).await;
        let import = match self.furnish(receiver, &told.node).await {
            Ok(import) => import,
            Err(error) => {
                let event = json!({ "port": port, "leaves": true });
                if !self.decide(Point::RuntimeRefused, event).await.yes("leaves") {
                    self.make_way(receiver).await?;
                }
                return Err(error);
            }
        };
        let token = told.token_env.as_ref().map(|_| self.new_token());
        let bearer = told.token_env.as_deref().zip(token.as_deref());
        if bearer.is_none() {
            warnings.push("no_auth: every program of this machine can dispatch to this receiver".to_owned());
        }
        if !self.is_installed(receiver.mode.cli).await {
            warnings.push(format!("{} is not on PATH: turns will fail until it is", receiver.mode.cli));
        }
        self.make_way(receiver).await?;
        // Not before: the old one, where it could not be ended, goes on by what it was told.
        self.configure(receiver, port, &told).await?;
        let for_replies = told.options.hermes_auth_token_env.as_deref();
        let launched = self.launch(receiver, port, bearer, for_replies).await;
        let kept = match bearer {
            Some((name, token)) if self.publishes("token", port, launched.is_ok()).await => {
                self.keep_token(receiver, name, token).await
            }
            _ => Ok(()),
        };
        if let (Ok(pid), Err(_)) = (&launched, &kept) {
            // A receiver whose token nobody knows is of no use to anyone.
            self.tear_down(receiver, *pid).await;
        }
        let peer = match self.publishes("peer", port, launched.is_ok() && kept.is_ok()).await {
            true => self.enter_peer(receiver, port, bearer.is_some()).await,
            false => Value::Null,
        };
        let pid = launched?;
        kept?;
        if let Err(error) = self.ignore(receiver).await {
            warnings.push(error.to_string());
        }
        let mut result = Map::new();
        let mut set = |key: &str, value: Value| drop(result.insert(key.to_owned(), value));
        set("deployed", json!(true));
        set("repo_path", json!(receiver.repo_text()));
        set("port", json!(port));
        set("pid", json!(pid.0));
        set("status", json!("healthy"));
        set("claude_md", json!(import));
        set("warnings", json!(warnings));
        set("fleet_peer", peer);
        if let Some((name, _)) = bearer {
            // The value stays in its file: results of tools are read by models and kept in transcripts.
            set("receiver_token_env", json!(name));
        }
        if let Some(note) = receiver.kind.note {
            set("note", json!(note));
        }
        Ok(Value::Object(result))
    }

    /// What a receiver is told, as it passes its injection point.
    async fn told(&self, receiver: &Receiver, port: u16, order: &Order) -> Told {
        let name = receiver.kind.token_env(&receiver.repo_text());
        let event = json!({
            "repo": receiver.repo_text(),
            "port": port,
            "again": order.again,
            "token_env": (!order.no_auth).then_some(name),
            "node": self.node_url(),
            "options": {
                "model": order.options.model,
                "hermes_auth_token_env": order.options.hermes_auth_token_env,
                // One whose name is none on the wire is named by no reply; they are delivered where they come.
                "hermes_profile": Some(self.own_name().await).filter(|own| is_name(own)),
            },
        });
        let told = self.decide(Point::RuntimeOrder, event).await;
        let option = |name: &str| told.value("options").get(name).and_then(Value::as_str).map(str::to_owned);
        Told {
            token_env: told.text("token_env").map(str::to_owned),
            node: told.text("node").unwrap_or_default().to_owned(),
            options: ReceiverOptions {
                model: option("model"),
                sandbox: order.options.sandbox.clone(),
                hermes_auth_token_env: option("hermes_auth_token_env"),
                hermes_profile: option("hermes_profile"),
            },
        }
    }

    /// Whether a receiver that was started counts as deployed, and whether something of it is published.
    pub(super) async fn publishes(&self, what: &str, port: u16, healthy: bool) -> bool {
        let event = json!({ "what": what, "port": port, "healthy": healthy, "published": healthy });
        self.decide(Point::RuntimePublish, event).await.yes("published")
    }

    /// Writes one of the files that a deploy shares with people.
    async fn share(&self, file: &str, path: &Path, exists: bool, text: String) -> std::io::Result<()> {
        let event = json!({
            "file": file, "exists": exists, "text": text, "mode": null, "whole": true, "follows": true,
        });
        let decided = self.decide(Point::RuntimeFile, event).await;
        match decided.text("text") {
            Some(text) => self.replace(path, text.as_bytes(), decided.yes("whole")).await,
            None => Ok(()),
        }
    }

    /// Puts the receiver, its role text and the import of that into the repository. Gives the state of the import.
    async fn furnish(&self, receiver: &Receiver, node: &str) -> Result<&'static str, ManagedError> {
        let disk = self.host.disk();
        let launcher = self.settings.receivers.get(receiver.kind.mode);
        let launcher = launcher.ok_or_else(|| ManagedError::Template(receiver.kind.receiver_file()))?;
        let template = disk.read(&launcher.template).await;
        let template = template.map_err(|_| ManagedError::Template(shown(&launcher.template)))?;
        let folder = receiver.repo.join(".hermes");
        let made = disk.make_dir(&folder).await;
        made.map_err(|error| ManagedError::Create(shown(&folder), error.to_string()))?;
        let notes = receiver.repo.join("CLAUDE.md");
        let (ignored, log) = (receiver.file(".gitignore"), receiver.file(receiver.mode.files.log));
        for place in [&folder, &notes, &ignored, &log] {
            self.stays_inside(receiver, place).await?;
        }
        // Replaced and not written: where a link is in the way, what it leads to stays as it is.
        let copied = disk.replace(folder.join(receiver.kind.receiver_file()), &template).await;
        copied.map_err(|error| ManagedError::Copy(shown(&folder), error.to_string()))?;
        let role = receiver.repo.join(gauntlet_protocol::fleet::workdir::ROLE_FILE);
        let written = disk.replace(&role, self.role(receiver, node).as_bytes()).await;
        written.map_err(|error| ManagedError::Write(shown(&role), error.to_string()))?;
        let update = |error: std::io::Error| ManagedError::Update(shown(&notes), error.to_string());
        let text = self.text_of(&notes).await.map_err(update)?;
        let (after, import) = with_import(text.as_deref());
        if text.as_ref() != Some(&after) {
            self.share("import", &notes, text.is_some(), after).await.map_err(update)?;
        }
        Ok(import.name())
    }

    /// A repository is somebody else's: what it links to outside of it is not written to.
    async fn stays_inside(&self, receiver: &Receiver, place: &Path) -> Result<(), ManagedError> {
        match self.host.disk().canonical(place).await {
            Ok(real) if !real.starts_with(&receiver.repo) => {
                let within = place.strip_prefix(&receiver.repo).unwrap_or(place);
                let event = json!({ "place": shown(within), "refused": true });
                if !self.decide(Point::RuntimeLeadsOut, event).await.yes("refused") {
                    return Ok(());
                }
                let error = format!("it leads out of the repository, to {}", shown(&real));
                Err(ManagedError::Update(shown(place), error))
            }
            _ => Ok(()),
        }
    }

    fn role(&self, receiver: &Receiver, node: &str) -> String {
        role_text(receiver.mode, &receiver.repo_text(), node)
    }

    /// The address of this runtime's own node: where the receivers that it deploys call back (fleet sheet 6.8).
    fn node_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.get())
    }

    async fn configure(&self, receiver: &Receiver, port: u16, told: &Told) -> Result<(), ManagedError> {
        let path = receiver.file(receiver.mode.files.config);
        let (repo, hermes) = (receiver.repo_text(), format!("{}/jsonrpc", told.node));
        let place = (repo.as_str(), port, hermes.as_str(), &*self.role(receiver, &told.node));
        let token_env = told.token_env.as_deref();
        let config = receiver_config(receiver.mode, place, token_env, &told.options);
        let written = self.host.disk().replace(&path, format!("{config:#}\n").as_bytes()).await;
        written.map_err(|error| ManagedError::Write(shown(&path), error.to_string()))
    }

    /// Whether a program is found along `PATH`.
    async fn is_installed(&self, program: &str) -> bool {
        let path = self.host.env("PATH").unwrap_or_default();
        for folder in path.split(':') {
            let found = self.host.disk().stat(self.host.cwd().join(folder).join(program)).await;
            if found.is_ok_and(|meta| meta.kind == Kind::File && meta.mode & 0o111 != 0) {
                return true;
            }
        }
        false
    }

    /// A token of 32 random bytes, in letters that need no escape in a URL.
    fn new_token(&self) -> String {
        let entropy = self.host.entropy();
        let letters: Vec<char> = ('a'..='z').chain('A'..='Z').chain('0'..='9').chain(['-', '_']).collect();
        let letter = || letters[usize::try_from(entropy.below(64)).unwrap_or_default()];
        // Each letter holds six bits.
        (0..43).map(|_| letter()).collect()
    }

    async fn keep_token(&self, receiver: &Receiver, name: &str, token: &str) -> Result<(), ManagedError> {
        let Some(path) = token_file(receiver.kind, &receiver.repo) else { return Ok(()) };
        let event = json!({
            "file": "token", "exists": null, "text": format!("{token}\n"), "mode": "0600", "whole": true, "follows": false,
        });
        let file = self.decide(Point::RuntimeFile, event).await;
        let path = match file.yes("follows") {
            true => self.host.disk().canonical(&path).await.unwrap_or(path),
            false => path,
        };
        let wrong = |error: std::io::Error| ManagedError::Write(shown(&path), error.to_string());
        if let Some(text) = file.text("text") {
            // A replaced file is its owner's alone.
            self.host.disk().replace(&path, text.as_bytes()).await.map_err(wrong)?;
        }
        if let Some(mode) = file.text("mode").filter(|mode| *mode != "0600") {
            let mode = u32::from_str_radix(mode, 8).unwrap_or(0o600);
            self.host.disk().set_mode(&path, mode).await.map_err(wrong)?;
        }
        self.publish(name, token);
        Ok(())
    }

    async fn ignore(&self, receiver: &Receiver) -> Result<(), ManagedError> {
        let path = receiver.file(".gitignore");
        let update = |error: std::io::Error| ManagedError::Update(shown(&path), error.to_string());
        let text = self.text_of(&path).await.map_err(update)?;
        let Some(after) = with_entries(text.as_deref(), &ignored(receiver.mode)) else { return Ok(()) };
        self.share("ignore", &path, text.is_some(), after).await.map_err(update)
    }

    /// Enters the receiver as a peer into `fleet.yaml`, which is begun when there is none.
    async fn enter_peer(&self, receiver: &Receiver, port: u16, with_token: bool) -> Value {
        let path = self.config_path().await;
        let wrong = |error: String| json!({ "error": error });
        let text = match self.text_of(&path).await {
            Ok(text) => text,
            Err(error) => return wrong(format!("cannot read {}: {error}", shown(&path))),
        };
        let event = json!({
            "repo": receiver.repo_text(),
            "port": port,
            "exists": text.is_some(),
            "anew": text.is_none(),
            "with_token": with_token,
            "usual": receiver.kind.peer,
            "name": null,
            "whole": true,
        });
        let entry = self.decide(Point::RuntimeEntry, event).await;
        if entry.is_omitted() {
            return Value::Null;
        }
        let peer = DeployedPeer {
            kind: receiver.kind,
            repo: receiver.repo_text(),
            port,
            with_token: entry.yes("with_token"),
            name: entry.text("name").map(str::to_owned),
        };
        let begun = text.as_deref().filter(|_| !entry.yes("anew")).unwrap_or(edit::SCAFFOLD);
        let edited = match edit::upsert(&shown(&path), begun, &peer) {
            Ok(edited) => edited,
            Err(error) => return wrong(error.to_string()),
        };
        if text.as_ref() != Some(&edited.text)
            && let Err(error) = self.replace(&path, edited.text.as_bytes(), entry.yes("whole")).await
        {
            return wrong(format!("cannot write {}: {error}", shown(&path)));
        }
        json!({ "action": edited.action.name(), "name": edited.name, "path": shown(&path) })
    }

    /// A text, or nothing when there is no such file. Bytes that are no text must not be lost by an edit.
    async fn text_of(&self, path: &Path) -> std::io::Result<Option<String>> {
        let content = self.host.disk().read_if_present(path).await?;
        content.map(String::from_utf8).transpose().map_err(std::io::Error::other)
    }

    /// Replaces a file that people have, too: it keeps its mode, and a link stays a link.
    async fn replace(&self, path: &Path, content: &[u8], whole: bool) -> std::io::Result<()> {
        let disk = self.host.disk();
        let real = disk.canonical(path).await.unwrap_or_else(|_| path.to_path_buf());
        let mode = disk.stat(&real).await.map_or(0o644, |meta| meta.mode);
        disk.make_dir(real.parent().unwrap_or(Path::new("/"))).await?;
        match whole {
            true => disk.replace(&real, content).await?,
            false => disk.write(&real, content).await?,
        }
        disk.set_mode(&real, mode).await
    }
}
