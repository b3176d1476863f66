//! A comparison of two binaries: reports of alternating runs, and the ratios of their medians. A
//! ratio is reported, never judged.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use comfy_table::{CellAlignment, Table, presets};
use serde_json::Value;

use crate::statistics::Summary;

/// The compared figures, with their keys in a job's report.
const FIGURES: [(&str, &str); 3] = [
    ("records/s", "records_per_second"),
    ("CPU ns/record", "cpu_ns_per_record"),
    ("peak RSS", "peak_rss_bytes"),
];

/// A job and its parallelism.
type JobKey = (String, Option<u64>);

/// The median of each figure over all reports, by job.
type Medians = BTreeMap<JobKey, [f64; FIGURES.len()]>;

/// Prints how the `head` reports differ from the `base` reports, as a table.
pub(crate) fn table(base: &[PathBuf], head: &[PathBuf]) -> Result<String> {
    let (base, head) = (medians(&reports(base)?)?, medians(&reports(head)?)?);
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["job", "p", "figure", "base", "head", "head / base"]);
    for (key, of_base) in &base {
        let of_head = head.get(key);
        let of_head =
            of_head.with_context(|| format!("{} was measured on one side only", key.0))?;
        for (index, (name, _)) in FIGURES.iter().enumerate() {
            let (before, after) = (of_base[index], of_head[index]);
            table.add_row([
                key.0.clone(),
                key.1
                    .map_or("-".to_owned(), |parallelism| parallelism.to_string()),
                (*name).to_owned(),
                format!("{before:.1}"),
                format!("{after:.1}"),
                format!("{:.3}", after / before),
            ]);
        }
    }
    for column in table.column_iter_mut().skip(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    Ok(table.to_string())
}

fn reports(paths: &[PathBuf]) -> Result<Vec<Value>> {
    let read = |path: &PathBuf| -> Result<Value> {
        let text = fs::read(path).with_context(|| format!("read {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("read {} as JSON", path.display()))
    };
    paths.iter().map(read).collect()
}

fn medians(reports: &[Value]) -> Result<Medians> {
    ensure!(!reports.is_empty(), "there are no reports");
    let mut samples: BTreeMap<JobKey, [Vec<f64>; FIGURES.len()]> = BTreeMap::new();
    for job in reports
        .iter()
        .flat_map(|report| report["jobs"].as_array())
        .flatten()
    {
        let name = job["job"].as_str().context("a job has no name")?;
        let key = (name.to_owned(), job["parallelism"].as_u64());
        let of_job = samples.entry(key).or_default();
        for ((_, figure), samples) in FIGURES.iter().zip(of_job) {
            let value = job[figure]["median"].as_f64();
            samples.push(value.with_context(|| format!("`{figure}` of {name} has no median"))?);
        }
    }
    let of_job = |(key, samples): (JobKey, [Vec<f64>; FIGURES.len()])| {
        let median = |samples| Summary::of(samples).map_or(f64::NAN, |summary| summary.median);
        (key, samples.map(median))
    };
    Ok(samples.into_iter().map(of_job).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(rate: f64) -> Value {
        let median = |value: f64| serde_json::json!({ "median": value });
        serde_json::json!({ "jobs": [{
            "job": "parity-sum",
            "parallelism": 2,
            "records_per_second": median(rate),
            "cpu_ns_per_record": median(10.0),
            "peak_rss_bytes": median(4.0),
        }]})
    }

    #[test]
    fn ratios_are_those_of_the_medians_over_all_rounds() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let write = |name: &str, rate: f64| -> Result<PathBuf> {
            let path = directory.path().join(name);
            fs::write(&path, report(rate).to_string())?;
            Ok(path)
        };
        let base = [write("1", 90.0)?, write("2", 100.0)?, write("3", 500.0)?];
        let head = [write("4", 110.0)?, write("5", 1.0)?, write("6", 120.0)?];
        let table = table(&base, &head)?;
        let row = table.lines().nth(2).unwrap_or_default();
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let expected = [
            "",
            "parity-sum",
            "2",
            "records/s",
            "100.0",
            "110.0",
            "1.100",
            "",
        ];
        assert_eq!(cells, expected);
        Ok(())
    }

    #[test]
    fn a_job_of_one_side_only_is_named() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let (base, head) = (directory.path().join("base"), directory.path().join("head"));
        fs::write(&base, report(1.0).to_string())?;
        fs::write(&head, "{\"jobs\": []}")?;
        let compared = table(&[base], &[head]);
        let message = compared.err().map(|error| error.to_string());
        let expected = "parity-sum was measured on one side only";
        assert_eq!(message.as_deref(), Some(expected));
        Ok(())
    }
}
