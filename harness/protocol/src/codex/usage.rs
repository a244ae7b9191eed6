//! What a turn cost.

use serde_json::Value;

/// Token counts of a completed turn. What a release does not print is unknown, never 0. Recorded resumed turns print
/// more than their first turn did: the counts look cumulative over the thread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read by the model.
    pub input_tokens: Option<u64>,
    /// Of these, tokens that came from a cache.
    pub cached_input_tokens: Option<u64>,
    /// Of these, tokens that were put into a cache; since 0.169.0 at the latest.
    pub cache_write_input_tokens: Option<u64>,
    /// Tokens written by the model.
    pub output_tokens: Option<u64>,
    /// Of these, tokens of its reasoning; since 0.135.0 at the latest.
    pub reasoning_output_tokens: Option<u64>,
}

impl Usage {
    /// Reads the `usage` member; whatever is no count is unknown.
    pub(super) fn read(usage: Option<&Value>) -> Usage {
        let count = |key| usage?.get(key)?.as_u64();
        Usage {
            input_tokens: count("input_tokens"),
            cached_input_tokens: count("cached_input_tokens"),
            cache_write_input_tokens: count("cache_write_input_tokens"),
            output_tokens: count("output_tokens"),
            reasoning_output_tokens: count("reasoning_output_tokens"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_absent_count_is_unknown_and_a_zero_is_zero() {
        let usage = Usage::read(Some(&json!({"input_tokens": 0, "output_tokens": "many"})));
        assert_eq!(usage, Usage { input_tokens: Some(0), ..Usage::default() });
        assert_eq!(Usage::read(None), Usage::default());
    }
}
