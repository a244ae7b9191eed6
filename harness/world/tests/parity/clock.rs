//! Waiting, stamps and random numbers.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use gauntlet_world::{Either, race};

use crate::rig::Rig;

both! {
    sleepers_wake_in_the_order_of_their_time
    a_sleep_lasts_as_long_as_it_says
    a_limit_gives_up_or_lets_through
    wall_time_goes_with_the_waiting
    random_numbers_are_not_twice_the_same
    a_cancelled_task_has_no_output
}

const MS: Duration = Duration::from_millis(1);

async fn sleepers_wake_in_the_order_of_their_time(rig: Rig) {
    let order = Rc::new(RefCell::new(Vec::new()));
    let tasks: Vec<_> = [90, 30, 60]
        .map(|millis| {
            let (host, order) = (rig.host.clone(), order.clone());
            rig.host.spawn(async move {
                host.clock().sleep(millis * MS).await;
                order.borrow_mut().push(millis);
            })
        })
        .into();
    for task in tasks {
        assert_eq!(task.join().await, Some(()));
    }
    assert_eq!(*order.borrow(), [30, 60, 90]);
}

async fn a_sleep_lasts_as_long_as_it_says(rig: Rig) {
    let clock = rig.host.clock();
    let began = clock.now();
    clock.sleep(40 * MS).await;
    clock.sleep_until(began + 90 * MS).await;
    let took = clock.now() - began;
    assert!((90 * MS..5000 * MS).contains(&took), "{took:?}");
    clock.sleep_until(began).await;
}

async fn a_limit_gives_up_or_lets_through(rig: Rig) {
    let clock = rig.host.clock();
    assert_eq!(clock.within(5000 * MS, async { 7 }).await, Some(7));
    assert_eq!(clock.within(20 * MS, clock.sleep(5000 * MS)).await, None);
    assert_eq!(clock.within(Duration::ZERO, async { "at once" }).await, Some("at once"));
    assert_eq!(race(clock.sleep(5000 * MS), clock.sleep(10 * MS)).await, Either::Second(()));
    assert_eq!(race(async { 1 }, async { 2 }).await, Either::First(1), "the first wins ties");
}

async fn wall_time_goes_with_the_waiting(rig: Rig) {
    let clock = rig.host.clock();
    let began = clock.wall();
    assert!(began.seconds() > 1_700_000_000);
    clock.sleep(30 * MS).await;
    let passed = clock.wall().millis() - began.millis();
    assert!((29..5000).contains(&passed), "{passed}");
}

async fn random_numbers_are_not_twice_the_same(rig: Rig) {
    let entropy = rig.host.entropy();
    let ids: BTreeSet<_> = (0..100).map(|_| entropy.uuid()).collect();
    assert_eq!(ids.len(), 100);
    assert!(ids.iter().all(|id| id.get_version_num() == 4));
    let drawn: BTreeSet<_> = (0..200).map(|_| entropy.below(3)).collect();
    assert_eq!(drawn, BTreeSet::from([0, 1, 2]));
    assert_eq!(entropy.below(0), 0);
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    assert_ne!(bytes, [0; 32]);
}

async fn a_cancelled_task_has_no_output(rig: Rig) {
    let host = rig.host.clone();
    let task = rig.host.spawn(async move { host.clock().sleep(5000 * MS).await });
    rig.host.clock().sleep(MS).await;
    assert!(!task.is_finished());
    task.cancel();
    assert_eq!(task.join().await, None);
}
