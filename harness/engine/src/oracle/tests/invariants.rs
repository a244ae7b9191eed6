//! Every invariant holding, failing, and not to be judged.

use gauntlet_reports::Verdict::{Fail, Inconclusive, NotExercised, Pass};
use gauntlet_simulators::stage::{Ending, Invocation, Purpose};
use serde_json::json;

use super::{PLAIN, Story, answer, answers, callback, refused, taken};
use crate::oracle::{Memory, open_dispatches};
use crate::trace::{Blob, FileSeen, What};

#[test]
fn nothing_observed_is_nothing_exercised() {
    let story = Story::new();
    for number in 1..=7 {
        assert_eq!(story.verdict(&format!("FLEET-INV-0{number}")), NotExercised, "FLEET-INV-0{number}");
    }
}

#[test]
fn a_dispatch_starts_its_cli_once() {
    let one = || Story::new().dispatched("d", "c", true).turn("d", 100, Some("s")).left(100, "");
    assert_eq!(one().verdict("FLEET-INV-01"), Pass);
    assert_eq!(one().turn("d", 101, Some("s")).verdict("FLEET-INV-01"), Fail);
    assert_eq!(one().turn("other", 101, Some("s")).verdict("FLEET-INV-01"), Pass);
    // A dead session is replaced, once, and only by a new one.
    let dead = || Story::new().dispatched("d", "c", true).turn("d", 100, Some("s")).left_from(100, "", None);
    assert_eq!(dead().turn("d", 101, None).verdict("FLEET-INV-01"), Pass);
    assert_eq!(dead().turn("d", 101, Some("s")).verdict("FLEET-INV-01"), Fail);
    assert_eq!(dead().turn("d", 101, None).turn("d", 102, None).verdict("FLEET-INV-01"), Fail);
    // Not dead is what ran on its session, what answered, and what was killed.
    assert_eq!(one().turn("d", 101, None).verdict("FLEET-INV-01"), Fail);
    let resumed = || Story::new().dispatched("d", "c", true).turn("d", 100, Some("s"));
    let answered = resumed().left_from(100, &answers("done"), None).turn("d", 101, None);
    assert_eq!(answered.verdict("FLEET-INV-01"), Fail);
    assert_eq!(resumed().turn("d", 101, None).verdict("FLEET-INV-01"), Fail);
    let new_twice = Story::new().turn("d", 100, None).turn("d", 101, None);
    assert_eq!(new_twice.verdict("FLEET-INV-01"), Fail);
    let backwards = Story::new().turn("d", 100, None).turn("d", 101, Some("s"));
    assert_eq!(backwards.verdict("FLEET-INV-01"), Fail);
    // Questions for the version, and turns of nobody's dispatch, are not counted.
    let others = Story::new().invoked(None, 100, Purpose::Probe).invoked(Some("d"), 101, Purpose::Probe);
    assert_eq!(others.verdict("FLEET-INV-01"), NotExercised);
}

#[test]
fn a_finding_points_at_its_evidence() {
    let story = Story::new().dispatched("d", "c", true).turn("d", 100, None).turn("d", 101, None);
    let findings = &story.judged()["FLEET-INV-01"].findings;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].trace, [2, 3]);
}

#[test]
fn every_accepted_dispatch_has_one_outcome() {
    let asked = || Story::new().dispatched("d", "c", true);
    assert_eq!(asked().verdict("FLEET-INV-02"), Fail, "missing");
    assert_eq!(asked().called("1", "c", &taken()).verdict("FLEET-INV-02"), Pass);
    let elsewhere = asked().called("1", "other", &taken());
    assert_eq!(elsewhere.verdict("FLEET-INV-02"), Inconclusive, "it is its context that is wrong");
    assert_eq!(
        asked().transcript("c", 1).verdict("FLEET-INV-02"),
        Fail,
        "Hermes was there, and heard nothing"
    );
    let refusing = asked().called("1", "c", &refused()).transcript("c", 1);
    assert_eq!(refusing.verdict("FLEET-INV-02"), Pass, "Hermes would not take it");
    let away = asked().see(What::Killed { host: "runtime".to_owned() }).transcript("c", 1);
    assert_eq!(away.verdict("FLEET-INV-02"), Pass, "nobody was there to hear it");
    assert_eq!(asked().transcript("c", 0).verdict("FLEET-INV-02"), Fail, "an acknowledgement is none");
    let unheard_of = || Story::new().dispatched("d", "c", false);
    assert_eq!(
        unheard_of().transcript("c", 1).verdict("FLEET-INV-02"),
        Pass,
        "it was taken, and ended in the turn"
    );
    assert_eq!(unheard_of().transcript("c", 2).verdict("FLEET-INV-02"), Fail);
    let repeated = asked().called("1", "c", &answer(500, "")).called("1", "c", &taken());
    assert_eq!(repeated.verdict("FLEET-INV-02"), Pass, "attempts with one id are one outcome");
    let doubled = asked().called("1", "c", &taken()).called("2", "c", &taken());
    assert_eq!(doubled.verdict("FLEET-INV-02"), Fail, "two ids");
    assert_eq!(
        asked().called("1", "c", &taken()).transcript("c", 2).verdict("FLEET-INV-02"),
        Fail,
        "two records"
    );
    let two = || asked().dispatched("e", "c", true).called("1", "c", &taken());
    assert_eq!(two().verdict("FLEET-INV-02"), Fail, "one of two");
    assert_eq!(two().called("2", "c", &taken()).verdict("FLEET-INV-02"), Pass);
}

