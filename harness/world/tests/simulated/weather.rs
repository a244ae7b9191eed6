//! Bad weather on connections.

use std::io::ErrorKind;

use gauntlet_world::network::{Address, Stream};
use gauntlet_world::simulated::NetworkWeather;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::lab::{Lab, MS, run};

async fn pair(lab: &Lab) -> (Stream, Stream) {
    let listener = lab.visitor.network().listen(&Address::loopback(0)).await.unwrap();
    let near = lab.connect(listener.port()).await;
    (near, listener.accept().await.unwrap())
}

async fn pair_in(lab: &Lab, weather: NetworkWeather) -> (Stream, Stream) {
    lab.machine.set_weather(None, None, weather);
    pair(lab).await
}

async fn read(stream: &mut Stream) -> (String, Option<ErrorKind>) {
    let mut bytes = Vec::new();
    let error = stream.read_to_end(&mut bytes).await.err();
    (String::from_utf8(bytes).unwrap(), error.map(|error| error.kind()))
}

#[test]
fn slow_bytes_arrive_later_and_in_order() {
    run(async |lab| {
        let (mut near, mut far) = pair_in(&lab, NetworkWeather::Latency(250 * MS)).await;
        near.write_all(b"one ").await.unwrap();
        lab.pass(100 * MS).await;
        near.write_all(b"two").await.unwrap();
        drop(near);
        assert_eq!(lab.world.elapsed_ms(), 100, "a writer does not wait for the arrival");
        let mut word = [0; 4];
        far.read_exact(&mut word).await.unwrap();
        assert_eq!((&word, lab.world.elapsed_ms()), (b"one ", 250));
        assert_eq!(read(&mut far).await, ("two".to_owned(), None));
        assert_eq!(lab.world.elapsed_ms(), 350);
    });
}

