//! What files and directories do.

use gauntlet_world::disk::Kind;

use crate::rig::Rig;

both! {
    what_was_written_is_read
    an_append_adds_to_the_end
    what_an_append_creates_is_its_owners_alone
    a_tail_is_read_from_its_offset
    a_rename_replaces_what_has_the_new_name
    a_rename_to_the_own_name_changes_nothing
    a_directory_is_renamed_with_its_content
    a_removed_file_is_gone
    a_directory_is_removed_when_it_is_empty
    a_listing_is_sorted_and_names_kinds
    a_directory_is_made_with_its_parents
    properties_are_those_of_the_file
    permission_bits_are_set_as_given
    permission_bits_hold_back
    a_link_stands_for_its_target
    a_path_is_followed_to_where_it_really_leads
    a_link_itself_is_renamed_and_removed
    a_real_path_has_no_link_in_it
    a_write_through_a_dangling_link_creates_its_target
    the_stamp_of_a_change_is_wall_time
    a_replaced_file_is_whole_and_leaves_nothing_beside
    a_durable_append_appends
    a_lock_is_held_by_one_until_it_is_dropped
    relative_paths_begin_at_the_working_directory
}

async fn what_was_written_is_read(rig: Rig) {
    let disk = rig.host.disk();
    disk.write("a", b"first, and long").await.unwrap();
    disk.write("a", b"second").await.unwrap();
    assert_eq!(disk.read("a").await.unwrap(), b"second");
    assert_eq!(disk.read_if_present("a").await.unwrap().as_deref(), Some(&b"second"[..]));
    assert_eq!(disk.read_if_present("b").await.unwrap(), None);
    disk.create_new("c", b"new", 0o600).await.unwrap();
    assert_eq!(disk.read("c").await.unwrap(), b"new");
}

async fn a_directory_is_removed_when_it_is_empty(rig: Rig) {
    let disk = rig.host.disk();
    disk.make_dir("a/b").await.unwrap();
    disk.write("file", b"x").await.unwrap();
    disk.link("a/b", "link").await.unwrap();
    let number = |outcome: std::io::Result<()>| outcome.unwrap_err().raw_os_error();
    assert_eq!(number(disk.remove_dir("a").await), Some(39), "it is not empty");
    assert_eq!(number(disk.remove_dir("file").await), Some(20));
    assert_eq!(number(disk.remove_dir("link").await), Some(20));
    assert_eq!(number(disk.remove_dir("none").await), Some(2));
    disk.remove_dir("a/b").await.unwrap();
    disk.remove_dir("a").await.unwrap();
    assert!(disk.stat("a").await.is_err());
}

async fn an_append_adds_to_the_end(rig: Rig) {
    let disk = rig.host.disk();
    disk.write("a", b"one ").await.unwrap();
    disk.append("a", b"two ").await.unwrap();
    disk.append("a", b"").await.unwrap();
    disk.append("a", b"three").await.unwrap();
    assert_eq!(disk.read("a").await.unwrap(), b"one two three");
}

async fn what_an_append_creates_is_its_owners_alone(rig: Rig) {
    let disk = rig.host.disk();
    disk.append("inbox", b"message").await.unwrap();
    assert_eq!(disk.stat("inbox").await.unwrap().mode, 0o600);
    disk.set_mode("inbox", 0o640).await.unwrap();
    disk.append("inbox", b"message").await.unwrap();
    assert_eq!(disk.stat("inbox").await.unwrap().mode, 0o640, "an append to what is there leaves its mode");
}

async fn a_tail_is_read_from_its_offset(rig: Rig) {
    let disk = rig.host.disk();
    disk.write("log", b"0123456789").await.unwrap();
    for (offset, tail) in [(0, &b"0123456789"[..]), (7, b"789"), (10, b""), (1_000_000, b"")] {
        assert_eq!(disk.read_from("log", offset).await.unwrap(), tail, "from {offset}");
    }
}

async fn a_rename_replaces_what_has_the_new_name(rig: Rig) {
    let disk = rig.host.disk();
    disk.write("old", b"old").await.unwrap();
    disk.write("new", b"new").await.unwrap();
    disk.rename("new", "old").await.unwrap();
    assert_eq!(disk.read("old").await.unwrap(), b"new");
    assert_eq!(disk.list(".").await.unwrap(), [("old".to_owned(), Kind::File)]);
}

