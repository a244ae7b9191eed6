//! The first manifest of a receiver.

use serde_json::Value;

use crate::data::Library;

/// What is known of a receiver beforehand.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The executor behind it.
    pub executor: String,
    /// The command by which it is started, word by word.
    pub command: Vec<String>,
    /// Where one listens that runs already.
    pub url: Option<String>,
    /// The variable with the bearer of that one.
    pub token_env: Option<String>,
    /// Its environment.
    pub env: Vec<(String, String)>,
    /// The files that it is to find: where, and the file beside the manifest that holds each.
    pub files: Vec<(String, String)>,
    /// What is in those.
    pub contents: Vec<String>,
    /// Whether it is of the product line, and reads its configuration.
    pub of_fleet: bool,
    /// What its card says.
    pub card: Option<Value>,
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

impl Draft {
    /// The manifest.
    pub fn manifest(&self, library: &Library) -> String {
        let of_card = |pointer: &str| self.card.as_ref().and_then(|card| card.pointer(pointer)?.as_str());
        let mut text = "# How this receiver is certified: `gauntlet certify` reads it, and docs/receiver-toml.md explains it.\n".to_owned();
        let mut line = |written: String| text.push_str(&format!("{written}\n"));
        line(format!(
            "name = {}",
            quoted(of_card("/name").filter(|name| !name.trim().is_empty()).unwrap_or("my receiver"))
        ));
        if let Some(version) = of_card("/version") {
            line(format!("version = {}", quoted(version)));
        }
        line(format!("executor = {}", quoted(&self.executor)));
        if self.of_fleet {
            line("dialect = \"a2a_fleet\"".to_owned());
        }
        let declares: Vec<String> = self.declares(library).iter().map(|uri| quoted(uri)).collect();
        line(format!("declares = [{}]", declares.join(", ")));
        match (&self.url, self.command.split_first()) {
            (Some(url), _) => {
                line(format!("url = {}", quoted(url)));
                self.token_env.iter().for_each(|name| line(format!("token_env = {}", quoted(name))));
            }
            (None, command) => {
                let (command, args) = command.map_or(("", [].as_slice()), |(command, args)| (command, args));
                line("parallel = 2\n\n[start]".to_owned());
                line(format!("command = {}", quoted(command)));
                let args: Vec<String> = args.iter().map(|arg| quoted(arg)).collect();
                line(format!("args = [{}]", args.join(", ")));
                let env =
                    self.env.iter().map(|(name, value)| format!("{} = {}", quoted(name), quoted(value)));
                let env: Vec<String> = env.collect();
                line(format!("env = {{ {} }}", env.join(", ")));
                for (path, from) in &self.files {
                    line(format!("\n[[files]]\npath = {}\nfrom = {}", quoted(path), quoted(from)));
                }
                if self.of_fleet {
                    let config = library.executors.get(&self.executor).and_then(|known| known.file("config"));
                    let path = quoted(&format!("{{workdir}}/{}", config.unwrap_or_default()));
                    line(format!("\n[[files]]\npath = {path}\ncontent = \"{{fleet_config}}\""));
                } else {
                    self.limits(&mut line);
                }
            }
        }
        text
    }

    /// The limits whose words are used are set by them; of the others nothing is known.
    fn limits(&self, line: &mut dyn FnMut(String)) {
        let texts = || {
            let said = self.command.iter().chain(self.env.iter().map(|(_, value)| value));
            said.chain(&self.contents).chain(self.files.iter().map(|(path, _)| path))
        };
        line("\n[limits]".to_owned());
        for limit in ["turn_cap", "lock_wait", "idle", "poll"] {
            let is_set = texts().any(|text| text.contains(&format!("{{{limit}}}")));
            line(match is_set {
                true => format!("{limit} = \"set\""),
                false => format!(
                    "# {limit} = 600    # its seconds, \"set\" by the word {{{limit}}} above, or \"none\""
                ),
            });
        }
    }

    /// The extensions on its card that anything is owed of.
    fn declares(&self, library: &Library) -> Vec<String> {
        let card = self.card.as_ref();
        let extensions = card.and_then(|card| card.pointer("/capabilities/extensions")?.as_array());
        let declared = extensions.into_iter().flatten().filter_map(|one| one.get("uri")?.as_str());
        let owed = |uri: &str| {
            let mut rows = library.catalogue.all().filter_map(|row| row.capability.as_ref());
            rows.any(|known| known.value == uri)
        };
        declared.filter(|uri| owed(uri)).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Source;

    fn drafted(change: impl FnOnce(&mut Draft)) -> String {
        let library = Library::load(&[Source::Embedded]).expect("the embedded data is sound");
        let command = ["bridge", "--port", "{port}"].map(str::to_owned).into();
        let mut draft = Draft { executor: "codex".to_owned(), command, ..Draft::default() };
        change(&mut draft);
        draft.manifest(&library)
    }

    #[test]
    fn a_card_without_a_name_gives_none() {
        let text = drafted(|draft| draft.card = Some(serde_json::json!({ "name": "  ", "version": "1" })));
        assert!(text.contains("name = \"my receiver\""), "{text}");
    }

    #[test]
    fn a_limit_that_a_file_sets_is_set() {
        let text = drafted(|draft| {
            draft.files = vec![("{workdir}/bridge.toml".to_owned(), "bridge.toml".to_owned())];
            draft.contents = vec!["seconds = {turn_cap}".to_owned()];
        });
        assert!(text.contains("\nturn_cap = \"set\""), "{text}");
        assert!(text.contains("# idle = "), "{text}");
    }
}
