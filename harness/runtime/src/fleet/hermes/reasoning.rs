//! What is taken from an agent's reply before it is sent on: the reasoning that some gateways put in front of it.

const TITLE: &str = "💭 **Reasoning:**\n```";
const FENCE_AND_BLANK_LINE: &str = "```\n\n";

/// The reply without one leading block of reasoning. A block anywhere else is part of the reply.
pub(super) fn without_reasoning(reply: &str) -> &str {
    let rest = reply.strip_prefix(TITLE).and_then(|block| block.split_once(FENCE_AND_BLANK_LINE));
    rest.map_or(reply, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_block_at_the_very_start_is_taken() {
        let block = "💭 **Reasoning:**\n```\nfirst\n\nthen ``` so\n```\n\n";
        assert_eq!(without_reasoning(&format!("{block}42")), "42");
        assert_eq!(without_reasoning(&format!("{block}{block}42")), format!("{block}42"));
        for whole in [
            "42",
            "",
            &format!("So: {block}42"),
            "💭 **Reasoning:**\n```\nno end",
            "💭 Reasoning:\n```\n```\n\nx",
        ] {
            assert_eq!(without_reasoning(whole), whole);
        }
    }
}
