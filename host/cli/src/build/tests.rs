//! The parts of a build that need no compiler.

use super::*;

fn module(crate_name: &str) -> CoreModule {
    CoreModule {
        crate_name: crate_name.to_owned(),
        manifest: Path::new("/crates").join(crate_name).join("Cargo.toml"),
        path: PathBuf::from("/target/core.wasm"),
    }
}

#[test]
fn a_component_goes_beside_its_crate_by_default() {
    let paths = output_paths(None, &[module("split"), module("count")]);
    let paths = paths.expect("nothing is written");
    assert_eq!(
        paths,
        [
            Path::new("/crates/split/split.wasm"),
            Path::new("/crates/count/count.wasm")
        ]
    );
}

#[test]
fn one_component_can_be_given_a_file_name() {
    let paths = output_paths(Some(Path::new("out/mine.wasm")), &[module("count")]);
    assert_eq!(
        paths.expect("nothing is written"),
        [Path::new("out/mine.wasm")]
    );
}

#[test]
fn two_components_do_not_fit_in_one_file() {
    let out = Path::new("out/mine.wasm");
    let refused = output_paths(Some(out), &[module("split"), module("count")]);
    assert!(matches!(
        refused,
        Err(BuildError::OneFileForMany { components: 2, .. })
    ));
}

#[test]
fn a_directory_without_a_crate_is_named() {
    let empty = tempfile::tempdir().expect("a temporary directory");
    let error = find_manifest(empty.path()).expect_err("there is no Cargo.toml");
    assert!(error.to_string().contains(&*empty.path().to_string_lossy()));
}

#[test]
fn a_module_that_is_no_operator_is_refused() {
    let empty_module = b"\0asm\x01\0\0\0";
    let error = component::encode("nothing", empty_module).expect_err("it exports nothing");
    assert!(matches!(error, BuildError::NotAnOperator { .. }), "{error}");
}

#[test]
fn a_file_that_is_no_module_is_refused() {
    let error = component::encode("nothing", b"not wasm").expect_err("it is no module");
    assert!(matches!(error, BuildError::NotAComponent { .. }), "{error}");
}

#[test]
fn a_component_replaces_the_one_before_it() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("count.wasm");
    write_whole(&path, b"old").expect("the directory can be written");
    write_whole(&path, b"new").expect("the directory can be written");
    assert_eq!(fs::read(&path).expect("it is there"), b"new");
    let files = fs::read_dir(directory.path()).expect("it is there").count();
    assert_eq!(files, 1, "no partial file is left");
}
