//! What files and directories refuse, with Rust's kind of error and the operating system's number.

use std::io::ErrorKind;

use crate::rig::{Rig, assert_error};

both! {
    nothing_can_be_done_with_what_is_not_there
    a_file_is_no_directory
    a_directory_is_no_file
    an_exclusive_creation_refuses_what_is_there
    a_directory_is_not_made_over_a_file
    a_rename_keeps_to_its_kind
    links_in_a_circle_end
}

async fn nothing_can_be_done_with_what_is_not_there(rig: Rig) {
    let disk = rig.host.disk();
    let missing = |outcome: std::io::Result<()>| assert_error(outcome, ErrorKind::NotFound, 2);
    disk.write("a", b"x").await.unwrap();
    disk.link("nowhere", "dangling").await.unwrap();
    for path in ["none", "no/where", "dangling"] {
        missing(disk.read(path).await.map(|_| ()));
        missing(disk.read_from(path, 3).await.map(|_| ()));
        missing(disk.stat(path).await.map(|_| ()));
        missing(disk.list(path).await.map(|_| ()));
        missing(disk.set_mode(path, 0o600).await);
        missing(disk.sync(path).await);
        missing(disk.sync_dir(path).await);
    }
    for path in ["none", "no/where"] {
        missing(disk.remove(path).await);
        missing(disk.rename(path, "b").await);
    }
    missing(disk.write("no/where", b"x").await);
    missing(disk.append("no/where", b"x").await);
    missing(disk.create_new("no/where", b"x", 0o600).await);
    missing(disk.link("a", "no/where").await);
    missing(disk.rename("a", "no/where").await);
    missing(disk.replace("no/where", b"x").await);
}

async fn a_file_is_no_directory(rig: Rig) {
    let disk = rig.host.disk();
    let refused = |outcome: std::io::Result<()>| assert_error(outcome, ErrorKind::NotADirectory, 20);
    disk.write("file", b"x").await.unwrap();
    disk.write("other", b"x").await.unwrap();
    refused(disk.read("file/a").await.map(|_| ()));
    refused(disk.stat("file/a").await.map(|_| ()));
    refused(disk.list("file").await.map(|_| ()));
    refused(disk.list("file/a").await.map(|_| ()));
    refused(disk.write("file/a", b"y").await);
    refused(disk.append("file/a", b"y").await);
    refused(disk.create_new("file/a", b"y", 0o600).await);
    refused(disk.remove("file/a").await);
    refused(disk.rename("other", "file/a").await);
    refused(disk.rename("file/a", "other").await);
    refused(disk.link("other", "file/a").await);
    refused(disk.sync_dir("file").await);
    refused(disk.make_dir("file/a").await);
}

async fn a_directory_is_no_file(rig: Rig) {
    let disk = rig.host.disk();
    let refused = |outcome: std::io::Result<()>| assert_error(outcome, ErrorKind::IsADirectory, 21);
    disk.make_dir("d").await.unwrap();
    refused(disk.read("d").await.map(|_| ()));
    refused(disk.read_from("d", 1).await.map(|_| ()));
    refused(disk.write("d", b"x").await);
    refused(disk.append("d", b"x").await);
    refused(disk.remove("d").await);
}

async fn an_exclusive_creation_refuses_what_is_there(rig: Rig) {
    let disk = rig.host.disk();
    disk.write("file", b"first").await.unwrap();
    disk.make_dir("d").await.unwrap();
    disk.link("nowhere", "dangling").await.unwrap();
    for path in ["file", "d", "dangling"] {
        assert_error(disk.create_new(path, b"x", 0o600).await, ErrorKind::AlreadyExists, 17);
        assert_error(disk.link("file", path).await, ErrorKind::AlreadyExists, 17);
    }
    assert_eq!(disk.read("file").await.unwrap(), b"first");
    assert_eq!(disk.read_if_present("nowhere").await.unwrap(), None);
}

async fn a_directory_is_not_made_over_a_file(rig: Rig) {
    let disk = rig.host.disk();
    disk.write("file", b"x").await.unwrap();
    disk.link("nowhere", "dangling").await.unwrap();
    disk.make_dir("d").await.unwrap();
    disk.write("d/file", b"x").await.unwrap();
    for path in ["file", "d/file", "dangling"] {
        assert_error(disk.make_dir(path).await, ErrorKind::AlreadyExists, 17);
    }
}

async fn a_rename_keeps_to_its_kind(rig: Rig) {
    let disk = rig.host.disk();
    disk.write("file", b"x").await.unwrap();
    disk.make_dir("d").await.unwrap();
    disk.make_dir("full/inner").await.unwrap();
    assert_error(disk.rename("file", "d").await, ErrorKind::IsADirectory, 21);
    assert_error(disk.rename("d", "file").await, ErrorKind::NotADirectory, 20);
    assert_error(disk.rename("d", "full").await, ErrorKind::DirectoryNotEmpty, 39);
    assert_error(disk.rename("full", "full/inner/deeper").await, ErrorKind::InvalidInput, 22);
    assert_eq!(disk.list(".").await.unwrap().len(), 3);
}

async fn links_in_a_circle_end(rig: Rig) {
    const LINK_LOOP: i32 = 40;
    let disk = rig.host.disk();
    disk.link("b", "a").await.unwrap();
    disk.link("a", "b").await.unwrap();
    let outcomes = [
        disk.read("a").await.map(|_| ()),
        disk.stat("b").await.map(|_| ()),
        disk.write("a", b"x").await,
        disk.list("a/c").await.map(|_| ()),
    ];
    for outcome in outcomes {
        assert_eq!(outcome.unwrap_err().raw_os_error(), Some(LINK_LOOP));
    }
    disk.remove("a").await.unwrap();
}
