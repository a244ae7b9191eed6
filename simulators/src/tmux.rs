//! A stand-in for tmux that writes down what it was called with. What it knows of panes is what its log says: each call reads it
//! from the beginning, so that there is nothing else to keep. Exit codes and texts are those of tmux 3.3a.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gauntlet_world::Host;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What this stand-in says to `-V`.
const VERSION: &str = "tmux 3.3a";

/// How it fails. The default one does not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TmuxScript {
    /// Commands, for instance `split-window`, that fail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fails: Vec<String>,
    /// Commands that never end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hangs: Vec<String>,
}

/// One call, as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TmuxCall {
    /// Its arguments, without the program.
    pub args: Vec<String>,
    /// Where it was called.
    pub cwd: String,
    /// The pane that it was called in, if its environment names one.
    pub pane: Option<String>,
    /// Its exit code; nothing when it never ended.
    pub code: Option<i32>,
}

/// The calls that a log tells of; a line that is none is passed over.
pub fn calls(log: &[u8]) -> Vec<TmuxCall> {
    let lines = log.split(|byte| *byte == b'\n');
    lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

/// The panes that are there after these calls, the caller's own first.
pub fn panes(calls: &[TmuxCall]) -> Vec<String> {
    Panes::after(calls).panes.iter().map(|pane| format!("%{}", pane.number)).collect()
}

/// Runs one call and returns its exit code. The log is a file to which lines of JSON are added.
pub async fn run(host: Host, log: &Path, script: &TmuxScript) -> i32 {
    let args = host.args().to_vec();
    let command = Call::read(&args);
    let pane = host.env("TMUX_PANE").map(str::to_owned);
    let call = |code| TmuxCall {
        args: args.clone(),
        cwd: host.cwd().to_string_lossy().into_owned(),
        pane: pane.clone(),
        code,
    };
    let is_named = |names: &[String]| command.name.as_ref().is_some_and(|name| names.contains(name));
    if is_named(&script.hangs) {
        note(&host, log, &call(None)).await;
        return std::future::pending().await;
    }
    let before = calls(&host.disk().read(log).await.unwrap_or_default());
    let mut panes = Panes::after(&before);
    let outcome = if is_named(&script.fails) {
        Err("server exited unexpectedly".to_owned())
    } else {
        panes.obey(&command, pane.as_deref())
    };
    let code = i32::from(outcome.is_err());
    note(&host, log, &call(Some(code))).await;
    let printed = match outcome {
        Ok(text) if text.is_empty() => Ok(()),
        Ok(text) => host.processes().print(format!("{text}\n").as_bytes()).await,
        Err(text) => host.processes().print_error(format!("{text}\n").as_bytes()).await,
    };
    if printed.is_err() { 1 } else { code }
}

async fn note(host: &Host, log: &Path, call: &TmuxCall) {
    let line: Value = json!(call);
    // Without a log the call is still obeyed: a full disk is no fault of tmux.
    let _ = host.disk().append(log, format!("{line}\n").as_bytes()).await;
}

/// Where the log of a machine's tmux is.
pub fn log_path(home: &Path) -> PathBuf {
    home.join("tmux-calls.jsonl")
}

/// A call, as far as it is understood.
#[derive(Default)]
struct Call {
    name: Option<String>,
    target: Option<String>,
    format: Option<String>,
    session: Option<String>,
    prints: bool,
    /// What stands behind the options.
    rest: Vec<String>,
}

impl Call {
    fn read(args: &[String]) -> Self {
        let mut call = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match (arg.as_str(), call.name.is_some()) {
                ("-V", false) => call.name = Some("-V".to_owned()),
                ("-L" | "-S" | "-f", false) => _ = args.next(),
                (flag, false) if flag.starts_with('-') => {}
                (name, false) => call.name = Some(name.to_owned()),
                ("-t", true) => call.target = args.next().cloned(),
                ("-F", true) => call.format = args.next().cloned(),
                ("-s", true) => call.session = args.next().cloned(),
                ("-n" | "-c" | "-l" | "-p" | "-x" | "-y" | "-e" | "-T", true)
                    if call.name.as_deref() != Some("display-message") =>
                {
                    _ = args.next();
                }
                ("-P", true) => call.prints = true,
                (flag, true) if flag.starts_with('-') && call.rest.is_empty() => {}
                (word, true) => call.rest.push(word.to_owned()),
            }
        }
        call
    }
}

