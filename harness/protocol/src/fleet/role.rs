//! How the role text reaches a CLI that has no flag for it.

/// The prompt as the opencode, codex and agy receivers pass it: role, blank line, prompt, both trimmed; the role alone
/// if the prompt is empty, the prompt alone if the role is (fact sheet 3.0).
pub fn with_role(role: &str, prompt: &str) -> String {
    match (role.trim(), prompt.trim()) {
        ("", prompt) => prompt.to_owned(),
        (role, "") => role.to_owned(),
        (role, prompt) => format!("{role}\n\n{prompt}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_and_prompt_are_joined_by_a_blank_line() {
        assert_eq!(with_role(" be brief \n", "\n add one()\n"), "be brief\n\nadd one()");
        assert_eq!(with_role("be brief", "  "), "be brief");
        assert_eq!(with_role("", " add one() "), "add one()");
    }
}
