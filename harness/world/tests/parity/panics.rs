//! A task that panics.
#![expect(clippy::panic, reason = "the panic is the subject")]

use crate::rig::Rig;

both! {
    a_panic_in_a_task_is_told_to_whoever_asks_the_host
}

async fn a_panic_in_a_task_is_told_to_whoever_asks_the_host(rig: Rig) {
    let host = rig.host.clone();
    assert_eq!(host.panics(), [""; 0]);
    let inner = host.clone();
    let task = host.spawn(async move {
        // A task of a task counts, and so does a text that is made on the spot.
        let deep = inner.spawn(async { panic!("sums are {}", "off") });
        assert_eq!(deep.join().await, None::<()>);
        panic!("no more");
    });
    assert_eq!(task.join().await, None::<()>);
    assert_eq!(host.panics(), ["tester: sums are off", "tester: no more"]);
    rig.panics_are_expected();
}
