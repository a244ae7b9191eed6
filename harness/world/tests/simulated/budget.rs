//! The budget of touches: what runs in circles comes to a stop.

use gauntlet_world::WorldSettings;
use gauntlet_world::network::Address;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::lab::{Lab, MS, run_with};

fn small<R: Future>(body: impl FnOnce(Lab) -> R) -> R::Output {
    run_with(WorldSettings { touch_budget: 1000, ..WorldSettings::default() }, body)
}

#[test]
fn a_loop_over_a_port_stops_when_the_budget_is_spent() {
    small(async |lab| {
        lab.launch(async |host| {
            loop {
                host.disk().append("circles", b"o").await.unwrap();
            }
        });
        lab.pass(MS).await;
        assert!(lab.world.is_exhausted());
        assert_eq!(lab.world.touches(), 1000);
        assert_eq!(lab.file("circles").unwrap().len(), 1000, "the touch beyond the budget has no effect");
        let other = lab.visitor.clock().within(1000 * MS, lab.visitor.disk().read("circles")).await;
        assert!(other.is_none(), "nobody's port call completes any more");
        assert_eq!(lab.world.log().len(), 1000);
    });
}

#[test]
fn two_that_send_each_other_bytes_for_ever_stop_too() {
    small(async |lab| {
        lab.launch(async |host| {
            let listener = host.network().listen(&Address::loopback(7000)).await.unwrap();
            let near = host.network().connect(&Address::loopback(7000)).await.unwrap();
            let far = listener.accept().await.unwrap();
            for mut stream in [near, far] {
                host.spawn(async move {
                    loop {
                        stream.write_u8(1).await.unwrap();
                        stream.read_u8().await.unwrap();
                    }
                });
            }
            std::future::pending().await
        });
        lab.pass(MS).await;
        assert!(lab.world.is_exhausted());
        assert_eq!(lab.world.touches(), 1000);
    });
}

#[test]
fn a_budget_that_suffices_is_not_noticed() {
    small(async |lab| {
        for _ in 0..1000 {
            lab.visitor.disk().stat("/").await.unwrap();
        }
        assert!(!lab.world.is_exhausted());
    });
}
