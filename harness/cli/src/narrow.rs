//! The flags that narrow a run down, against the data.

use gauntlet_engine::data::Library;
use gauntlet_engine::exit::ExitCode;
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::narrow::{AskedRows, Crossing, FailedIn, Narrow, Rows};
use miette::{Report, miette};

use crate::args::NarrowArgs;

/// What the flags say. Names that nothing has are mistakes.
pub(crate) fn narrow(library: &Library, args: &NarrowArgs) -> Result<Narrow, (Report, ExitCode)> {
    fn usage<E: miette::Diagnostic + Send + Sync + 'static>(error: E) -> (Report, ExitCode) {
        (Report::new(error), ExitCode::Usage)
    }
    let asked = AskedRows {
        requirements: args.requirement.clone(),
        classes: args.class.clone(),
        levels: args.level.clone(),
        roles: args.role.clone(),
    };
    let failed_in = args.failed_in.as_ref().map(|path| FailedIn::read(library, path)).transpose();
    Ok(Narrow {
        rows: Rows::of(library, &asked).map_err(usage)?,
        failed_in: failed_in.map_err(usage)?.map(Into::into),
        crossing: Crossing::of(library, &args.quirks).map_err(usage)?,
        shard: args.shard,
    })
}

/// What to say when nothing was selected: what was asked for, and the nearest that there is.
pub(crate) fn nothing(library: &Library, selection: &Selection, args: &NarrowArgs) -> Report {
    let each = |option: &str, values: &[String]| {
        values.iter().map(|value| format!("{option} {value}")).collect::<Vec<String>>()
    };
    let mut asked: Vec<String> =
        selection.only.iter().map(|pattern| format!("--only {}", pattern.text())).collect();
    asked.extend(each("--executor", &selection.executors));
    asked.extend(each("--version", &selection.versions));
    if !selection.is_reference() {
        asked.push(format!("--release {}", selection.release));
    }
    if let [lane] = selection.lanes.as_slice() {
        asked.push(format!("--lane {lane}"));
    }
    asked.extend(each("--requirement", &args.requirement));
    asked.extend(each("--class", &args.class));
    asked.extend(each("--level", &args.level));
    asked.extend(each("--role", &args.role));
    asked.extend(args.failed_in.iter().map(|file| format!("--failed-in {}", file.display())));
    asked.extend(each("--quirks", &args.quirks));
    asked.extend(args.shard.map(|shard| format!("--shard {shard}")));
    let unlike = selection.only.iter().find_map(|pattern| pattern.nothing_like_it(library));
    let help = match (unlike, &args.failed_in) {
        (Some(unlike), _) => match unlike.help.clone() {
            Some(help) => format!("{unlike}; {help}"),
            None => unlike.to_string(),
        },
        (None, Some(_)) if selection.narrow.failed_in.as_ref().is_some_and(|before| before.cells.is_empty()) => {
            "no cell of that run failed where nobody expected it".to_owned()
        }
        _ => "`*` stands for anything within a component of an id, `**` goes across: --only 'fleet/*', --only '**~real'".to_owned(),
    };
    miette!(help = help, "nothing was selected: no cell is of {}", asked.join(" "))
}
