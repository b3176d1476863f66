//! Tests of the templates' files.

use super::*;

/// The packages that a manifest of a template may name, besides the SDK: each is a well-known one
/// of its registry, and belongs to its authors.
const KNOWN_PACKAGES: [&str; 1] = ["serde"];

fn file<'a>(files: &'a [File], path: &str) -> &'a str {
    let found = files.iter().find(|file| file.path == path);
    &found.expect("the project has the file").text
}

#[test]
fn texts_of_the_same_path_follow_each_other() {
    let files = of_operator(Language::Python, Template::Map, &Sdk::Copied);
    let ignored = file(&files, ".gitignore");
    assert_eq!(ignored, "/.venv\n__pycache__\n/target\n/state\n*.wasm\n");
    let readme = file(&files, "README.md");
    assert!(
        readme.starts_with("# {{name}}\n\nThis operator"),
        "{readme}"
    );
    assert!(
        readme.ends_with("of a later version replaces it.\n"),
        "{readme}"
    );
    assert!(!readme.contains("\n\n\n"), "{readme}");
    let elsewhere = Sdk::Folder("/sdk".into());
    let files = of_operator(Language::Python, Template::Map, &elsewhere);
    let readme = file(&files, "README.md");
    assert!(!readme.contains("a copy of"), "{readme}");
}

#[test]
fn every_file_of_the_templates_belongs_to_a_project() {
    let mut written: Vec<String> = Vec::new();
    for language in Language::ALL {
        for template in Template::ALL {
            let files = of_operator(language, template, &Sdk::Copied);
            written.extend(files.into_iter().map(|file| file.text));
        }
    }
    written.extend(of_job().into_iter().map(|file| file.text));
    for (folder, path, text) in FILES {
        assert!(
            written.iter().any(|all| all.contains(text)),
            "{folder}: {path}"
        );
    }
}

#[test]
fn no_template_holds_an_absolute_path() {
    for (folder, path, text) in FILES {
        for root in [
            "/home/", "/root/", "/usr/", "/tmp/", "/work/", "/opt/", "C:\\",
        ] {
            assert!(!text.contains(root), "{folder}: {path}: {root}");
        }
    }
}

/// The dependencies of a manifest in TOML or JSON, beside the SDK.
fn dependencies(path: &str, text: &str) -> Vec<String> {
    let after = |heading: &str| text.split_once(heading).map_or("", |(_, after)| after);
    let section = match path {
        "Cargo.toml" => after("[dependencies]"),
        "pyproject.toml" => after("dependencies ="),
        "package.json" => after("ependencies\":"),
        "go.mod" => text,
        _ => "",
    };
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let words = lines.filter_map(|line| {
        let line = line.trim_start_matches([' ', '[', '"']);
        let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || "-_@/.".contains(c)));
        let word = &line[..end.unwrap_or(line.len())];
        (!word.is_empty()).then(|| word.to_owned())
    });
    words.collect()
}

#[test]
fn no_template_depends_on_a_package_that_another_could_register() {
    let of_sdk = ["tidegate-sdk", "@tidegate/sdk", "module", "go"];
    for language in Language::ALL {
        for template in Template::ALL {
            for File { path, text } in of_operator(language, template, &Sdk::Copied) {
                let found = dependencies(path, &text);
                let mut unknown = found.iter().filter(|name| {
                    let name = name.as_str();
                    !of_sdk.contains(&name) && !KNOWN_PACKAGES.contains(&name)
                });
                assert_eq!(unknown.next(), None, "{language:?} {template:?}: {path}");
            }
        }
    }
}

#[test]
fn the_check_of_dependencies_finds_one() {
    let cargo = "[dependencies]\ntidegate-sdk = {{sdk}}\nleft-pad = \"1\"\n[x]\ny = 1\n";
    assert_eq!(
        dependencies("Cargo.toml", cargo),
        ["tidegate-sdk", "left-pad"]
    );
    let npm =
        "{\n  \"dependencies\": {\n    \"@tidegate/sdk\": {{sdk}},\n    \"left-pad\": \"1\"\n";
    assert_eq!(
        dependencies("package.json", npm),
        ["@tidegate/sdk", "left-pad"]
    );
    let go = "module example.com/a\n\nrequire example.org/left v1\n";
    assert_eq!(dependencies("go.mod", go), ["module", "require"]);
    let python = "[project]\ndependencies = [\"left-pad\"]\n";
    assert!(!dependencies("pyproject.toml", python).is_empty());
}