#[derive(Debug, Clone, Copy)]
struct Pane {
    number: u32,
    window: u32,
    session: u32,
}

struct Panes {
    panes: Vec<Pane>,
    /// The names of sessions.
    sessions: BTreeMap<u32, String>,
    /// Numbers that were given: panes, windows, sessions.
    given: (u32, u32, u32),
}

impl Panes {
    /// The caller's session with one pane, and what calls that went well made of it.
    fn after(calls: &[TmuxCall]) -> Self {
        let first = Pane { number: 0, window: 0, session: 0 };
        let sessions = BTreeMap::from([(0, "main".to_owned())]);
        let mut panes = Self { panes: vec![first], sessions, given: (1, 1, 1) };
        for call in calls.iter().filter(|call| call.code == Some(0)) {
            // It went well before.
            let _ = panes.obey(&Call::read(&call.args), call.pane.as_deref());
        }
        panes
    }

    /// What a call prints, or why it fails.
    fn obey(&mut self, call: &Call, own: Option<&str>) -> Result<String, String> {
        let Some(name) = call.name.as_deref() else { return Ok(String::new()) };
        match name {
            "-V" => Ok(VERSION.to_owned()),
            "new-session" => {
                let session = self.given.2;
                let named = call.session.clone().unwrap_or_else(|| session.to_string());
                if self.sessions.values().any(|known| *known == named) {
                    return Err(format!("duplicate session: {named}"));
                }
                self.given.2 += 1;
                self.sessions.insert(session, named);
                let pane = self.add(None, session);
                Ok(self.told(call, pane))
            }
            "new-window" => {
                let at = self.target(call, own)?;
                let pane = self.add(None, at.session);
                Ok(self.told(call, pane))
            }
            "split-window" => {
                let at = self.target(call, own)?;
                let pane = self.add(Some(at.window), at.session);
                Ok(self.told(call, pane))
            }
            "kill-pane" => {
                let at = self.target(call, own)?;
                self.keep(|pane| pane.number != at.number)
            }
            "kill-window" => {
                let at = self.target(call, own)?;
                self.keep(|pane| pane.window != at.window)
            }
            "kill-session" => {
                let at = self.target(call, own)?;
                self.keep(|pane| pane.session != at.session)
            }
            "has-session" | "select-layout" | "select-pane" | "select-window" | "resize-pane"
            | "send-keys" | "set-option" | "set-window-option" | "rename-window" | "set-hook" => {
                self.target(call, own).map(|_| String::new())
            }
            "list-panes" => {
                let at = self.target(call, own)?;
                let here = self.panes.iter().filter(|pane| pane.window == at.window);
                let format = call.format.as_deref().unwrap_or("#{pane_id}");
                Ok(here.map(|pane| self.filled(*pane, format)).collect::<Vec<_>>().join("\n"))
            }
            "list-sessions" => {
                let format = call.format.as_deref().unwrap_or("#{session_name}");
                Ok(self
                    .sessions
                    .values()
                    .map(|name| format.replace("#{session_name}", name))
                    .collect::<Vec<_>>()
                    .join("\n"))
            }
            "display-message" => {
                let at = self.target(call, own)?;
                Ok(call.rest.first().map(|format| self.filled(at, format)).unwrap_or_default())
            }
            other => Err(format!("unknown command: {other}")),
        }
    }

    fn add(&mut self, window: Option<u32>, session: u32) -> Pane {
        let (number, next_window, _) = self.given;
        self.given.0 += 1;
        if window.is_none() {
            self.given.1 += 1;
        }
        let pane = Pane { number, window: window.unwrap_or(next_window), session };
        self.panes.push(pane);
        pane
    }

