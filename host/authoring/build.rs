//! Embeds the files of each SDK and of the templates, for `tidegate new` and `tidegate sdk update`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// A folder or file of the sources, its place in the embedded SDK, and the extensions of the files
/// that belong to it.
struct Part {
    from: &'static str,
    to: &'static str,
    extensions: &'static [&'static str],
}

const fn part(from: &'static str, to: &'static str, extensions: &'static [&'static str]) -> Part {
    Part {
        from,
        to,
        extensions,
    }
}

/// The parts that an author's project needs: no tests of an SDK, and no settings of its checks.
const SDKS: [(&str, &[Part]); 5] = [
    (
        "RUST",
        &[
            part("guest-sdk/rust/src", "src", &["rs", "in"]),
            part("guest-sdk/rust/README.md", "README.md", &["md"]),
            part("host/key-groups/src", "key-groups/src", &["rs"]),
            part("wit", "wit", &["wit"]),
        ],
    ),
    (
        "C",
        &[
            part("guest-sdk/c/CMakeLists.txt", "CMakeLists.txt", &["txt"]),
            part("guest-sdk/c/README.md", "README.md", &["md"]),
            part("guest-sdk/c/cmake", "cmake", &["cmake"]),
            part("guest-sdk/c/include", "include", &["h", "hpp"]),
            part("guest-sdk/c/src", "src", &["c", "h"]),
            part("guest-sdk/c/testing", "testing", &["c", "h"]),
        ],
    ),
    (
        "PYTHON",
        &[
            part(
                "guest-sdk/python/pyproject.toml",
                "pyproject.toml",
                &["toml"],
            ),
            part("guest-sdk/python/README.md", "README.md", &["md"]),
            part("guest-sdk/python/src", "src", &["py", "typed"]),
        ],
    ),
    (
        "GO",
        &[
            part("guest-sdk/go", "", &["go", "mod", "md"]),
            part("guest-sdk/go/internal", "internal", &["go"]),
            part("guest-sdk/go/tidegatetest", "tidegatetest", &["go"]),
        ],
    ),
    (
        "JAVASCRIPT",
        &[
            part(
                "guest-sdk/javascript/package.json",
                "package.json",
                &["json"],
            ),
            part("guest-sdk/javascript/README.md", "README.md", &["md"]),
            part("guest-sdk/javascript/src", "src", &["js"]),
            part("guest-sdk/javascript/types", "types", &["ts"]),
        ],
    ),
];

/// Manifests from which that of the embedded Rust SDK is made.
const MANIFESTS: [(&str, &str); 3] = [
    ("WORKSPACE_MANIFEST", "Cargo.toml"),
    ("RUST_MANIFEST", "guest-sdk/rust/Cargo.toml"),
    ("KEY_GROUPS_MANIFEST", "host/key-groups/Cargo.toml"),
];

/// Folders of templates that are not divided any further.
const WHOLE: [&str; 3] = ["copied", "every", "job-only"];

/// A file of the sources, and its path in the embedded SDK.
type Embedded = (PathBuf, PathBuf);

impl Part {
    fn files(&self, root: &Path) -> io::Result<Vec<Embedded>> {
        let mut files = Vec::new();
        let from = root.join(self.from);
        println!("cargo::rerun-if-changed={}", from.display());
        list(&from, Path::new(self.to), &mut files)?;
        files.retain(|(_, to)| self.wants(to));
        files.sort();
        Ok(files)
    }

    fn wants(&self, path: &Path) -> bool {
        let extension = path.extension().unwrap_or_default();
        let is_of_it = self.extensions.iter().any(|wanted| extension == *wanted);
        let is_test = path.to_string_lossy().ends_with("_test.go");
        // Of a folder whose files go to the top, the folders are parts of their own.
        let is_below = self.to.is_empty() && path.components().count() > 1;
        is_of_it && !is_test && !is_below
    }
}

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut code = String::new();
    for (name, path) in MANIFESTS {
        let path = root.join(path);
        println!("cargo::rerun-if-changed={}", path.display());
        writeln!(code, "const {name}: &str = {};", include(&path)).map_err(io::Error::other)?;
    }
    for (name, parts) in SDKS {
        let files = parts.iter().map(|part| part.files(&root));
        let files = files.collect::<io::Result<Vec<_>>>()?.concat();
        let entry = |(from, to): &Embedded| format!("    ({to:?}, {}),\n", include(from));
        let entries: String = files.iter().map(entry).collect();
        writeln!(code, "static {name}: &[(&str, &str)] = &[\n{entries}];")
            .map_err(io::Error::other)?;
    }
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    let out = PathBuf::from(out);
    fs::write(out.join("sdk_files.rs"), code)?;
    fs::write(out.join("template_files.rs"), templates()?)
}

/// Returns the code of all files of templates: the folder, the path in a project, and the text.
fn templates() -> io::Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    list(&root, Path::new(""), &mut files)?;
    files.sort();
    let mut code = "static FILES: &[(&str, &str, &str)] = &[\n".to_owned();
    for (from, to) in &files {
        let parts: Vec<_> = to.iter().map(|part| part.to_string_lossy()).collect();
        // A language and a template have folders for each kind of file.
        let depth = if WHOLE.contains(&&*parts[0]) { 1 } else { 2 };
        let (folder, path) = (parts[..depth].join("/"), parts[depth..].join("/"));
        let path = path.strip_suffix(".template").unwrap_or(&path);
        let path = path.replace("gitignore", ".gitignore");
        let line = format!("    ({folder:?}, {path:?}, {}),", include(from));
        writeln!(code, "{line}").map_err(io::Error::other)?;
    }
    Ok(code + "];\n")
}

/// Returns the expression of a file's text.
fn include(path: &Path) -> String {
    format!("include_str!({path:?})")
}

/// Lists a file, or all files below a folder.
fn list(from: &Path, to: &Path, files: &mut Vec<Embedded>) -> io::Result<()> {
    if from.is_file() {
        files.push((from.to_owned(), to.to_owned()));
        return Ok(());
    }
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        let made_by_tools = ["node_modules", "target", "__pycache__"];
        if !made_by_tools.iter().any(|made| name == *made) {
            list(&from.join(&name), &to.join(&name), files)?;
        }
    }
    Ok(())
}
