//! The program prints the output in its README and in `expected.txt`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use tidegate_tests::guest;

#[test]
fn the_program_prints_what_its_readme_says() -> Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(here.join("README.md"))?;
    let expected = std::fs::read_to_string(here.join("expected.txt"))?;
    let root = here.ancestors().nth(2).context("the project is above")?;
    let run = format!("cargo run -p {} ", env!("CARGO_PKG_NAME"));
    let (_, arguments) = readme.split_once(&run).context("the README runs it")?;
    let arguments = arguments.lines().next().unwrap_or_default();
    for operator in ["split", "count"] {
        let component = guest(&format!("examples/word-count/operators/{operator}"));
        assert!(component.is_file(), "it was built");
    }
    let mut program = Command::new(env!("CARGO_BIN_EXE_embedding"));
    program.args(arguments.split(' ')).current_dir(root);
    let output = program.output()?;
    assert!(output.status.success(), "{output:#?}");
    assert_eq!(String::from_utf8(output.stdout)?, expected);
    let shown = format!("```text\n{expected}```\n");
    assert!(readme.contains(&shown), "the README does not show {shown}");
    Ok(())
}

#[test]
fn a_job_file_that_is_missing_is_named() -> Result<()> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_embedding"));
    let output = program.arg("missing/job.toml").output()?;
    assert!(!output.status.success(), "{output:#?}");
    let said = String::from_utf8(output.stderr)?;
    assert!(said.contains("missing/job.toml"), "{said}");
    Ok(())
}
