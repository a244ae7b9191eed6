//! Where in a file something stands that is wrong with a handler. The file is read a second time for it, since plain values have
//! no places; a file that keeps the rules is read once.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

/// A line and a column, counted from 1; or nothing, when it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position(Option<(u64, u64)>);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((line, column)) => write!(f, " (line {line}, column {column})"),
            None => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Document {
    fleet: Fleet,
}

#[derive(Deserialize)]
struct Fleet {
    #[serde(default)]
    response_handler: Option<Spanned<Value>>,
    #[serde(default)]
    handlers: Option<Spanned<Value>>,
    #[serde(default)]
    agents: Option<BTreeMap<String, Option<Agent>>>,
}

#[derive(Deserialize)]
struct Agent {
    #[serde(default)]
    response_handler: Option<Spanned<Value>>,
    #[serde(default)]
    allowed_handlers: Option<Spanned<Value>>,
}

#[derive(Deserialize)]
struct Registry {
    fleet: Registered,
}

#[derive(Deserialize)]
struct Registered {
    handlers: BTreeMap<String, Spanned<Value>>,
}

/// Where a value stands that is meant by its way from `fleet` on: `["agents", "alpha", "response_handler"]`.
pub(super) fn of(text: &str, way: &[&str]) -> Position {
    Position(look(text, way))
}

fn look(text: &str, way: &[&str]) -> Option<(u64, u64)> {
    let place = |found: &Spanned<Value>| (found.referenced.line(), found.referenced.column());
    if let ["handlers", name] = way
        && let Ok(Registry { fleet }) = read::<Registry>(text)
    {
        return fleet.handlers.get(*name).map(place);
    }
    let Document { fleet } = read(text).ok()?;
    match way {
        ["response_handler"] => fleet.response_handler.as_ref().map(place),
        ["handlers", ..] => fleet.handlers.as_ref().map(place),
        ["agents", peer, key] => {
            let agent = fleet.agents.as_ref()?.get(*peer)?.as_ref()?;
            let found =
                if *key == "allowed_handlers" { &agent.allowed_handlers } else { &agent.response_handler };
            found.as_ref().map(place)
        }
        _ => None,
    }
}

fn read<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, serde_saphyr::Error> {
    serde_saphyr::from_str_with_options(text, serde_saphyr::options! { with_snippet: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
fleet:
  response_handler: shout
  handlers:
    count: { command: [] }
  agents:
    alpha: {url: x, response_handler: shout}
    beta:
      allowed_handlers: [shout]
";

    #[test]
    fn a_place_is_told_as_line_and_column() {
        for (way, place) in [
            (&["response_handler"][..], " (line 2, column 21)"),
            (&["handlers"], " (line 4, column 5)"),
            (&["handlers", "count"], " (line 4, column 12)"),
            (&["agents", "alpha", "response_handler"], " (line 6, column 39)"),
            (&["agents", "beta", "allowed_handlers"], " (line 8, column 25)"),
            (&["agents", "gamma", "response_handler"], ""),
        ] {
            assert_eq!(of(TEXT, way).to_string(), place, "{way:?}");
        }
        assert_eq!(of("fleet: 5", &["response_handler"]), Position::default());
    }
}
