//! `gauntlet completions` and `gauntlet man`.

use std::io::Write;
use std::path::Path;

use clap::{Command, CommandFactory};
use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::files;
use miette::{IntoDiagnostic, WrapErr};

use crate::Outcome;
use crate::args::{Args, CompletionsArgs, ManArgs};

pub(crate) fn completions(args: &CompletionsArgs) -> Outcome {
    let all = Args::command();
    // Shells offer also what is hidden, so that it has to be left out.
    let mut command = Command::new("gauntlet")
        .version(env!("CARGO_PKG_VERSION"))
        .args(all.get_arguments())
        .subcommands(all.get_subcommands().filter(|command| !command.is_hide_set()));
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command, "gauntlet", &mut text);
    let _ = std::io::stdout().lock().write_all(&text);
    Ok(ExitCode::Pass.code())
}

pub(crate) fn pages(args: &ManArgs) -> Outcome {
    let mut command = Args::command();
    command.build();
    write(&command, "gauntlet", &args.out).map_err(|report| (report, ExitCode::Broken))?;
    Ok(ExitCode::Pass.code())
}

/// Writes the page of a command and those of its subcommands, `gauntlet-run.1` for `gauntlet run`. What is hidden has none.
fn write(command: &Command, name: &str, out: &Path) -> miette::Result<()> {
    let page = clap_mangen::Man::new(command.clone()).title(name);
    let mut text = Vec::new();
    page.render(&mut text).into_diagnostic()?;
    let path = out.join(format!("{name}.1"));
    let written = files::write(&path, &text).into_diagnostic();
    written.wrap_err_with(|| format!("the page cannot be written to {}", path.display()))?;
    for subcommand in command.get_subcommands() {
        if !subcommand.is_hide_set() && subcommand.get_name() != "help" {
            write(subcommand, &format!("{name}-{}", subcommand.get_name()), out)?;
        }
    }
    Ok(())
}
