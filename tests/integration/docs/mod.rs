//! README and `docs/`: every code block is run, checked, or compared with the file it shows.
//!
//! The language of a block decides: `console` is run ([`sessions`]), `sh` is checked against
//! `--help` and the Makefile ([`commands`]), `toml` is a job file or a part of one ([`job_files`]),
//! and `text` is not checked. Any other block follows a comment that names the file it shows,
//! `<!-- file: PATH -->`, or the file that the sessions of its page use, `<!-- write: PATH -->`.

mod blocks;
mod commands;
mod job_files;
mod sessions;

use std::path::{Path, PathBuf};

use tidegate_tests::workspace_root;

use blocks::{Block, Note, Page};

/// Languages whose blocks show code, which a test must compile or compare.
const CODE: [&str; 10] = [
    "c", "cpp", "go", "js", "json", "python", "rust", "toml", "ts", "wit",
];

/// Returns README and the pages of the book, in the order of their paths.
fn pages() -> Vec<Page> {
    let root = workspace_root();
    let mut paths = vec![PathBuf::from("README.md")];
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder)).expect("the folder can be listed") {
            let name = entry.expect("an entry can be read").file_name();
            let path = folder.join(name);
            if root.join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(root.join(&path)).expect("a page is UTF-8");
        Page::parse(&path.to_string_lossy(), &text)
    };
    paths.into_iter().map(read).collect()
}

/// Checks a block; an error is the mismatch, or the reason why no check applies.
fn check(block: &Block) -> Result<(), String> {
    let language = block.language.as_str();
    match (&block.note, language) {
        (Note::File(path), _) => is_excerpt(&block.text, Path::new(path)),
        (Note::None, "text") | (Note::Write(_), _) => Ok(()),
        (Note::None | Note::Fails(_), "console") => Ok(()),
        (Note::None, "sh") => commands::check(&block.text),
        (Note::None, "toml") => job_files::check(&block.text),
        (Note::None, code) if CODE.contains(&code) => Err(format!(
            "`{code}` that no test compiles, name the file that it is from: <!-- file: PATH -->"
        )),
        (Note::None | Note::Fails(_), _) => Err(format!(
            "a block of the kind `{language}`, use console, sh, toml, or text for what is not \
             to be checked"
        )),
    }
}

/// Checks that the lines of `text` are in the file, one after the other.
fn is_excerpt(text: &str, path: &Path) -> Result<(), String> {
    let file = std::fs::read_to_string(workspace_root().join(path))
        .map_err(|error| format!("`{}` can't be read: {error}", path.display()))?;
    let with_start = format!("\n{file}");
    if with_start.contains(&format!("\n{text}")) {
        Ok(())
    } else {
        Err(format!("these lines do not stand in `{}`", path.display()))
    }
}

#[test]
fn every_code_block_of_the_documents_is_checked() {
    let mut found = Vec::new();
    let mut checked = 0;
    for page in pages() {
        found.extend(page.problems);
        for block in page.blocks {
            checked += 1;
            if let Err(problem) = check(&block) {
                found.push(format!("{}:{}: {problem}", block.page, block.line));
            }
        }
    }
    assert!(checked > 50, "only {checked} blocks were found");
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// The sessions run one after the other, in one folder: in a project of another path the compiler
/// would rebuild the standard library.
#[test]
fn every_session_of_the_documents_runs_as_shown() {
    let mut found = Vec::new();
    let mut run = 0;
    for page in pages() {
        if page.has_session() {
            run += 1;
            found.extend(sessions::run(&page));
        }
    }
    assert!(run > 4, "only {run} pages have sessions");
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn the_readme_is_short() {
    let path = workspace_root().join("README.md");
    let readme = std::fs::read_to_string(path).expect("there is a README");
    assert!(readme.lines().count() <= 120, "at most 120 lines");
}

#[test]
fn every_page_is_in_the_summary() {
    let root = workspace_root();
    let summary = std::fs::read_to_string(root.join("docs/SUMMARY.md")).expect("it is there");
    let missing: Vec<_> = pages()
        .into_iter()
        .filter_map(|page| page.path.strip_prefix("docs/").map(str::to_owned))
        .filter(|page| page != "SUMMARY.md" && !summary.contains(&format!("({page})")))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn a_block_that_nothing_checks_is_found() {
    let page = Page::parse(
        "docs/a.md",
        "A.\n\n```rust\nfn a() {}\n```\n\n```\nb\n```\n\n    indented\n\n<!-- file: LICENSE -->\n\
         ```text\nnot in it\n```\n\n```sh\nmake nothing-like-it\ntidegate run --forever\n```\n",
    );
    assert_eq!(
        page.problems,
        ["docs/a.md:11: an indented block, use a fence that names its language"]
    );
    let found: Vec<String> = page.blocks.iter().filter_map(|b| check(b).err()).collect();
    assert_eq!(found.len(), 4, "{found:#?}");
    assert!(found[0].starts_with("`rust` that no test compiles"));
    assert!(found[1].starts_with("a block of the kind ``"));
    assert_eq!(found[2], "these lines do not stand in `LICENSE`");
    assert_eq!(
        found[3],
        "`make nothing-like-it`: the Makefile has no such target\n\
         `tidegate run`: its help has no `--forever`"
    );
}
