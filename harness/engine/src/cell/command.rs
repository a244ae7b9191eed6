//! The runtime's command in a cell: a process of its own in both lanes. No tap sees what it sends, since it is not the harness that
//! connects; what its user knows of it is what it prints and how it ends.

use std::io;

use gauntlet_world::process::{Child, Command, Reader};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use super::bench::{BenchError, PEER};
use super::steps::Stagehand;
use crate::scenario::CommandLine;
use crate::trace::What;

/// More than this is not kept of what it prints.
const MAX_OUTPUT: u64 = 256 * 1024;

impl Stagehand {
    /// Uses the command and waits for its end.
    pub(super) async fn command(&self, key: &str, line: &CommandLine) -> Result<Value, BenchError> {
        let mut env = self.bench.runtime_environment(&self.names);
        for (name, value) in &line.env {
            match value {
                Some(value) => drop(env.insert(name.clone(), self.names.resolve(value))),
                None => drop(env.remove(name)),
            }
        }
        let args: Vec<String> = line.args.iter().map(|argument| self.names.resolve(argument)).collect();
        let command = Command {
            args: args.clone(),
            env,
            ..Command::new(self.bench.command().to_string_lossy(), self.bench.places().hermes())
        };
        let wrong = |error: io::Error| BenchError::because("the runtime's command cannot be used", error);
        let child = self.bench.harness().processes().spawn(command).await.map_err(wrong)?;
        let (code, stdout, stderr) = finish(child).await.map_err(wrong)?;
        let printed = serde_json::from_str::<Value>(&stdout).ok().filter(Value::is_object);
        let acknowledged = self.note_sent(key, &args, code, printed.as_ref());
        Ok(json!({
            "code": code,
            "stdout": stdout,
            "stderr": stderr,
            "json": printed,
            "acknowledged": acknowledged,
        }))
    }

    /// What its user knows of a message to the subject: whether it was taken, and on which context. Whether it was.
    fn note_sent(&self, key: &str, args: &[String], code: i32, printed: Option<&Value>) -> bool {
        let sends = args.first().is_some_and(|command| command == "send");
        let to_subject = sends && args.iter().any(|argument| argument == PEER);
        // Any other code tells that nothing was sent; one that was killed tells nothing.
        if !to_subject || code >= 2 {
            return false;
        }
        let told = |name: &str| printed?.get(name)?.as_str();
        let acknowledged = code == 0 || told("reply").is_some();
        if !acknowledged && matches!(told("class"), Some("refused" | "not_sent")) {
            return false;
        }
        let asked = args.iter().position(|argument| argument == "--context").and_then(|at| args.get(at + 1));
        let named = told("context_id").filter(|context| !context.is_empty());
        if let (None, Some(named)) = (asked, named) {
            self.names.made_up(key, named);
        }
        let context = asked.map(String::as_str).or(named).map(str::to_owned);
        self.trace.push(What::Dispatched { dispatch: key.to_owned(), context, acknowledged });
        acknowledged
    }
}

/// Waits for the end of a process: its return code, and what it printed on each stream.
async fn finish(mut child: Child) -> io::Result<(i32, String, String)> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) = futures_util::future::try_join(read(stdout), read(stderr)).await?;
    Ok((child.wait().await?.return_code(), stdout, stderr))
}

async fn read(stream: Option<Reader>) -> io::Result<String> {
    let mut printed = Vec::new();
    if let Some(stream) = stream {
        stream.take(MAX_OUTPUT).read_to_end(&mut printed).await?;
    }
    Ok(String::from_utf8_lossy(&printed).into_owned())
}
