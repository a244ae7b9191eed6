use proptest::prelude::*;

use super::*;
use crate::fleet::MODES;

fn peer(mode: &str, repo: &str, port: u16, with_token: bool) -> DeployedPeer {
    DeployedPeer {
        kind: Managed::of(mode).expect("a kind"),
        repo: repo.to_owned(),
        port,
        with_token,
        name: None,
    }
}

fn codex() -> DeployedPeer {
    peer("codex", "/srv/work/demo-repo", 9320, true)
}

fn done(text: &str, peer: &DeployedPeer) -> Edited {
    match upsert("fleet.yaml", text, peer) {
        Ok(edited) => edited,
        Err(error) => panic!("{error} in\n{text}"),
    }
}

const BY_HAND: &str = "\
# mine
fleet:
    server: {bind_port: 9219}   # the node

    agents:
        # who else
        other:   # a friend
            url: http://10.0.0.2:9219
        codex:
            url: \"http://127.0.0.1:9999\"   # moved
            description: >
                of
                old
            note: kept
            # the last word

    # about the agent
    agent: {timeout_s: 300}
";

#[test]
fn a_new_peer_goes_behind_the_others_and_nothing_else_moves() {
    let edited = done(BY_HAND, &peer("opencode", "/srv/work/demo-repo", 9310, true));
    assert_eq!((edited.action, edited.name.as_str()), (Action::Created, "opencode"));
    let new = "        opencode:
          url: http://127.0.0.1:9310
          agent_card_url: http://127.0.0.1:9310/.well-known/agent-card.json
          token_env: A2A_OC_TOKEN_DEMO_REPO_C34ACC6D9EF4
          managed: true
          mode: opencode
          repo_path: /srv/work/demo-repo
          description: \"OpenCode executor receiver (repo: /srv/work/demo-repo)\"
";
    assert_eq!(edited.text.replace(new, ""), BY_HAND);
    assert!(edited.text.contains(new), "{}", edited.text);
}

#[test]
fn a_peer_of_the_same_address_is_brought_up_to_date_in_its_place() {
    let edited = done(BY_HAND, &peer("codex", "/srv/work/demo-repo", 9999, false));
    assert_eq!((edited.action, edited.name.as_str()), (Action::Updated, "codex"));
    let expected = BY_HAND
        .replace(
            "description: >\n                of\n                old\n",
            "description: \"Codex CLI executor receiver (repo: /srv/work/demo-repo)\"\n",
        )
        .replace(
            "note: kept\n",
            "note: kept\n            agent_card_url: http://127.0.0.1:9999/.well-known/agent-card.json\n",
        );
    assert_eq!(edited.text, expected);
}

#[test]
fn a_second_edit_with_the_same_peer_finds_nothing_to_do() {
    for text in
        [BY_HAND, SCAFFOLD, "fleet: {server: {bind_port: 1}}", "fleet:\n  server: {bind_port: 1}\n  agents:"]
    {
        let once = done(text, &codex());
        assert_eq!(once.action, Action::Created);
        let twice = done(&once.text, &codex());
        assert_eq!((twice.action, twice.text), (Action::Unchanged, once.text));
    }
}

#[test]
fn a_peer_that_wants_no_bearer_any_more_loses_what_made_it_managed() {
    let managed = done(SCAFFOLD, &codex()).text.replace("mode: codex", "mode: codex # as deployed");
    let plain = done(&managed, &peer("codex", "/srv/work/demo-repo", 9320, false));
    assert_eq!((plain.action, plain.name.as_str()), (Action::Updated, "codex"));
    for key in ["token_env", "managed:", "mode:", "repo_path"] {
        assert!(!plain.text.contains(key), "{key} is still in\n{}", plain.text);
    }
    assert!(plain.text.contains("# as deployed"), "{}", plain.text);
    let again = done(&plain.text, &codex());
    assert_eq!((again.action, again.name.as_str()), (Action::Updated, "codex"));
}

#[test]
fn a_name_that_another_repository_has_is_left_to_it() {
    let one = done(SCAFFOLD, &codex()).text;
    let two = done(&one, &peer("codex", "/srv/other/My.Repo_2", 9321, true));
    assert_eq!((two.action, two.name.as_str()), (Action::Created, "codex-my-repo-2"));
    let three = done(&two.text, &peer("codex", "/srv/elsewhere/my-repo-2", 9322, true));
    assert_eq!((three.action, three.name.as_str()), (Action::Created, "codex-my-repo-2-2"));
    assert_eq!(
        done(&three.text, &peer("codex", "/srv/other/My.Repo_2", 9321, true)).action,
        Action::Unchanged
    );
}

#[test]
fn what_breaks_a_rule_or_is_written_too_strangely_is_refused_and_stays() {
    for text in [
        "fleet: {server: {bind_port: 1}, unknown: !!python/tuple [1]}",
        "fleet: []",
        "fleet: {server: {}}",
        "? fleet\n: {server: {bind_port: 1}}\n",
    ] {
        assert!(upsert("fleet.yaml", text, &codex()).is_err(), "{text}");
    }
}