async fn a_rename_to_the_own_name_changes_nothing(rig: Rig) {
    let disk = rig.host.disk();
    disk.write("a", b"content").await.unwrap();
    disk.make_dir("d").await.unwrap();
    disk.rename("a", "a").await.unwrap();
    disk.rename("d", "d").await.unwrap();
    assert_eq!(disk.read("a").await.unwrap(), b"content");
}

async fn a_directory_is_renamed_with_its_content(rig: Rig) {
    let disk = rig.host.disk();
    disk.make_dir("d/e").await.unwrap();
    disk.write("d/e/f", b"deep").await.unwrap();
    disk.rename("d", "g").await.unwrap();
    assert_eq!(disk.read("g/e/f").await.unwrap(), b"deep");
    disk.make_dir("empty").await.unwrap();
    disk.rename("g", "empty").await.unwrap();
    assert_eq!(disk.read("empty/e/f").await.unwrap(), b"deep", "an empty directory is replaced");
}

async fn a_removed_file_is_gone(rig: Rig) {
    let disk = rig.host.disk();
    disk.write("a", b"x").await.unwrap();
    disk.remove("a").await.unwrap();
    assert_eq!(disk.read_if_present("a").await.unwrap(), None);
    disk.create_new("a", b"again", 0o600).await.unwrap();
    assert_eq!(disk.read("a").await.unwrap(), b"again");
}

async fn a_listing_is_sorted_and_names_kinds(rig: Rig) {
    let disk = rig.host.disk();
    for name in ["b", "a", "B", "é", "10", "9"] {
        disk.write(name, b"").await.unwrap();
    }
    disk.make_dir("c").await.unwrap();
    disk.link("c", "link").await.unwrap();
    let names = disk.list(".").await.unwrap();
    let expected = [
        ("10", Kind::File),
        ("9", Kind::File),
        ("B", Kind::File),
        ("a", Kind::File),
        ("b", Kind::File),
        ("c", Kind::Directory),
        ("link", Kind::Link),
        ("é", Kind::File),
    ];
    assert_eq!(names, expected.map(|(name, kind)| (name.to_owned(), kind)));
    assert_eq!(disk.list("link").await.unwrap(), [], "a link is followed");
}

async fn a_directory_is_made_with_its_parents(rig: Rig) {
    let disk = rig.host.disk();
    disk.make_dir("a/b/c").await.unwrap();
    disk.make_dir("a/b/c").await.unwrap();
    disk.make_dir("a/b/d").await.unwrap();
    let below = [("c".to_owned(), Kind::Directory), ("d".to_owned(), Kind::Directory)];
    assert_eq!(disk.list("a/b").await.unwrap(), below);
    disk.link("a", "link").await.unwrap();
    disk.make_dir("link/b/e").await.unwrap();
    assert_eq!(disk.stat("a/b/e").await.unwrap().kind, Kind::Directory);
}

async fn properties_are_those_of_the_file(rig: Rig) {
    let disk = rig.host.disk();
    disk.write("a", b"12345").await.unwrap();
    disk.create_new("b", b"", 0o600).await.unwrap();
    disk.make_dir("d").await.unwrap();
    let (a, b, d) =
        (disk.stat("a").await.unwrap(), disk.stat("b").await.unwrap(), disk.stat("d").await.unwrap());
    assert_eq!((a.kind, a.len, a.mode), (Kind::File, 5, 0o644));
    assert_eq!((b.kind, b.len, b.mode), (Kind::File, 0, 0o600));
    assert_eq!((d.kind, d.len, d.mode), (Kind::Directory, 0, 0o755));
}

async fn permission_bits_are_set_as_given(rig: Rig) {
    let disk = rig.host.disk();
    disk.write("a", b"x").await.unwrap();
    for mode in [0o600, 0o755, 0o400] {
        disk.set_mode("a", mode).await.unwrap();
        assert_eq!(disk.stat("a").await.unwrap().mode, mode);
    }
}

