//! The source `file`: links.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::file_source::{all_files, connect, directory};
use crate::support::{job_refusal, read_all};

/// Returns the files that `path` matches in a tree with links inside and out of it, or the refusal:
/// without following links, and with.
fn matches_with_links(path: &str) -> [Result<Vec<String>, String>; 2] {
    let outside = directory(&[("secret.txt", b"secret\n")]);
    let base = directory(&[("a.txt", b"1\n")]);
    fs::create_dir_all(base.path().join("in/deep")).expect("can be created");
    fs::write(base.path().join("in/deep/b.txt"), "2\n").expect("can be written");
    for (target, link) in [
        (Path::new("../a.txt"), "in/inside.txt"),
        (Path::new("deep"), "in/down"),
        (Path::new(".."), "in/deep/up"),
        (Path::new("nowhere"), "in/gone"),
        (outside.path(), "in/away"),
    ] {
        std::os::unix::fs::symlink(target, base.path().join(link)).expect("can be linked");
    }
    [false, true].map(|follow| {
        let connector = connect(base.path(), json!({ "path": path, "follow-links": follow }));
        let plan = connector
            .enumerator()
            .plan(1)
            .map_err(|error| error.to_string())?;
        let values = read_all(&*connector, plan.clone()).expect("can be read");
        assert_eq!(values.len(), plan[0].len(), "a line in each file");
        let splits = plan[0].iter();
        let names = splits.map(|split| split.name.split('@').next().unwrap_or_default());
        Ok(names.map(str::to_owned).collect())
    })
}

#[test]
fn a_link_is_followed_below_the_root_and_wherever_it_leads_if_that_is_asked_for() {
    let [without, with] = matches_with_links("**/*.txt");
    assert_eq!(
        without.expect("is fine"),
        ["a.txt", "in/deep/b.txt", "in/inside.txt"]
    );
    // A directory that can be reached without a link is read under that name alone.
    let expected = [
        "a.txt",
        "in/away/secret.txt",
        "in/deep/b.txt",
        "in/inside.txt",
    ];
    assert_eq!(with.expect("is fine"), expected);
    let [without, with] = matches_with_links("in/down/*.txt");
    assert_eq!(without.expect("is fine"), ["in/down/b.txt"]);
    assert_eq!(with.expect("is fine"), ["in/down/b.txt"]);
    let [without, with] = matches_with_links("i*/[ad]*/*.txt");
    let refusal = without.expect_err("leads out");
    assert!(
        refusal.starts_with("`path` matches in/away, which is a link to /")
            && refusal.contains("Set `follow-links = true`"),
        "{refusal}"
    );
    let expected = ["in/away/secret.txt", "in/deep/b.txt", "in/down/b.txt"];
    assert_eq!(with.expect("is fine"), expected);
}

#[test]
fn a_link_to_a_file_inside_is_followed_and_one_that_leads_out_is_named() {
    let outside = directory(&[("secret", b"secret\n")]);
    let base = directory(&[("a", b"1\n")]);
    std::os::unix::fs::symlink("a", base.path().join("b")).expect("can be linked");
    let connector = all_files(base.path());
    let values = read_all(
        &*connector,
        connector.enumerator().plan(1).expect("can be planned"),
    );
    assert_eq!(values.expect("can be read"), ["1", "1"]);

    let target = outside.path().join("secret");
    std::os::unix::fs::symlink(&target, base.path().join("c")).expect("can be linked");
    let refusal = job_refusal(connector.enumerator().plan(1));
    let link = format!("matches c, which is a link to {}", target.display());
    assert!(refusal.contains(&link), "{refusal}");
    let follows = connect(base.path(), json!({ "path": "*", "follow-links": true }));
    let values = read_all(
        &*follows,
        follows.enumerator().plan(1).expect("can be planned"),
    );
    assert_eq!(values.expect("can be read"), ["1", "1", "secret"]);
}