#[test]
fn the_scaffold_keeps_the_rules() {
    let config = FleetConfig::parse("fleet.yaml", SCAFFOLD).expect("it keeps the rules");
    assert!(config.agents.is_empty() && config.server.bind_host == "127.0.0.1");
}

/// A comment, or nothing.
fn remark() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z:{}'\"]{1,8}".prop_map(|words| format!(" # {words}"))]
}

/// Lines that say nothing.
fn pause() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("\n".to_owned()),
        "[a-z: ]{1,8}".prop_map(|words| format!("      # {words}\n"))
    ]
}

fn style() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "codex:{r}\n{i}  url: 'http://127.0.0.1:9320'{r}\n{p}{i}  further: [1, {a: b}]\n",
        "codex: {url: 'http://127.0.0.1:9320', further: [x, '#'], mode: codex}{r}\n",
        "codex: {url: \"http://127.0.0.1:9320\",{r}\n{i}  managed: false, token_env: OLD,\n{i}  }\n",
        "codex:\n{i}    repo_path: /srv/work/demo-repo{r}\n{i}    url: http://h\n{i}    token_env:\n{i}      A2A_CODEX_TOKEN_DEMO_REPO_C34ACC6D9EF4\n{p}",
        "\"codex\": {url: http://127.0.0.1:1/x, description: \"Codex CLI executor receiver (repo: /srv/work/demo-repo)\"}\n{p}",
        "codex:\n{i}  url: http://10.0.0.9:1{r}\n{i}  repo_path: /srv/another\n{i}  notes: |\n{i}    # no comment\n{i}    codex: x\n",
        "other: {url: 'http://h:1'}{r}\n",
        "",
    ])
    .prop_map(str::to_owned)
}

prop_compose! {
    /// A file as people write them.
    fn file()(
        remarks in prop::collection::vec(remark(), 4), pauses in prop::collection::vec(pause(), 4),
        first in style(), wide in any::<bool>(), bare in any::<bool>(), ended in any::<bool>(), crlf in any::<bool>(),
    ) -> String {
        let step = if wide { "    " } else { "  " };
        let indent = step.repeat(2);
        let fill = |text: &str| {
            text.replace("{i}", &indent).replace("{r}", &remarks[0]).replace("{p}", &pauses[0])
        };
        let mut text = format!("{}fleet:{}\n{step}server: {{bind_port: 9219}}{}\n{}", pauses[1], remarks[1], remarks[2], pauses[2]);
        let has_peers = !first.is_empty();
        if has_peers || bare {
            text.push_str(&format!("{step}agents:{}\n", remarks[3]));
        } else {
            text.push_str(&format!("{step}agents: {{}}{}\n", remarks[3]));
        }
        if has_peers {
            text.push_str(&format!("{indent}friend:\n{indent}  url: http://10.0.0.2:9219\n{}", pauses[3]));
            text.push_str(&format!("{indent}{}", fill(&first)));
        }
        text.push_str(&pauses[3]);
        if ended {
            text.push_str(&format!("{step}agent: {{timeout_s: 300}}\n"));
        }
        if crlf { text.replace('\n', "\r\n") } else { text }
    }
}

/// The comments of a text, and the lines that say something of nobody that was edited.
fn comments(text: &str) -> Vec<String> {
    let comments = text.lines().filter_map(|line| {
        // The texts above have no sign of a comment in quotes but one, which has no space before it.
        let at = if line.trim_start().starts_with('#') {
            line.find('#')
        } else {
            line.find(" # ").map(|at| at + 1)
        };
        at.map(|at| line[at..].trim().to_owned())
    });
    let mut comments: Vec<String> = comments.collect();
    comments.sort();
    comments
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn after_any_edit_the_file_holds_the_peer_and_everything_that_was_there(
        text in file(), kind in 0..MODES.len(), with_token in any::<bool>(), port in 9300_u16..9400,
    ) {
        prop_assume!(FleetConfig::parse("fleet.yaml", &text).is_ok());
        let before = read::document(&text).expect("it was parsed");
        let peer = peer(MODES[kind].name, "/srv/work/demo-repo", port, with_token);
        let edited = done(&text, &peer);
        let after = read::document(&edited.text).expect("it parses");
        let entry = after["fleet"]["agents"][&edited.name].as_object().expect("the peer is there").clone();
        let wanted = wanted(&peer);
        for key in KEYS {
            prop_assert_eq!(entry.get(key), wanted.get(key), "{}", edited.text);
        }
        // Everything but the peer's own keys says what it said.
        let strip = |mut document: Value| {
            if let Some(agents) = document["fleet"]["agents"].as_object_mut() {
                if let Some(entry) = agents.get_mut(&edited.name).and_then(Value::as_object_mut) {
                    entry.retain(|key, _| !KEYS.contains(&key.as_str()));
                }
                agents.retain(|_, entry| entry.as_object().is_none_or(|entry| !entry.is_empty()));
            } else {
                document["fleet"]["agents"] = json!({});
            }
            document
        };
        prop_assert_eq!(strip(before), strip(after), "{}", edited.text);
        prop_assert_eq!(comments(&text), comments(&edited.text), "{}\nbecame\n{}", text, edited.text);
        let again = done(&edited.text, &peer);
        prop_assert_eq!((again.action, again.text), (Action::Unchanged, edited.text));
    }
}