async fn permission_bits_hold_back(rig: Rig) {
    let disk = rig.host.disk();
    disk.write("unreadable", b"x").await.unwrap();
    disk.set_mode("unreadable", 0o200).await.unwrap();
    disk.write("unwritable", b"x").await.unwrap();
    disk.set_mode("unwritable", 0o400).await.unwrap();
    disk.make_dir("full").await.unwrap();
    disk.write("full/a", b"x").await.unwrap();
    disk.set_mode("full", 0o500).await.unwrap();
    let outcomes = [
        disk.read("unreadable").await.map(|_| ()),
        disk.write("unwritable", b"y").await,
        disk.append("unwritable", b"y").await,
        disk.write("full/new", b"y").await,
        disk.create_new("full/newer", b"y", 0o600).await,
        disk.rename("unreadable", "full/b").await,
        disk.link("a", "full/link").await,
        disk.make_dir("full/d").await,
        disk.remove("full/a").await,
    ];
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let denied = outcome.err().and_then(|error| error.raw_os_error());
        // Root passes every bit, so there only the mechanics' agreement on what is possible is left to see.
        let expected = if rig.obeys_permissions() { Some(13) } else { None };
        assert_eq!(denied, expected, "outcome {number}");
    }
    // What the directory's bits forbid concerns its entries, not the files that it has.
    disk.set_mode("full", 0o700).await.unwrap();
}

async fn a_link_stands_for_its_target(rig: Rig) {
    let disk = rig.host.disk();
    disk.make_dir("d").await.unwrap();
    disk.write("d/file", b"content").await.unwrap();
    disk.link("file", "d/beside").await.unwrap();
    disk.link("../d", "d/around").await.unwrap();
    disk.link(disk.absolute("d/beside"), "twice").await.unwrap();
    for path in ["d/beside", "d/around/file", "twice"] {
        assert_eq!(disk.read(path).await.unwrap(), b"content", "{path}");
        assert_eq!(disk.stat(path).await.unwrap().kind, Kind::File, "{path}");
    }
    disk.append("twice", b"!").await.unwrap();
    disk.set_mode("twice", 0o600).await.unwrap();
    assert_eq!(disk.read("d/file").await.unwrap(), b"content!");
    assert_eq!(disk.stat("d/file").await.unwrap().mode, 0o600);
}

async fn a_real_path_has_no_link_in_it(rig: Rig) {
    let disk = rig.host.disk();
    disk.make_dir("there/below").await.unwrap();
    disk.write("there/below/file", b"x").await.unwrap();
    disk.link("there", "one").await.unwrap();
    disk.link("one/below", "two").await.unwrap();
    disk.link(".", "here").await.unwrap();
    disk.link("round", "round").await.unwrap();
    let root = disk.canonical(".").await.unwrap();
    for path in
        ["there/below/file", "one/below/file", "two/file", "here/two/file", "here/here/one/./below/file"]
    {
        assert_eq!(disk.canonical(path).await.unwrap(), root.join("there/below/file"), "{path}");
    }
    assert_eq!(disk.canonical("here").await.unwrap(), root);
    assert_eq!(disk.canonical("two/nothing").await.unwrap_err().raw_os_error(), Some(2));
    assert_eq!(disk.canonical("round").await.unwrap_err().raw_os_error(), Some(40));
}

async fn a_link_itself_is_renamed_and_removed(rig: Rig) {
    let disk = rig.host.disk();
    disk.write("target", b"content").await.unwrap();
    disk.link("target", "link").await.unwrap();
    disk.rename("link", "moved").await.unwrap();
    let both = [("moved".to_owned(), Kind::Link), ("target".to_owned(), Kind::File)];
    assert_eq!(disk.list(".").await.unwrap(), both);
    disk.write("file", b"other").await.unwrap();
    disk.rename("file", "moved").await.unwrap();
    assert_eq!(disk.read("target").await.unwrap(), b"content", "a rename replaces the link, not its target");
    disk.link("target", "link").await.unwrap();
    disk.remove("link").await.unwrap();
    assert_eq!(disk.read("target").await.unwrap(), b"content", "a removal takes the link, not its target");
}

async fn a_write_through_a_dangling_link_creates_its_target(rig: Rig) {
    let disk = rig.host.disk();
    disk.make_dir("d").await.unwrap();
    disk.link("d/target", "link").await.unwrap();
    disk.write("link", b"content").await.unwrap();
    assert_eq!(disk.read("d/target").await.unwrap(), b"content");
    assert_eq!(disk.list(".").await.unwrap()[1], ("link".to_owned(), Kind::Link));
}