#[test]
fn an_outcome_is_that_of_the_dispatch_whose_answer_it_tells() {
    let two = || {
        Story::new()
            .dispatched("d", "c", true)
            .dispatched("e", "c", true)
            .turn("d", 100, None)
            .left(100, &answers("of d"))
            .turn("e", 101, None)
            .left(101, &answers("of e"))
    };
    let said = |texts: [&str; 2]| {
        let story = two().called_with("1", "c", texts[0], &taken()).called_with("2", "c", texts[1], &taken());
        story.verdict("FLEET-INV-02")
    };
    assert_eq!(said(["of d", "of e"]), Pass);
    assert_eq!(said(["of e", "of d"]), Pass);
    assert_eq!(said(["of d", "[error] interrupted"]), Pass, "a failure can be anybody's");
    assert_eq!(said(["of d", "of d"]), Fail, "one twice and one never");
    let findings = &two().called_with("1", "c", "of d", &taken()).judged()["FLEET-INV-02"].findings;
    assert!(findings[0].observed.contains("without an outcome: e"), "{findings:?}");
    // What another conversation's turn answered does not belong here.
    let other = || Story::new().dispatched("d", "c", true).dispatched("e", "x", true);
    let other =
        || other().turn("e", 101, None).left(101, &answers("of e")).called_with("1", "x", "of e", &taken());
    assert_eq!(other().called_with("2", "c", "[error] x", &taken()).verdict("FLEET-INV-02"), Pass);
    assert_eq!(other().called_with("2", "c", "of e", &taken()).verdict("FLEET-INV-02"), Fail, "it leaked");
    // A turn of which it is not known whose it is can be anybody's.
    let nobodys = two().invoked(None, 102, Purpose::Turn { prompt: "?".to_owned(), session: None });
    let nobodys = nobodys.left(102, &answers("of d"));
    let nobodys = nobodys.called_with("1", "c", "of d", &taken()).called_with("2", "c", "of d", &taken());
    assert_eq!(nobodys.verdict("FLEET-INV-02"), Pass);
}

#[test]
fn a_cli_that_lost_the_end_of_its_session_with_the_power_answers_behind_what_it_kept() {
    let told = |between: What| {
        let story = Story::by_agy().dispatched("d", "c", true).turn("d", 100, None).left(100, "first\n");
        let story = story.called_with("1", "c", "first", &taken()).dispatched("e", "c", true);
        let story = story.turn("e", 101, Some("s")).left(101, "first\nlong\n").see(between);
        let story = story.dispatched("f", "c", true).turn("f", 102, Some("s")).left(102, "first\nok\n");
        // Another context's turn said the same.
        let story = story.dispatched("g", "x", true).turn("g", 103, None).left_from(103, "ok\n", Some("t"));
        let story = story.called_with("2", "x", "ok", &taken());
        story.called_with("3", "c", "[interrupted]", &taken()).called_with("4", "c", "ok", &taken())
    };
    assert_eq!(told(What::PowerCut).verdict("FLEET-INV-02"), Pass);
    // Without that nothing was lost, and it says more than one answer.
    assert_eq!(told(What::Killed { host: "receiver".to_owned() }).verdict("FLEET-INV-02"), Fail);
}

