//! Where the reply to a task goes, and that it goes nowhere else than to its sender.

use serde_json::{Map, Value};

use crate::error::ParseError;
use crate::fields::Fields;
use crate::fleet::ContextId;

/// Longest context and longest address, in bytes.
const LONGEST: usize = 1024;

/// Another context, another path of the sender's own, or both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplyTo {
    /// The context that the reply names; that of the dispatch when absent.
    pub context: Option<ContextId>,
    /// The address that is called; the configured one when absent.
    pub url: Option<String>,
}

impl ReplyTo {
    pub(super) fn read(fields: &Fields<'_>) -> Result<ReplyTo, ParseError> {
        fields.only(&["context", "url"])?;
        let text = |key: &str, expected: &str| match fields.get(key) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() && text.len() <= LONGEST => Ok(Some(text.clone())),
            Some(_) => Err(fields.wrong(key, expected)),
        };
        let context = text("context", "a contextId of 1 to 1024 bytes")?.and_then(ContextId::new);
        let url = text("url", "an address of 1 to 1024 bytes")?;
        if context.is_none() && url.is_none() {
            return Err(fields.wrong("context", "a context or a url"));
        }
        if let Some(url) = &url
            && Place::of(url).is_none()
        {
            return Err(
                fields.wrong("url", "http://HOST[:PORT]/PATH of plain names, with nothing else in it")
            );
        }
        Ok(ReplyTo { context, url })
    }

    pub(super) fn to_value(&self) -> Value {
        let mut map = Map::new();
        if let Some(context) = &self.context {
            map.insert("context".to_owned(), Value::from(context.as_str()));
        }
        if let Some(url) = &self.url {
            map.insert("url".to_owned(), Value::from(url.as_str()));
        }
        Value::Object(map)
    }

    /// Why the address leads elsewhere than to `own` or to a path below it, if it does. Names are compared as they are written:
    /// two names of one machine are two origins.
    pub fn leads_out(&self, own: &str) -> Option<ParseError> {
        let url = self.url.as_deref()?;
        let is_below = match (Place::of(url), Place::of(own)) {
            (Some(asked), Some(own)) => asked.is_below(&own),
            _ => false,
        };
        (!is_below)
            .then(|| ParseError::new("task", "/reply_to/url", format!("{own}, or a path below it"), url))
    }
}

/// An address without any of the things that hide where it leads.
#[derive(Debug, PartialEq, Eq)]
struct Place<'a> {
    host: String,
    port: u16,
    path: Vec<&'a str>,
}

impl<'a> Place<'a> {
    /// Reads `http://HOST[:PORT]/PATH`. Nothing for userinfo, queries, fragments, escapes, dots, empty names and backslashes.
    fn of(url: &'a str) -> Option<Self> {
        let (authority, path) = url.strip_prefix("http://")?.split_once('/')?;
        let (host, port) = match authority.rsplit_once(':') {
            // Inside of brackets a colon is part of the address.
            Some((host, port)) if !port.ends_with(']') => (host, plain_port(port)?),
            _ => (authority, 80),
        };
        let is_host = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').is_some_and(|inner| {
                !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':')
            }),
            None => {
                !host.is_empty()
                    && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
            }
        };
        let path: Vec<&str> = path.split('/').collect();
        (is_host && path.iter().all(|name| is_plain(name))).then(|| Self {
            host: host.to_ascii_lowercase(),
            port,
            path,
        })
    }

    fn is_below(&self, own: &Place<'_>) -> bool {
        self.host == own.host && self.port == own.port && self.path.starts_with(&own.path)
    }
}

fn plain_port(text: &str) -> Option<u16> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}

/// Whether a path is `own` or one below it, as [`ReplyTo::url`] may name it.
pub fn takes_replies(path: &str, own: &str) -> bool {
    let below = path.strip_prefix(own).and_then(|rest| rest.strip_prefix('/'));
    path == own || below.is_some_and(|below| below.split('/').all(is_plain))
}

/// Whether a name of a path means itself everywhere.
fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "http://127.0.0.1:9219/jsonrpc";

    fn leads_out(url: &str) -> bool {
        ReplyTo { context: None, url: Some(url.to_owned()) }.leads_out(OWN).is_some()
    }

    #[test]
    fn its_own_address_and_paths_below_it_are_the_senders() {
        for url in [OWN, "http://127.0.0.1:9219/jsonrpc/replies", "http://127.0.0.1:9219/jsonrpc/a/b-1_2.x~y"]
        {
            assert!(!leads_out(url), "{url}");
        }
    }

    #[test]
    fn everything_else_leads_out() {
        for url in [
            "http://127.0.0.2:9219/jsonrpc",
            "http://localhost:9219/jsonrpc",
            "http://127.0.0.1:9220/jsonrpc",
            "http://127.0.0.1/jsonrpc",
            "https://127.0.0.1:9219/jsonrpc",
            "HTTP://127.0.0.1:9219/jsonrpc",
            "ftp://127.0.0.1:9219/jsonrpc",
            "//127.0.0.1:9219/jsonrpc",
            "/jsonrpc",
            "http://127.0.0.1:9219/",
            "http://127.0.0.1:9219",
            "http://127.0.0.1:9219/other",
            "http://127.0.0.1:9219/jsonrpcx",
            "http://127.0.0.1:9219/jsonrpc/../admin",
            "http://127.0.0.1:9219/jsonrpc/./x",
            "http://127.0.0.1:9219/jsonrpc//x",
            "http://127.0.0.1:9219/jsonrpc/",
            "http://127.0.0.1:9219/jsonrpc/%2e%2e/admin",
            "http://127.0.0.1:9219/jsonrpc\\..\\admin",
            "http://127.0.0.1:9219/jsonrpc?next=http://evil/",
            "http://127.0.0.1:9219/jsonrpc#x",
            "http://127.0.0.1:9219@evil/jsonrpc",
            "http://user:pass@127.0.0.1:9219/jsonrpc",
            "http://evil#@127.0.0.1:9219/jsonrpc",
            "http://127.0.0.1:9219/jsonrpc\n",
            " http://127.0.0.1:9219/jsonrpc",
            "http://127.0.0.1:09219x/jsonrpc",
            "http://127.0.0.1:+9219/jsonrpc",
            "http://127.0.0.1:99219/jsonrpc",
            "http://127.0.0.1.:9219/jsonrpc",
            "http://2130706433:9219/jsonrpc",
            "http://[::1]:9219/jsonrpc",
            "http://:9219/jsonrpc",
        ] {
            assert!(leads_out(url), "{url}");
        }
    }

    #[test]
    fn a_node_takes_replies_where_its_tasks_may_ask_for_them() {
        for path in ["/jsonrpc", "/jsonrpc/replies", "/jsonrpc/a/b"] {
            assert!(takes_replies(path, "/jsonrpc"), "{path}");
        }
        for path in ["/", "/jsonrpcx", "/jsonrpc/", "/jsonrpc//a", "/jsonrpc/../a", "/rpc"] {
            assert!(!takes_replies(path, "/jsonrpc"), "{path}");
        }
    }

    #[test]
    fn nothing_is_below_an_address_that_hides_where_it_leads() {
        let reply_to = ReplyTo { context: None, url: Some(OWN.to_owned()) };
        assert!(reply_to.leads_out("http://127.0.0.1:9219/jsonrpc?x").is_some());
        assert!(ReplyTo::default().leads_out(OWN).is_none(), "who names no address gets the configured one");
        let six = ReplyTo { context: None, url: Some("http://[::1]/a/b".to_owned()) };
        assert!(six.leads_out("http://[::1]:80/a").is_none());
    }
}
