//! `examples/polyglot`: a job whose operators are in five languages, run as it is, and killed with
//! SIGKILL at random moments.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use tidegate_tests::{
    Expected, JobDirectory, Kills, guest, kill_until_finished, published_lines, tidegate,
    workspace_root,
};

/// Kills at moments from the start, when components are loaded, to many checkpoints later.
const KILLS: Kills = Kills {
    number: 12,
    after_ms: 0..1_500,
};
/// Lines per second of the source while there are kills.
const RATE: u64 = 400;

/// The broken line of the input.
const BROKEN: &str = r#"{"document":"BSD","line":"#;

fn example() -> PathBuf {
    workspace_root().join("examples/polyglot")
}

/// Returns the example's job with the components' real paths, checkpoints every 50 ms and a pace.
fn job(rate: Option<u64>) -> String {
    let text = fs::read_to_string(example().join("job.toml")).expect("the example is there");
    let mut job = text.replace("interval = \"1s\"", "interval = \"50ms\"");
    assert_ne!(job, text);
    for (named, operator) in [
        (
            "operators/parse/parse.wasm",
            "examples/polyglot/operators/parse",
        ),
        (
            "operators/split/split.wasm",
            "examples/polyglot/operators/split",
        ),
        (
            "operators/enrich/enrich.wasm",
            "examples/polyglot/operators/enrich",
        ),
        (
            "operators/filter/filter.wasm",
            "examples/polyglot/operators/filter",
        ),
        (
            "../word-count/operators/count/count.wasm",
            "examples/word-count/operators/count",
        ),
    ] {
        let component = format!("component = \"{}\"", guest(operator).display());
        let here = format!("component = \"{named}\"");
        assert!(job.contains(&here), "{named}");
        job = job.replace(&here, &component);
    }
    let pace = rate.map_or(String::new(), |rate| format!("\nrate-per-subtask = {rate}"));
    let source = "path = \"input/*.jsonl\"";
    job.replace(source, &format!("{source}\nbatch-bytes = \"4KiB\"{pace}"))
}

/// Returns the documents of the example, by the name of their file.
fn documents() -> BTreeMap<String, String> {
    let files = fs::read_dir(example().join("input")).expect("the example has input");
    let read = |file: std::io::Result<fs::DirEntry>| {
        let path = file.expect("it can be listed").path();
        let name = path
            .file_name()
            .expect("it has a name")
            .to_string_lossy()
            .into_owned();
        (name, fs::read_to_string(path).expect("it can be read"))
    };
    files.map(read).collect()
}

fn write_input(job: &JobDirectory, documents: &BTreeMap<String, String>) {
    fs::create_dir(job.path().join("input")).expect("a directory can be made");
    for (name, lines) in documents {
        job.write(&format!("input/{name}"), lines);
    }
}

/// Computes in one function the result of the five operators.
fn expected(documents: &BTreeMap<String, String>) -> Expected {
    let stop_words = [
        "the", "and", "that", "for", "any", "you", "this", "not", "such", "with",
    ];
    let (mut places, mut seen) = (HashMap::<String, u64>::new(), HashMap::<String, u64>::new());
    for line in documents.values().flat_map(|lines| lines.lines()) {
        let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else {
            continue;
        };
        let text = |name: &str| line[name].as_str().expect("it is a line").to_owned();
        let (document, text) = (text("document"), text("text"));
        let family = match document.as_str() {
            "GPL-3" => "copyleft",
            "Apache-2.0" | "BSD" => "permissive",
            other => panic!("{other} has no family"),
        };
        let words = text.split(|c: char| !c.is_ascii_alphabetic());
        for word in words.filter(|word| !word.is_empty()) {
            let word = word.to_ascii_lowercase();
            let place = places.entry(document.clone()).or_default();
            *place += 1;
            if *place > 10 && word.len() >= 3 && !stop_words.contains(&word.as_str()) {
                *seen.entry(format!("{family}:{word}")).or_default() += 1;
            }
        }
    }
    let counted = seen.into_iter().filter(|(_, seen)| *seen >= 2);
    counted
        .map(|(word, seen)| (word, (seen - 1, (seen - 1).to_string())))
        .collect()
}

/// Returns the rejected records.
fn rejected(job: &Path) -> Vec<String> {
    let letters = published_lines(&job.join("rejected"));
    let value = |letter: &String| {
        let letter: serde_json::Value = serde_json::from_str(letter).expect("a letter is JSON");
        letter["value"]
            .as_str()
            .expect("it has the record")
            .to_owned()
    };
    letters.iter().map(value).collect()
}

#[test]
fn a_job_in_five_languages_is_exact_after_kills() {
    let slowest = KILLS.number * KILLS.after_ms.end * RATE / 1_000;
    let mut documents = documents();
    let lines: u64 = documents
        .values()
        .map(|lines| lines.lines().count() as u64)
        .sum();
    // Four times the lines that all runs read if each is killed as late as possible: starting takes
    // time too.
    let repeats = usize::try_from(4 * slowest / lines + 1).expect("it fits in memory");
    for lines in documents.values_mut() {
        *lines = lines.replace(&format!("{BROKEN}\n"), "").repeat(repeats);
    }
    let bsd = documents.get_mut("BSD.jsonl").expect("it is there");
    bsd.insert_str(0, &format!("{BROKEN}\n"));
    let directory = JobDirectory::new(&job(Some(RATE)));
    write_input(&directory, &documents);
    kill_until_finished(&directory, &job(None), &expected(&documents), &KILLS);
    assert_eq!(rejected(directory.path()), [BROKEN]);
}

#[test]
fn the_example_runs_as_its_readme_says() {
    let directory = JobDirectory::new(&job(None));
    let documents = documents();
    write_input(&directory, &documents);
    directory.tidegate(&["run", "job.toml"]).assert_succeeds();
    let published = published_lines(&directory.path().join("output")).len() as u64;
    let words = expected(&documents);
    assert_eq!(
        published,
        words.values().map(|(count, _)| count).sum::<u64>()
    );
    assert_eq!(rejected(directory.path()), [BROKEN]);
}

#[test]
fn the_operators_of_the_example_pass_their_scenarios() {
    for operator in ["parse", "split", "enrich", "filter"] {
        let path = format!("operators/{operator}");
        let tested = tidegate(&example(), &["test", &path, "--no-build"]);
        let stdout = &tested.assert_succeeds().stdout;
        assert!(
            stdout.ends_with("result: ok. 1 passed; 0 failed\n"),
            "{tested:#?}"
        );
    }
}