#[test]
fn a_cut_connection_delivers_what_passed_and_then_fails_on_both_sides() {
    run(async |lab| {
        let (mut near, mut far) = pair_in(&lab, NetworkWeather::CutAfter(6)).await;
        far.write_all(b"hey").await.unwrap();
        let error = near.write_all(b"hello world").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert_eq!(read(&mut far).await, ("hello ".to_owned(), Some(ErrorKind::ConnectionReset)));
        assert_eq!(read(&mut near).await, ("hey".to_owned(), Some(ErrorKind::ConnectionReset)));
        assert_eq!(far.write_all(b"x").await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_message_of_exactly_the_length_passes_before_the_cut() {
    run(async |lab| {
        let (mut near, mut far) = pair_in(&lab, NetworkWeather::CutAfter(5)).await;
        near.write_all(b"hello").await.unwrap();
        assert_eq!(read(&mut far).await, ("hello".to_owned(), Some(ErrorKind::ConnectionReset)));
        assert!(far.write_all(b"answer").await.is_err(), "the answer does not get through");
        assert_eq!(read(&mut near).await, (String::new(), Some(ErrorKind::ConnectionReset)));
    });
}

#[test]
fn a_cut_after_nothing_resets_at_once() {
    run(async |lab| {
        let (mut near, mut far) = pair_in(&lab, NetworkWeather::CutAfter(0)).await;
        assert_eq!(read(&mut near).await.1, Some(ErrorKind::ConnectionReset));
        assert!(far.write_all(b"x").await.is_err());
    });
}

#[test]
fn a_cut_wakes_everyone_who_waits_on_either_side() {
    run(async |lab| {
        let (near, far) = pair_in(&lab, NetworkWeather::CutAfter(100_000)).await;
        let (mut near_reader, mut near_writer) = tokio::io::split(near);
        let (mut far_reader, mut far_writer) = tokio::io::split(far);
        // The far side waits for room in a direction that no one reads; the cut comes from the other direction.
        let stuck =
            lab.visitor.spawn(async move { far_writer.write_all(&[1; 90_000]).await.map_err(|e| e.kind()) });
        let writing = lab.visitor.spawn(async move {
            near_writer.write_all(&[2; 60_000]).await.unwrap();
            near_writer
        });
        lab.pass(MS).await;
        assert!(!stuck.is_finished());
        let mut near_writer = writing.join().await.unwrap();
        let mut page = vec![0; 60_000];
        far_reader.read_exact(&mut page).await.unwrap();
        near_writer.write_all(&[2; 40_000]).await.unwrap();
        assert_eq!(stuck.join().await, Some(Err(ErrorKind::ConnectionReset)));
        let (mut rest, mut all) = (Vec::new(), Vec::new());
        assert!(far_reader.read_to_end(&mut rest).await.is_err());
        assert!(near_reader.read_to_end(&mut all).await.is_err());
        assert_eq!((rest.len(), all.len()), (40_000, 65_536));
    });
    run(async |lab| {
        let (near, mut far) = pair_in(&lab, NetworkWeather::CutAfter(3)).await;
        let (mut reader, mut writer) = tokio::io::split(near);
        let waiting = lab.visitor.spawn(async move { reader.read_u8().await.map_err(|e| e.kind()) });
        lab.pass(MS).await;
        writer.write_all(b"abc").await.unwrap();
        assert_eq!(waiting.join().await, Some(Err(ErrorKind::ConnectionReset)), "its own reader is told");
        assert_eq!(read(&mut far).await.0, "abc");
    });
}

#[test]
fn a_stalled_connection_tells_nobody() {
    run(async |lab| {
        let clock = lab.visitor.clock();
        let (mut near, mut far) = pair_in(&lab, NetworkWeather::StallAfter(4)).await;
        near.write_all(b"12345678").await.unwrap();
        near.shutdown().await.unwrap();
        let mut word = [0; 4];
        far.read_exact(&mut word).await.unwrap();
        assert_eq!(&word, b"1234");
        assert!(clock.within(60_000 * MS, far.read_u8()).await.is_none(), "not even the end passes");
        far.write_all(b"ok").await.unwrap();
        let mut heard = [0; 2];
        near.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"ok", "each direction has its own count");
    });
}

#[test]
fn a_stalled_writer_waits_when_the_buffers_are_full() {
    run(async |lab| {
        let clock = lab.visitor.clock();
        let (mut near, far) = pair_in(&lab, NetworkWeather::StallAfter(4)).await;
        near.write_all(&[0; 60_000]).await.unwrap();
        drop(far);
        assert!(clock.within(60_000 * MS, near.write_all(&[0; 60_000])).await.is_none());
    });
}

#[test]
fn in_a_stall_from_the_first_byte_no_connection_comes_about() {
    run(async |lab| {
        let listener = lab.visitor.network().listen(&Address::loopback(7000)).await.unwrap();
        lab.machine.set_weather(None, Some(7000), NetworkWeather::StallAfter(0));
        let clock = lab.visitor.clock();
        assert!(clock.within(60_000 * MS, lab.connect(7000)).await.is_none());
        lab.machine.clear_weather();
        lab.connect(7000).await;
        listener.accept().await.unwrap();
    });
}

#[test]
fn one_byte_of_each_direction_arrives_changed() {
    run(async |lab| {
        let (mut near, mut far) = pair_in(&lab, NetworkWeather::GarbleAt(6)).await;
        for part in ["hello", " ", "world"] {
            near.write_all(part.as_bytes()).await.unwrap();
        }
        near.shutdown().await.unwrap();
        far.write_all(b"abcdefgh").await.unwrap();
        far.shutdown().await.unwrap();
        assert_eq!(read(&mut far).await, ("hello World".to_owned(), None));
        assert_eq!(read(&mut near).await, ("abcdefGh".to_owned(), None));
    });
}

#[test]
fn weather_is_over_those_that_it_names_and_the_last_word_counts() {
    run(async |lab| {
        lab.machine.set_weather(Some("someone else"), None, NetworkWeather::GarbleAt(0));
        lab.machine.set_weather(None, Some(9), NetworkWeather::GarbleAt(0));
        let (mut near, mut far) = pair(&lab).await;
        near.write_all(b"a").await.unwrap();
        assert_eq!(far.read_u8().await.unwrap(), b'a');
        lab.machine.set_weather(Some("tester"), None, NetworkWeather::GarbleAt(0));
        near.write_all(b"b").await.unwrap();
        assert_eq!(far.read_u8().await.unwrap(), b'b', "open connections keep their weather");
        let (mut near, mut far) = pair(&lab).await;
        near.write_all(b"a").await.unwrap();
        assert_eq!(far.read_u8().await.unwrap(), b'A');
        lab.machine.set_weather(None, None, NetworkWeather::GarbleAt(1));
        let (mut near, mut far) = pair(&lab).await;
        near.write_all(b"aa").await.unwrap();
        let mut word = [0; 2];
        far.read_exact(&mut word).await.unwrap();
        assert_eq!(&word, b"aA");
    });
}
