//! Sanitising configured arguments (fleet sheet 3.0): those that the receiver manages itself are dropped.

/// Drops every flag whose name is forbidden, with the value that follows it. Gives what is left and what was dropped.
pub(crate) fn sanitised(flags: &[String], forbidden: &[&str]) -> (Vec<String>, Vec<String>) {
    let (mut kept, mut dropped) = (Vec::new(), Vec::new());
    let mut flags = flags.iter().peekable();
    while let Some(flag) = flags.next() {
        let name = flag.split('=').next().unwrap_or_default();
        if !forbidden.contains(&name) {
            kept.push(flag.clone());
            continue;
        }
        dropped.push(flag.clone());
        if !flag.contains('=')
            && let Some(value) = flags.next_if(|next| !next.starts_with('-'))
        {
            dropped.push(value.clone());
        }
    }
    (kept, dropped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_forbidden_flag_takes_its_value_with_it_in_both_spellings() {
        let (kept, dropped) =
            sanitised(&words("--keep 1 -s danger --sandbox=full --color never -x"), &["-s", "--sandbox"]);
        assert_eq!(kept, words("--keep 1 --color never -x"));
        assert_eq!(dropped, words("-s danger --sandbox=full"));
    }

    #[test]
    fn a_flag_after_a_forbidden_one_is_not_taken_for_its_value() {
        let (kept, _) = sanitised(&words("--ephemeral --json"), &["--ephemeral"]);
        assert_eq!(kept, words("--json"));
    }
}
