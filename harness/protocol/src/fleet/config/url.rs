//! What of a peer's address the rules look at: scheme and host.

use super::Rule;

/// Checks that an address is one of HTTP with a host.
pub(super) fn check(key: &str, url: &str) -> Result<(), Rule> {
    let (scheme, rest) = match url.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
        _ => (String::new(), url),
    };
    if scheme != "http" && scheme != "https" {
        return Err(Rule::Scheme { key: key.to_owned(), scheme, url: url.to_owned() });
    }
    let authority = rest.strip_prefix("//").unwrap_or_default();
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(literal) => literal.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err(Rule::Host { key: key.to_owned(), url: url.to_owned() });
    }
    Ok(())
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}