#[test]
fn an_unacknowledged_dispatch_may_have_an_outcome_and_need_not() {
    let unclear = || Story::new().dispatched("d", "c", false);
    assert_eq!(unclear().verdict("FLEET-INV-02"), Pass);
    assert_eq!(unclear().called("1", "c", &taken()).verdict("FLEET-INV-02"), Pass);
    let doubled = unclear().called("1", "c", &taken()).called("2", "c", &taken());
    assert_eq!(doubled.verdict("FLEET-INV-02"), Fail);
}

#[test]
fn what_a_receiver_that_is_gone_still_owes_is_unclear_and_what_it_overdid_is_not() {
    let ends = [
        What::Ended { host: "receiver".to_owned(), code: 0 },
        What::Killed { host: "receiver".to_owned() },
        What::PowerCut,
    ];
    for end in ends {
        let asked = || Story::new().dispatched("d", "c", true);
        let gone = asked().see(end.clone());
        assert_eq!(gone.verdict("FLEET-INV-02"), Inconclusive, "{end:?}");
        let doubled = asked().called("1", "c", &taken()).called("2", "c", &taken()).see(end.clone());
        assert_eq!(doubled.verdict("FLEET-INV-02"), Fail, "{end:?}");
        let back = asked().see(end.clone()).see(What::Ready { host: "receiver".to_owned() });
        assert_eq!(back.verdict("FLEET-INV-02"), Fail, "{end:?}: it is back and says nothing");
        let other = asked().see(What::Killed { host: "runtime".to_owned() });
        assert_eq!(other.verdict("FLEET-INV-02"), Fail, "{end:?}");
    }
    // The harness stops it at the very end: it had its time. As a step of the scenario it had not.
    let ended = What::Ended { host: "receiver".to_owned(), code: 0 };
    let at_the_end = Story::new().dispatched("d", "c", true).stopped("receiver").see(ended.clone());
    assert_eq!(at_the_end.verdict("FLEET-INV-02"), Fail);
    let result = What::Result { step: "1".to_owned(), value: serde_json::Value::Null };
    let as_a_step = Story::new().dispatched("d", "c", true).stopped("receiver").see(ended).see(result);
    assert_eq!(as_a_step.verdict("FLEET-INV-02"), Inconclusive);
}

#[test]
fn a_dispatch_is_open_until_its_outcome_is_seen() {
    let open = |story: &Story| open_dispatches(&story.observations, &story.names, &Memory::default());
    assert!(!open(&Story::new()));
    assert!(!open(&Story::new().dispatched("d", "c", false)));
    let asked = Story::new().dispatched("d", "c", true);
    assert!(open(&asked));
    assert!(!open(&asked.called("1", "c", &refused())));
}

#[test]
fn what_was_read_of_a_trace_before_changes_nothing() {
    let story = Story::new()
        .dispatched("one", "c", true)
        .dispatched("two", "d", true)
        .turn("one", 5, None)
        .left(5, &answers("done"))
        .called("1", "c", &refused())
        .turn("two", 6, Some("s"))
        .left(6, &answers("else"))
        .transcript("c", 1)
        .stopped("runtime")
        .transcript("d", 1)
        .called_with("2", "d", "else", &taken());
    let memory = Memory::default();
    let open: Vec<bool> = (0..=story.observations.len())
        .map(|many| {
            let seen = &story.observations[..many];
            let fresh = open_dispatches(seen, &story.names, &Memory::default());
            assert_eq!(open_dispatches(seen, &story.names, &memory), fresh, "after {many} observations");
            fresh
        })
        .collect();
    assert_eq!((open.contains(&true), open.last()), (true, Some(&false)), "{open:?}");
}

#[test]
fn a_bearer_is_found_where_a_file_grows_over_it() {
    let story = Story::new();
    let token = story.names.token.clone();
    let grown = |to: usize| format!("a line\n{}", &token[..to]);
    let story = story.file("repo/log", Some(&grown(9))).file("repo/log", Some(&grown(token.len() - 1)));
    assert_eq!(story.verdict("FLEET-INV-06"), Pass);
    assert_eq!(story.file("repo/log", Some(&grown(token.len()))).verdict("FLEET-INV-06"), Fail);
}