async fn the_stamp_of_a_change_is_wall_time(rig: Rig) {
    let (disk, clock) = (rig.host.disk(), rig.host.clock());
    disk.write("a", b"x").await.unwrap();
    let first = disk.stat("a").await.unwrap().modified_ms;
    assert!((clock.wall().millis() - first).abs() < 5_000);
    clock.sleep(std::time::Duration::from_millis(50)).await;
    disk.read("a").await.unwrap();
    disk.rename("a", "b").await.unwrap();
    assert_eq!(
        disk.stat("b").await.unwrap().modified_ms,
        first,
        "neither reading nor renaming changes content"
    );
    disk.append("b", b"y").await.unwrap();
    assert!(disk.stat("b").await.unwrap().modified_ms > first);
}

async fn a_replaced_file_is_whole_and_leaves_nothing_beside(rig: Rig) {
    let disk = rig.host.disk();
    disk.replace("state", b"first").await.unwrap();
    disk.replace("state", b"second").await.unwrap();
    assert_eq!(disk.read("state").await.unwrap(), b"second");
    assert_eq!(disk.stat("state").await.unwrap().mode, 0o600);
    assert_eq!(disk.list(".").await.unwrap(), [("state".to_owned(), Kind::File)]);
}

async fn a_durable_append_appends(rig: Rig) {
    let disk = rig.host.disk();
    disk.append_durably("journal", b"one\n").await.unwrap();
    disk.append_durably("journal", b"two\n").await.unwrap();
    assert_eq!(disk.read("journal").await.unwrap(), b"one\ntwo\n");
    disk.sync_dir(".").await.unwrap();
    disk.sync(".").await.unwrap();
}

async fn relative_paths_begin_at_the_working_directory(rig: Rig) {
    let disk = rig.host.disk();
    disk.make_dir("d").await.unwrap();
    disk.write("d/../a", b"x").await.unwrap();
    let absolute = rig.host.cwd().join("a");
    assert_eq!(disk.absolute("a"), absolute);
    assert_eq!(disk.read(&absolute).await.unwrap(), b"x");
}

async fn a_path_is_followed_to_where_it_really_leads(rig: Rig) {
    let disk = rig.host.disk();
    let root = disk.absolute("");
    disk.make_dir("real/inner").await.unwrap();
    disk.write("real/file", b"x").await.unwrap();
    disk.link("real/inner", "short").await.unwrap();
    disk.link(root.join("short"), "shorter").await.unwrap();
    disk.link("round", "round").await.unwrap();
    for (path, real) in [
        ("real/../real/./file", "real/file"),
        ("short", "real/inner"),
        ("shorter/../file", "real/file"),
        (".", ""),
    ] {
        let found = disk.canonical(path).await.unwrap();
        assert_eq!(found.display().to_string(), root.join(real).display().to_string().trim_end_matches('/'));
    }
    for (path, number) in [("none", 2), ("real/file/..", 20), ("round", 40)] {
        assert_eq!(disk.canonical(path).await.unwrap_err().raw_os_error(), Some(number), "{path}");
    }
}

async fn a_lock_is_held_by_one_until_it_is_dropped(rig: Rig) {
    let disk = rig.host.disk();
    disk.write("left-over", b"of an earlier life").await.unwrap();
    let held = disk.try_lock("left-over").await.unwrap();
    assert!(held.is_some(), "a file that is left over locks nobody out");
    assert!(disk.try_lock("left-over").await.unwrap().is_none());
    disk.link("left-over", "other-way").await.unwrap();
    assert!(disk.try_lock("other-way").await.unwrap().is_none(), "two ways to one file are one lock");
    assert!(disk.try_lock("another").await.unwrap().is_some());
    drop(held);
    assert!(disk.try_lock("left-over").await.unwrap().is_some());
    assert_eq!(disk.read("left-over").await.unwrap(), b"of an earlier life");
    assert_eq!(disk.stat("another").await.unwrap().mode, 0o600);
    assert!(disk.try_lock("nowhere/lock").await.is_err());
}
