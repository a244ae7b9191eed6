//! `gauntlet init`.

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gauntlet_engine::certify::{Draft, Foreign, Smoke, Source, smoke};
use gauntlet_engine::data::Library;
use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::files;
use gauntlet_engine::runner::Settings;
use gauntlet_reports::escape::one_line;
use miette::{IntoDiagnostic, Report, WrapErr, miette};

use crate::Outcome;
use crate::args::InitArgs;

type Failure = (Report, ExitCode);

pub(crate) fn init(args: &InitArgs) -> Outcome {
    let library = crate::run::library(&[])?;
    if files::exists(&args.out) && !args.force {
        let help = "`--force` writes over it";
        let message = miette!(help = help, "expected no file {}; there is one", args.out.display());
        return Err((message, ExitCode::Usage));
    }
    let mut draft = draft(args)?;
    let here = args.out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let here = files::absolute(here).into_diagnostic().map_err(|error| (error, ExitCode::Usage))?;
    // One that cannot be read is pointed at when the manifest is.
    draft.contents =
        draft.files.iter().filter_map(|(_, from)| files::read_text(&here.join(from)).ok()).collect();
    let seen = look(&library, &draft, &args.out, here)?;
    draft.card.clone_from(&seen.card);
    let text = draft.manifest(&library);
    let written = files::write(&args.out, text.as_bytes()).into_diagnostic();
    written.wrap_err("the manifest cannot be written").map_err(|error| (error, ExitCode::Broken))?;
    eprintln!("{} is written", args.out.display());
    let tell = |what: &str, came: bool| eprintln!("{:5} {what}", if came { "yes" } else { "no" });
    tell("it becomes ready", seen.ready);
    tell("it shows a card", seen.card.is_some());
    if let Some(turn) = seen.turn {
        tell("a turn comes to its reply", turn);
    }
    if let Some(error) = &seen.error {
        return Err((miette!("{}", one_line(error)), ExitCode::Broken));
    }
    let is_well = seen.ready && seen.turn.unwrap_or(true);
    let next = if is_well { "next" } else { "when it is mended" };
    eprintln!("{next}: gauntlet certify {}", args.out.display());
    Ok(if is_well { ExitCode::Pass } else { ExitCode::Nonconformance }.code())
}

/// What is known beforehand: by flags, and at a terminal by questions.
fn draft(args: &InitArgs) -> Result<Draft, Failure> {
    let asks = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let missing = |flag: &str| {
        (miette!(help = "at a terminal it is asked for", "expected {flag}; it is not given"), ExitCode::Usage)
    };
    let executor = match &args.executor {
        Some(executor) => executor.clone(),
        None if asks => ask("Which CLI is behind it (agy, claude_code, codex, opencode)?")?,
        None => return Err(missing("--executor")),
    };
    let command = match (&args.command, &args.url) {
        (Some(command), _) => command.clone(),
        (None, Some(_)) => String::new(),
        (None, None) if asks => {
            ask("By which command is it started? {port} and {token} stand for themselves:")?
        }
        (None, None) => return Err(missing("--command or --url")),
    };
    let pair = |option: &str, text: &String| match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err((miette!("{option}: expected NAME=VALUE; found {text:?}"), ExitCode::Usage)),
    };
    Ok(Draft {
        executor,
        command: words(&command),
        url: args.url.clone(),
        token_env: args.token_env.clone(),
        env: args.env.iter().map(|text| pair("--env", text)).collect::<Result<_, _>>()?,
        files: args.file.iter().map(|text| pair("--file", text)).collect::<Result<_, _>>()?,
        contents: Vec::new(),
        of_fleet: args.fleet,
        card: None,
    })
}

fn ask(question: &str) -> Result<String, Failure> {
    eprint!("{question} ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer).into_diagnostic();
    read.map_err(|error| (error, ExitCode::Usage))?;
    match answer.trim() {
        "" => Err((miette!("expected an answer; found none"), ExitCode::Usage)),
        answer => Ok(answer.to_owned()),
    }
}

/// The words of a command; quotes of either kind hold blanks together.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for sign in command.chars() {
        match (quote, sign) {
            (Some(open), sign) if sign == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(sign);
                word.get_or_insert_default();
            }
            (None, sign) if sign.is_whitespace() => words.extend(word.take()),
            (_, sign) => word.get_or_insert_default().push(sign),
        }
    }
    words.extend(word);
    words
}

/// Starts it once for its card, and once for a turn.
fn look(library: &Arc<Library>, draft: &Draft, out: &Path, here: PathBuf) -> Result<Smoke, Failure> {
    let text = draft.manifest(library);
    let foreign = Foreign::of(library, Source::File(out.to_path_buf()), &text, here, false);
    let foreign = Arc::new(foreign.map_err(|error| (Report::new(error), ExitCode::Usage))?);
    let binary = std::env::current_exe().into_diagnostic().wrap_err("the own binary cannot be found");
    let settings = Settings {
        binary: Some(binary.map_err(|error| (error, ExitCode::Broken))?),
        watchdog: foreign.watchdog(),
        ..Settings::default()
    };
    Ok(smoke(library, &foreign, &settings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_the_blanks_of_a_word() {
        assert_eq!(
            words("python3 'my receiver.py'  --name \"\""),
            ["python3", "my receiver.py", "--name", ""]
        );
    }
}
