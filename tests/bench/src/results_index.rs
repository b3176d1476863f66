//! `results/index.jsonl`: a line for each job of each kept result, by date. It is derived from the
//! files beside it, so it can be recreated at any time.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::Value;

/// The file's name, beside the results.
const INDEX: &str = "index.jsonl";

/// A line of the index.
#[derive(Debug, Serialize)]
struct Line<'a> {
    date: &'a str,
    commit: &'a str,
    job: &'a str,
    parallelism: Option<u64>,
    /// Medians, as in the report.
    records_per_second: f64,
    cpu_ns_per_record: f64,
    peak_rss_bytes: f64,
    file: &'a str,
}

/// Writes the index of the results in `directory`.
pub(crate) fn write(directory: &Path) -> Result<()> {
    let path = directory.join(INDEX);
    let text = lines(directory)?;
    fs::write(&path, text).with_context(|| format!("write {}", path.display()))
}

/// Returns the index of the results in `directory`.
fn lines(directory: &Path) -> Result<String> {
    let mut reports = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let is_report = path
            .extension()
            .is_some_and(|extension| extension == "json");
        let name = path.file_name().and_then(|name| name.to_str());
        if let (true, Some(name)) = (is_report, name) {
            let text = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
            let report: Value = serde_json::from_slice(&text)
                .with_context(|| format!("read {} as JSON", path.display()))?;
            reports.push((name.to_owned(), report));
        }
    }
    let date = |report: &Value| report["date"].as_str().unwrap_or_default().to_owned();
    reports.sort_by_key(|(name, report)| (date(report), name.clone()));
    let mut text = String::new();
    for (file, report) in &reports {
        for job in report["jobs"].as_array().into_iter().flatten() {
            let line = line_of(file, report, job).with_context(|| format!("a job of {file}"))?;
            text.push_str(&serde_json::to_string(&line)?);
            text.push('\n');
        }
    }
    Ok(text)
}

fn line_of<'a>(file: &'a str, report: &'a Value, job: &'a Value) -> Result<Line<'a>> {
    let text = |value: &'a Value| value.as_str().context("a text is missing");
    let median = |figure: &str| {
        let median = job[figure]["median"].as_f64();
        median.with_context(|| format!("`{figure}` has no median"))
    };
    Ok(Line {
        date: text(&report["date"])?,
        commit: text(&report["versions"]["commit"])?,
        job: text(&job["job"])?,
        parallelism: job["parallelism"].as_u64(),
        records_per_second: median("records_per_second")?,
        cpu_ns_per_record: median("cpu_ns_per_record")?,
        peak_rss_bytes: median("peak_rss_bytes")?,
        file,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_that_is_kept_is_that_of_the_results() -> Result<()> {
        let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
        let kept = fs::read_to_string(results.join(INDEX))?;
        assert_eq!(kept, lines(&results)?, "run `make bench-index`");
        Ok(())
    }

    #[test]
    fn jobs_of_older_results_come_first() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let report = |date: &str, job: &str| {
            let median = serde_json::json!({ "median": 1.5 });
            serde_json::json!({
                "date": date,
                "versions": { "commit": "c" },
                "jobs": [{
                    "job": job,
                    "parallelism": null,
                    "records_per_second": median,
                    "cpu_ns_per_record": median,
                    "peak_rss_bytes": median,
                }],
            })
        };
        let write =
            |name: &str, report: Value| fs::write(directory.path().join(name), report.to_string());
        write("a.json", report("2026-02-01", "later"))?;
        write("b.json", report("2026-01-01", "earlier"))?;
        let text = lines(directory.path())?;
        let jobs: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split("\"job\":\"").nth(1)?.split('"').next())
            .collect();
        assert_eq!(jobs, ["earlier", "later"]);
        write("c.json", serde_json::json!({ "date": "", "jobs": [{}] }))?;
        assert!(lines(directory.path()).is_err());
        Ok(())
    }
}
