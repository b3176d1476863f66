//! Job files that are shown: `tidegate check` accepts each. A part of one is checked within a small
//! job that has the rest.

use tidegate_tests::{JobDirectory, guest};
use toml::{Table, Value};

/// The job that completes a part.
const REST: &str = r#"
version = 1
name = "shown"

[source.lines]
connector = "file"
path = "input/*.txt"
format = "lines"
"#;

/// Checks a job file, or a part of one.
pub(super) fn check(text: &str) -> Result<(), String> {
    let shown: Table = text.parse().map_err(|error| format!("no TOML: {error}"))?;
    let is_whole = shown.contains_key("version");
    let job = if is_whole { shown } else { completed(shown) };
    let directory = JobDirectory::new(&if is_whole {
        text.to_owned()
    } else {
        job.to_string()
    });
    put_files(&directory, &job);
    let checked = directory.tidegate(&["check", "job.toml"]);
    match checked.code {
        Some(0) => Ok(()),
        _ => Err(format!(
            "`tidegate check` rejects the job:\n{}",
            checked.stderr
        )),
    }
}

/// Adds a source to the part, and a sink that reads the nodes that no other node reads.
fn completed(part: Table) -> Table {
    let mut job: Table = REST.parse().expect("the rest is TOML");
    merge(&mut job, part);
    let named = |section: &str| -> Vec<String> {
        let table = job.get(section).and_then(Value::as_table);
        table.map_or_else(Vec::new, |table| table.keys().cloned().collect())
    };
    let producers = [named("source"), named("operator")].concat();
    let inputs: Vec<String> = producers
        .iter()
        .map(|name| format!("{{ from = \"{name}\" }}"))
        .collect();
    let sink = format!(
        "[sink.everything]\nconnector = \"discard\"\ninputs = [{}]\n",
        inputs.join(", ")
    );
    merge(&mut job, sink.parse().expect("the sink is TOML"));
    job
}

fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// Writes the components and the input that the job names.
fn put_files(directory: &JobDirectory, job: &Table) {
    let component = std::fs::read(guest("examples/word-count/operators/count"));
    let component = component.expect("the component can be read");
    for operator in nodes(job, "operator") {
        if let Some(path) = operator.get("component").and_then(Value::as_str) {
            put(directory, path, &component);
        }
    }
    for source in nodes(job, "source") {
        if let Some(path) = source.get("path").and_then(Value::as_str) {
            put(
                directory,
                &path.replace("**", "a").replace('*', "a"),
                b"a\n",
            );
        }
    }
}

fn nodes<'a>(job: &'a Table, section: &str) -> impl Iterator<Item = &'a Table> {
    let table = job.get(section).and_then(Value::as_table);
    table
        .into_iter()
        .flat_map(Table::values)
        .filter_map(Value::as_table)
}

fn put(directory: &JobDirectory, path: &str, contents: &[u8]) {
    let folder = directory.path().join(path);
    let folder = folder.parent().expect("a file has a folder");
    std::fs::create_dir_all(folder).expect("a folder can be made");
    directory.write(path, contents);
}