#[test]
fn callbacks_name_who_asked() {
    let asked = || Story::new().dispatched("d", "c", true);
    assert_eq!(asked().called("1", "c", &taken()).verdict("FLEET-INV-03"), Pass);
    assert_eq!(asked().called("1", "other", &taken()).verdict("FLEET-INV-03"), Fail);
    let garbage = "POST /jsonrpc HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(asked().called_back(garbage, "").verdict("FLEET-INV-03"), Fail, "no context at all");
    assert_eq!(asked().called_back("garbage", "").verdict("FLEET-INV-03"), Fail);
    // Who named no context and heard nothing, or was only told the text of an answer, cannot know which one was made up.
    let unnamed = |acknowledged| {
        let dispatch = What::Dispatched { dispatch: "d".to_owned(), context: None, acknowledged };
        Story::new().see(dispatch).called_back(&callback("1", "anon-5", "x"), &taken())
    };
    assert_eq!(unnamed(false).verdict("FLEET-INV-03"), Pass);
    assert_eq!(unnamed(true).verdict("FLEET-INV-03"), Pass);
    // So it is with a request of the story's own, that got no answer and named none.
    let alone = |context: &str, answer: &str| {
        let body = format!(r#"{{"params":{{"message":{{"contextId":"{context}"}}}}}}"#);
        let sent = format!("POST /jsonrpc HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let exchange = What::Exchange {
            step: "1".to_owned(),
            sent: Blob(sent.into_bytes()),
            received: Blob(answer.as_bytes().to_vec()),
        };
        Story::new().see(exchange).called_back(&callback("1", "anon-5", "x"), &taken())
    };
    assert_eq!(alone("", "").verdict("FLEET-INV-03"), Pass);
    assert_eq!(alone("named", "").verdict("FLEET-INV-03"), Fail);
    assert_eq!(alone("", &taken()).verdict("FLEET-INV-03"), Fail, "the answer named it");
    let another = alone("", "").called_back(&callback("2", "anon-6", "x"), &taken());
    assert_eq!(another.verdict("FLEET-INV-03"), Fail, "one request made up one context");
    let odd = Story::new()
        .see(What::Dispatched { dispatch: "d".to_owned(), context: None, acknowledged: false })
        .called_back(&callback("1", "somebody", "x"), &taken());
    assert_eq!(odd.verdict("FLEET-INV-03"), Fail);
}

#[test]
fn what_the_node_took_is_delivered_once_and_to_the_context_that_it_names() {
    let asked = || Story::new().dispatched("d", "c", true);
    assert_eq!(asked().called("1", "c", &taken()).delivered("1", "c").verdict("FLEET-INV-04"), Pass);
    assert_eq!(asked().called("1", "c", &taken()).verdict("FLEET-INV-04"), Fail, "taken and lost");
    let twice = asked().called("1", "c", &taken()).delivered("1", "c").delivered("1", "c");
    assert_eq!(twice.verdict("FLEET-INV-04"), Fail, "delivered twice");
    let elsewhere = asked().called("1", "c", &taken()).delivered("1", "c").delivered("1", "other");
    assert_eq!(elsewhere.verdict("FLEET-INV-04"), Fail, "also delivered to another context");
    let invented = asked().called("1", "c", &taken()).delivered("1", "c").delivered("2", "c");
    assert_eq!(invented.verdict("FLEET-INV-04"), Fail, "nobody sent it");
    // Not taken, as far as the receiver can tell: it may have been delivered all the same, and it is sent again.
    for answered in ["", &answer(500, "{}"), &refused()] {
        assert_eq!(asked().called("1", "c", answered).verdict("FLEET-INV-04"), Pass, "{answered}");
        let late = asked().called("1", "c", answered).delivered("1", "c").called("1", "c", &taken());
        assert_eq!(late.verdict("FLEET-INV-04"), Pass, "{answered}");
    }
}

#[test]
fn what_the_gate_answered_the_node_need_not_deliver() {
    let gated = "id: made/by-hand\ntitle: A story.\nsubject: receiver\ngiven:\n  hermes: { answers: [ { status: 200 } ] }\nsteps:\n  - advance: 1s\n";
    let story = || Story::of(gated).dispatched("d", "c", true).called("1", "c", &taken());
    assert_eq!(story().verdict("FLEET-INV-04"), Pass);
    let twice = story().delivered("1", "c").delivered("1", "c");
    assert_eq!(twice.verdict("FLEET-INV-04"), Fail, "twice is too often behind a gate too");
    assert_eq!(story().delivered("1", "other").verdict("FLEET-INV-04"), Fail);
}

#[test]
fn nothing_outlasts_its_deadline() {
    let started = || Story::new().dispatched("d", "c", true).turn("d", 100, None);
    assert_eq!(started().verdict("FLEET-INV-05"), NotExercised, "still to come");
    assert_eq!(started().wait(300_000).called("1", "c", &taken()).verdict("FLEET-INV-05"), Pass);
    assert_eq!(started().wait(310_001).called("1", "c", &taken()).verdict("FLEET-INV-05"), Fail);
    let ended = |wait| started().wait(wait).left(100, "").called("1", "c", &taken());
    assert_eq!(
        (ended(310_000).verdict("FLEET-INV-05"), ended(310_001).verdict("FLEET-INV-05")),
        (Pass, Fail)
    );
    // No end of the turn and no callback.
    let unsure = || Story::new().dispatched("d", "c", false).turn("d", 100, None);
    let silent = |wait| unsure().wait(wait).transcript("x", 0);
    assert_eq!(silent(310_000).verdict("FLEET-INV-05"), NotExercised);
    assert_eq!(silent(310_001).verdict("FLEET-INV-05"), Fail, "it never ended");
    let ended = What::Ended { host: "receiver".to_owned(), code: 0 };
    assert_eq!(started().see(ended).wait(400_000).transcript("c", 1).verdict("FLEET-INV-05"), NotExercised);
    let slow = |wait| started().wait(1000).left(100, "").wait(wait).called("1", "c", &taken());
    assert_eq!(slow(10_000).verdict("FLEET-INV-05"), Pass);
    assert_eq!(
        slow(10_001).verdict("FLEET-INV-05"),
        Fail,
        "the turn was over, and its outcome was kept back"
    );
    let retried = started().wait(1000).left(100, "").called("1", "c", &refused());
    let retried = retried.wait(90_000).called("1", "c", &taken());
    assert_eq!(retried.verdict("FLEET-INV-05"), Pass, "it is the first attempt that counts");
    let earlier = Story::new()
        .dispatched("e", "c", true)
        .dispatched("d", "c", true)
        .called("0", "c", &taken())
        .wait(1)
        .turn("d", 100, None);
    let late = earlier.wait(400_000).called("1", "c", &taken());
    assert_eq!(late.verdict("FLEET-INV-05"), Fail, "a callback before the turn is not its outcome");
    for crash in [What::PowerCut, What::Killed { host: "receiver".to_owned() }] {
        let story = started().see(crash).wait(400_000).called("1", "c", &taken());
        assert_eq!(story.verdict("FLEET-INV-05"), Pass, "the time without power does not count");
    }
}

#[test]
fn a_turn_in_place_of_a_dead_session_has_a_deadline_of_its_own() {
    let dead = || Story::new().dispatched("d", "c", true).turn("d", 100, Some("s")).left_from(100, "", None);
    let again = || dead().turn("d", 101, None).wait(290_000).left(101, "");
    assert_eq!(again().called("1", "c", &taken()).verdict("FLEET-INV-05"), Pass);
    assert_eq!(again().wait(10_001).called("1", "c", &taken()).verdict("FLEET-INV-05"), Fail);
    let alone = dead().wait(290_000).called("1", "c", &taken());
    assert_eq!(alone.verdict("FLEET-INV-05"), Fail, "nothing came in its place");
}

#[test]
fn a_cli_takes_the_arguments_of_at_least_one_turn() {
    let refused = || Purpose::Refused("unknown argument".to_owned());
    let probed = || Story::new().invoked(None, 99, Purpose::Probe);
    assert_eq!(probed().verdict("FLEET-INV-08"), NotExercised);
    assert_eq!(probed().invoked(Some("d"), 100, refused()).verdict("FLEET-INV-08"), Fail);
    // One that refuses to resume takes first turns all the same.
    let mixed = probed().turn("d", 100, None).invoked(Some("e"), 101, refused());
    assert_eq!(mixed.verdict("FLEET-INV-08"), Pass);
    let unplayed = Purpose::Unplayed("not known here".to_owned());
    assert_eq!(probed().invoked(Some("d"), 100, unplayed).verdict("FLEET-INV-08"), NotExercised);
}

#[test]
fn the_cap_is_the_one_that_the_receiver_was_told() {
    let short = PLAIN.replace("steps:", "given: { receiver: { config: { codex_timeout_s: 2.5 } } }\nsteps:");
    let story = || Story::of(&short).dispatched("d", "c", true).turn("d", 100, None);
    assert_eq!(story().wait(12_500).called("1", "c", &taken()).verdict("FLEET-INV-05"), Pass);
    assert_eq!(story().wait(12_501).called("1", "c", &taken()).verdict("FLEET-INV-05"), Fail);
}

#[test]
fn a_secret_is_found_in_every_place_where_it_does_not_belong() {
    let base = Story::new();
    for secret in base.names.secrets() {
        let invocation = |args: Vec<String>, value: String| Invocation {
            cli: "codex".to_owned(),
            args,
            env: [("X".to_owned(), value)].into(),
            cwd: "/".into(),
            pid: 1,
            stdin_at_end: true,
            purpose: Purpose::Probe,
        };
        let entered = |args: &str, value: &str| What::CliEntered {
            dispatch: None,
            invocation: invocation(vec![args.to_owned()], value.to_owned()),
        };
        let blob = |text: &str| Blob(text.as_bytes().to_vec());
        let exchange = |sent: &str, received: &str| What::Exchange {
            step: "1".to_owned(),
            sent: blob(sent),
            received: blob(received),
        };
        let files = |content: Vec<u8>| What::Files {
            moment: "end".to_owned(),
            changed: [("receiver.log".to_owned(), Some(FileSeen { mode: 0o600, content: Blob(content) }))]
                .into(),
        };
        let left = |stdout: &str, stderr: &str| {
            let (stdout, stderr) = (stdout.to_owned(), stderr.to_owned());
            What::CliLeft { ending: Ending { pid: 1, session: None, stdout, stderr, code: 0 } }
        };
        let called = |sent: &str| What::Callback { sent: blob(sent), answered: blob("") };
        let bearer = format!("Authorization: Bearer {secret}\r\n");
        let leaks = [
            entered(&format!("--token={secret}"), ""),
            entered("", &secret),
            exchange("", &format!("HTTP/1.1 200 OK\r\nX: {secret}\r\n\r\n")),
            files([&b"\xff\x00"[..], secret.as_bytes(), b"\xff"].concat()),
            called(&format!("POST / HTTP/1.1\r\n{bearer}\r\n{{\"text\":\"{secret}\"}}")),
            called(&format!("POST / HTTP/1.1\r\nX-Token: {secret}\r\n{bearer}\r\n{{}}")),
            called(&format!("POST /?token={secret} HTTP/1.1\r\n{bearer}")),
            left(&secret, ""),
            left("", &secret),
            What::Delivered {
                id: "1".to_owned(),
                context: "c".to_owned(),
                text: secret.clone(),
                late: false,
            },
        ];
        for what in leaks {
            let story = Story::new().see(what.clone());
            assert_eq!(story.verdict("FLEET-INV-06"), Fail, "{what:?}");
            assert_eq!(story.judged()["FLEET-INV-06"].findings[0].trace, [1]);
        }
        let proper = [
            entered("--token=[removed]", &secret[1..]),
            exchange(&bearer, "HTTP/1.1 200 OK\r\n\r\n"),
            files(secret.as_bytes()[..secret.len() - 1].to_vec()),
            called(&format!("POST / HTTP/1.1\r\n{bearer}\r\n{{}}")),
            called(&format!(
                "POST / HTTP/1.1\r\n{}",
                bearer.to_uppercase().replace(&secret.to_uppercase(), &secret)
            )),
            // Whoever is killed in the middle of a write leaks nothing by it.
            called(&format!("POST / HTTP/1.1\r\nauthorization: Bearer {secret}")),
        ];
        for what in proper {
            assert_eq!(Story::new().see(what.clone()).verdict("FLEET-INV-06"), Pass, "{what:?}");
        }
    }
    let sent = |request: String| What::Exchange {
        step: "1".to_owned(),
        sent: Blob(request.into_bytes()),
        received: Blob(Vec::new()),
    };
    for secret in base.names.secrets() {
        let bearer = format!("POST /jsonrpc HTTP/1.1\r\nAuthorization: Bearer {secret}\r\n\r\n");
        assert_eq!(Story::new().see(sent(bearer.clone())).verdict("FLEET-AUTH-09"), Pass);
        let leak = sent(format!("{bearer}{{\"text\":\"{secret}\"}}"));
        assert_eq!(Story::new().see(leak).verdict("FLEET-AUTH-09"), Fail);
    }
    let removed = What::Files { moment: "end".to_owned(), changed: [("x".to_owned(), None)].into() };
    assert_eq!(base.see(removed).verdict("FLEET-INV-06"), NotExercised);
}

#[test]
fn no_child_is_left() {
    let look = |left: &[&str]| What::Leftovers {
        moment: "ready".to_owned(),
        processes: left.iter().map(|name| (*name).to_owned()).collect(),
    };
    assert_eq!(Story::new().see(look(&[])).verdict("FLEET-INV-07"), Pass);
    assert_eq!(Story::new().see(look(&["codex"])).see(look(&[])).verdict("FLEET-INV-07"), Fail);
}

#[test]
fn a_bearer_that_a_deploy_made_is_in_its_token_file_alone() {
    let files = |path: &str, text: &str| {
        let seen = FileSeen { mode: 0o600, content: Blob(text.as_bytes().to_vec()) };
        What::Files { moment: "end".to_owned(), changed: [(path.to_owned(), Some(seen))].into() }
    };
    let kept = || Story::new().see(files("repo/.hermes/.codex-token", "made-in-the-cell\n"));
    let of_receiver = "FLEET-INV-06";
    let of_runtime = "FLEET-AUTH-09";
    assert_eq!(kept().verdict(of_receiver), Pass);
    assert_eq!(kept().verdict(of_runtime), NotExercised);
    let fine = kept().see(files("hermes/fleet.yaml", "token_env: A2A_CODEX_TOKEN_X"));
    assert_eq!(fine.verdict(of_runtime), Pass);
    let arguments = |args: &[&str]| What::Deployed {
        pid: 9,
        args: args.iter().map(|argument| (*argument).to_owned()).collect(),
    };
    assert_eq!(kept().see(arguments(&["serve", "codex"])).verdict(of_runtime), Pass);
    for told in [
        files("hermes/fleet.yaml", "token_env: made-in-the-cell"),
        files("repo/.hermes/codex_receiver.json", "{\"token\": \"made-in-the-cell\"}"),
        files("repo/CLAUDE.md", "say made-in-the-cell"),
        arguments(&["serve", "--token=made-in-the-cell"]),
        What::Result { step: "s".to_owned(), value: json!({ "tool": { "token": "made-in-the-cell" } }) },
        What::Result { step: "s".to_owned(), value: json!({ "stderr": "error: made-in-the-cell" }) },
    ] {
        let story = kept().see(told.clone());
        assert_eq!(story.verdict(of_runtime), Fail, "{told:?}");
        assert_eq!(story.verdict(of_receiver), Pass, "{told:?}");
    }
    // What a receiver tells is its own affair, and the runtime is not judged beside it.
    let log = files("repo/.hermes/codex_receiver.log", "started with made-in-the-cell");
    assert_eq!(kept().see(log.clone()).verdict(of_receiver), Fail);
    let both = kept().see(log).see(files("hermes/deliveries.jsonl", "made-in-the-cell"));
    assert_eq!(both.verdict(of_runtime), Inconclusive);
}

#[test]
fn a_context_that_nobody_was_told_of_is_somebodys_whose_context_is_not_known() {
    let made_up =
        |story: Story, context: &str, text: &str| story.called_back(&callback("1", context, text), &taken());
    let untold = |dispatch: &str| What::Dispatched {
        dispatch: dispatch.to_owned(),
        context: None,
        acknowledged: true,
    };
    let asked = || Story::new().see(untold("d")).turn("d", 100, None).left(100, &answers("done"));
    assert_eq!(made_up(asked(), "anon-1", "done").verdict("FLEET-INV-02"), Pass);
    assert_eq!(made_up(asked(), "anon-1", "done").verdict("FLEET-INV-03"), Pass);
    assert_eq!(asked().verdict("FLEET-INV-02"), Fail, "no outcome");
    let twice = made_up(made_up(asked(), "anon-1", "done"), "anon-2", "done");
    assert_eq!(twice.verdict("FLEET-INV-02"), Fail, "two outcomes");
    assert_eq!(made_up(asked(), "elsewhere", "done").verdict("FLEET-INV-03"), Fail);
    // One that was told belongs to whoever was told.
    let told = asked().dispatched("e", "c", true).called_with("2", "c", "of e", &taken());
    assert_eq!(made_up(told, "anon-1", "done").verdict("FLEET-INV-02"), Pass);
}