    fn keep(&mut self, keeps: impl Fn(&Pane) -> bool) -> Result<String, String> {
        self.panes.retain(keeps);
        let panes = &self.panes;
        self.sessions.retain(|session, _| panes.iter().any(|pane| pane.session == *session));
        Ok(String::new())
    }

    /// The pane that a call speaks of: by itself, its window, its session, or as the caller's own.
    fn target(&self, call: &Call, own: Option<&str>) -> Result<Pane, String> {
        let target = call.target.as_deref().or(own).unwrap_or("%0");
        let (kind, found) = match target.split_at_checked(1) {
            Some(("%", number)) => ("pane", self.panes.iter().find(|pane| number.parse() == Ok(pane.number))),
            Some(("@", number)) => {
                ("window", self.panes.iter().find(|pane| number.parse() == Ok(pane.window)))
            }
            Some(("$", number)) => {
                ("session", self.panes.iter().find(|pane| number.parse() == Ok(pane.session)))
            }
            _ => {
                let name = target.split(':').next().unwrap_or_default().trim_start_matches('=');
                (
                    "session",
                    self.panes
                        .iter()
                        .find(|pane| self.sessions.get(&pane.session).is_some_and(|known| known == name)),
                )
            }
        };
        found.copied().ok_or_else(|| format!("can't find {kind}: {target}"))
    }

    fn told(&self, call: &Call, pane: Pane) -> String {
        if !call.prints {
            return String::new();
        }
        self.filled(pane, call.format.as_deref().unwrap_or("#{pane_id}"))
    }

    fn filled(&self, pane: Pane, format: &str) -> String {
        let name = self.sessions.get(&pane.session).map_or("", String::as_str);
        format
            .replace("#{pane_id}", &format!("%{}", pane.number))
            .replace("#{window_id}", &format!("@{}", pane.window))
            .replace("#{session_id}", &format!("${}", pane.session))
            .replace("#{session_name}", name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each call prints or fails with, one after another.
    fn said(lines: &[&str]) -> Vec<String> {
        let mut before = Vec::new();
        lines
            .iter()
            .map(|line| {
                let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
                let outcome = Panes::after(&before).obey(&Call::read(&args), None);
                let code = Some(i32::from(outcome.is_err()));
                before.push(TmuxCall { args, cwd: String::new(), pane: None, code });
                outcome.unwrap_or_else(|error| error)
            })
            .collect()
    }

    #[test]
    fn it_says_what_tmux_was_seen_to_say() {
        assert_eq!(
            said(&[
                "-V",
                "-L x -f /dev/null new-session -d -s y -x 80 -P -F #{session_id}#{window_id}#{pane_id}",
                "split-window -t y -d -P -F #{pane_id} sleep",
                "list-panes -t y -F #{pane_id}",
                "kill-pane -t %7",
                "kill-pane -t %2",
                "has-session -t nope",
                "frobnicate",
                "display-message -p -t y #{pane_id}#{window_id}",
                "new-window -d -t y -P -F #{window_id}#{pane_id}",
                "kill-session -t y",
                "has-session -t y",
            ]),
            [
                "tmux 3.3a",
                "$1@1%1",
                "%2",
                "%1\n%2",
                "can't find pane: %7",
                "",
                "can't find session: nope",
                "unknown command: frobnicate",
                "%1@1",
                "@2%3",
                "",
                "can't find session: y",
            ]
        );
    }

    #[test]
    fn panes_are_what_is_left_in_the_log_and_lines_that_are_no_calls_are_passed_over() {
        let log = br#"{"args":["split-window","-h"],"cwd":"/a b","pane":"%0","code":0}
garbage
{"args":["split-window"],"cwd":"/","pane":null,"code":1}
{"args":["split-window"],"cwd":"/","pane":null,"code":0}
{"args":["kill-pane","-t","%1"],"cwd":"/","pane":null,"code":0}
{"args":["kill-pane""#;
        assert_eq!(calls(log).len(), 4);
        assert_eq!(panes(&calls(log)), ["%0", "%2"]);
    }
}
