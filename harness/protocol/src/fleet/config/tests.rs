use super::*;

const PLAIN: &str = "\
fleet:
  response_handler: ' agent '
  server: {bind_port: 9219, token_env: A2A_NODE}
  self: {name: switch}
  agent: {timeout_s: 300}
  unknown: [1, 2]
  agents:
    other: {url: 'http://10.0.0.2:9219', token_env: A2A_OTHER, further: true}
    codex:
      url: http://127.0.0.1:9320
      managed: true
      mode: codex
      repo_path: /srv/work/demo-repo
      token_env: A2A_CODEX_TOKEN_DEMO_REPO_C34ACC6D9EF4
";

fn parse(text: &str) -> Result<FleetConfig, ConfigError> {
    FleetConfig::parse("/h/fleet.yaml", text)
}

fn message(text: &str) -> String {
    match parse(text) {
        Ok(config) => panic!("{text} was taken as {config:?}"),
        Err(error) => error.to_string(),
    }
}

fn with_peer(peer: &str) -> String {
    format!("fleet: {{server: {{bind_port: 1}}, agents: {{p: {peer}}}}}")
}

#[test]
fn a_file_says_what_it_says_and_the_rest_has_its_defaults() {
    let config = parse(PLAIN).expect("a file that keeps the rules");
    assert!(config.enabled && config.server.auth_required);
    assert_eq!(config.response_handler, Handler::Agent);
    assert_eq!((config.server.bind_host.as_str(), config.server.bind_port), ("127.0.0.1", 9219));
    assert_eq!(config.server.token_env.as_deref(), Some("A2A_NODE"));
    assert_eq!(config.name.as_deref(), Some("switch"));
    assert_eq!((config.llm.max_tokens, config.llm.temperature), (2048, 0.7));
    assert_eq!(config.agents.keys().collect::<Vec<_>>(), ["codex", "other"]);
    assert_eq!(config.agents["other"].managed_at(), None);
    let (kind, repo) = config.agents["codex"].managed_at().expect("managed");
    assert_eq!((kind.mode, repo), ("codex", "/srv/work/demo-repo"));
    assert_eq!(config.warnings(), Vec::<String>::new());
    let least = parse("fleet: {server: {bind_port: 9219}, agents: }").expect("the least");
    assert_eq!((least.response_handler, least.agents.len()), (Handler::Echo, 0));
    assert_eq!(least.agent.timeout_s, 120.0);
}

#[test]
fn every_broken_rule_is_told_in_the_product_lines_words() {
    for (text, told) in [
        ("fleet: []", "expected top-level 'fleet:' mapping, got list"),
        ("other: 1", "expected top-level 'fleet:' mapping, got NoneType"),
        ("- 1", "expected top-level 'fleet:' mapping, got list"),
        ("", "expected top-level 'fleet:' mapping, got NoneType"),
        ("fleet: {server: {bind_port: '9219'}}", "fleet.server.bind_port must be an integer, got '9219'"),
        ("fleet: {server: {bind_port: 1.5}}", "fleet.server.bind_port must be an integer, got 1.5"),
        ("fleet: {server: {bind_port: 1}, agents: [a]}", "expected 'fleet.agents:' mapping, got list"),
        ("fleet: {server: [], agents: {}}", "expected 'fleet.server:' mapping, got list"),
        (
            "fleet: {server: {bind_port: 1, auth_required: sure}}",
            "fleet.server.auth_required must be a boolean, got 'sure'",
        ),
    ] {
        assert_eq!(message(text), format!("/h/fleet.yaml: {told}"));
    }
    assert!(
        message("fleet: {server: {}}")
            .starts_with("/h/fleet.yaml: fleet.server.bind_port is required (no default")
    );
    for (peer, told) in [
        ("7", "fleet.agents.p must be a mapping, got int"),
        (
            "{managed: 'false', url: 'http://h'}",
            "fleet.agents.p.managed must be a boolean (true/false), got str 'false'",
        ),
        ("{managed: 1, url: 'http://h'}", "fleet.agents.p.managed must be a boolean (true/false), got int 1"),
        ("{token_env: X}", "fleet.agents.p.url is required"),
        ("{url: ''}", "fleet.agents.p.url is required"),
        ("{url: 'ftp://h'}", "fleet.agents.p.url scheme must be http or https, got 'ftp' in 'ftp://h'"),
        ("{url: 'h'}", "fleet.agents.p.url scheme must be http or https, got '' in 'h'"),
        ("{url: 'http://'}", "fleet.agents.p.url must have a valid host in 'http://'"),
        ("{url: 'http://:9320/x'}", "fleet.agents.p.url must have a valid host in 'http://:9320/x'"),
        (
            "{url: 'http://h', agent_card_url: 'file:///card'}",
            "fleet.agents.p.agent_card_url scheme must be http or https, got 'file' in 'file:///card'",
        ),
    ] {
        assert_eq!(message(&with_peer(peer)), format!("/h/fleet.yaml: {told}"));
    }
    let told = "response_handler 'shout' not supported, only ['agent', 'echo', 'llm'] are implemented. (line 1, column 27)";
    assert_eq!(message("fleet: {response_handler: ' shout', server: {bind_port: 1}}"), told);
}

#[test]
fn a_tag_of_a_language_is_refused_wherever_it_stands() {
    for text in [
        "fleet: !!python/object/apply:os.system ['true']",
        "fleet: {server: {bind_port: 1}, unknown: !!python/name:os.system }",
        "!!python/tuple [1]",
        "fleet: {server: {bind_port: !port 1}}",
    ] {
        assert!(message(text).starts_with("/h/fleet.yaml: not a plain YAML document: "), "{}", message(text));
    }
}

#[test]
fn texts_that_are_no_yaml_are_one_error_and_no_panic() {
    for text in ["fleet: {", "\t- :", "fleet: {server: {bind_port: 1}}\nfleet: 2", "a: &x\n  - *x\n", "\0"] {
        assert!(message(text).starts_with("/h/fleet.yaml: "), "{}", message(text));
    }
}

#[test]
fn a_managed_peer_must_name_the_variable_that_its_real_repository_stands_for() {
    let config = parse(PLAIN).expect("a file that keeps the rules");
    let fails =
        |config: &FleetConfig| config.check_token_names("/h/fleet.yaml", |repo| format!("{repo}/real"));
    let same = config.check_token_names("/h/fleet.yaml", str::to_owned);
    assert_eq!(same, Ok(()));
    let told = fails(&config).expect_err("another repository").to_string();
    let start = "/h/fleet.yaml: managed codex peer codex: token_env must be A2A_CODEX_TOKEN_REAL_";
    assert!(told.starts_with(start), "{told}");
    let end = "for repo /srv/work/demo-repo/real (got 'A2A_CODEX_TOKEN_DEMO_REPO_C34ACC6D9EF4')";
    assert!(told.ends_with(end), "{told}");
    let mut without = config.clone();
    without.agents.get_mut("codex").expect("the peer").token_env = None;
    assert!(fails(&without).expect_err("no name").to_string().ends_with("(got None)"));
    // A mode that nobody knows is no rule's business.
    without.agents.get_mut("codex").expect("the peer").mode = Some("hal".to_owned());
    assert_eq!(fails(&without), Ok(()));
}

#[test]
fn an_agent_that_gives_up_before_its_executor_is_only_warned_of() {
    let config = parse(&PLAIN.replace("300", "299.5")).expect("allowed");
    assert_eq!(
        config.warnings(),
        ["fleet.agent.timeout_s is 299.5, and managed peer codex may take 300 s and more"]
    );
}
