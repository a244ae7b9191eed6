//! A panic in a cell is a bug of ours: it is reported, and the rest of the cell goes on.

use gauntlet_world::process::ExitStatus;

use crate::lab::{MS, run};

#[test]
fn a_panic_in_a_task_is_reported_and_the_process_goes_on() {
    run(async |lab| {
        let (_, exit) = lab.launch(|host| async move {
            let joined = host.spawn(async { assert_eq!(1, 2, "sums are off") }).join().await;
            assert_eq!(joined, None);
            host.disk().write("after", b"x").await.unwrap();
            4
        });
        assert_eq!(exit.wait().await, ExitStatus::Code(4));
        assert_eq!(lab.file("after").as_deref(), Some("x"));
        let panics = lab.world.panics();
        assert_eq!(panics.len(), 1);
        assert!(panics[0].starts_with("subject: ") && panics[0].contains("sums are off"), "{panics:?}");
    });
}

#[test]
fn a_panic_of_the_main_task_ends_the_process_and_nothing_else() {
    run(async |lab| {
        let (_, other) = lab.launch_as("other", |host| async move {
            host.clock().sleep(10 * MS).await;
            0
        });
        let (_, exit) = lab.launch(|host| async move {
            host.clock().sleep(MS).await;
            panic!("no more");
        });
        assert_eq!(exit.wait().await, ExitStatus::Code(101));
        assert_eq!(other.wait().await, ExitStatus::Code(0));
        assert_eq!(lab.world.panics(), ["subject: no more"]);
    });
}

#[test]
fn a_panic_before_the_first_wait_ends_the_process_too() {
    run(async |lab| {
        fn never(_: gauntlet_world::Host) -> std::future::Ready<i32> {
            panic!("before there is a future")
        }
        let (_, exit) = lab.launch(never);
        assert_eq!(exit.wait().await, ExitStatus::Code(101));
        assert_eq!(lab.world.panics(), ["subject: before there is a future"]);
    });
}
