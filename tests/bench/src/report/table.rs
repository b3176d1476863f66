//! Results as tables, for a terminal and for Markdown.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};

use super::{JobResult, PlainResult, Report};
use crate::statistics::Summary;

/// The place where a table is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Terminal,
    Markdown,
}

/// Returns all tables, each with its title.
pub(crate) fn tables(report: &Report, style: Style) -> String {
    let mut text = String::new();
    let mut add = |title: &str, table: Table| {
        if !table.is_empty() {
            writeln!(text, "{title}\n\n{table}\n").expect("a string takes what is written to it");
        }
    };
    add(
        "Throughput (medians over the runs)",
        throughput(report, style),
    );
    add(
        "Checkpoints (median / max over all)",
        checkpoints(report, style),
    );
    add(
        "Latency at a tenth of that rate (medians over the runs)",
        latency(report, style),
    );
    add(
        "Recovery and width (median / max over the runs)",
        others(report, style),
    );
    text
}

/// Returns the page that is kept beside the results.
pub(crate) fn markdown(report: &Report) -> String {
    let Report {
        date,
        machine,
        versions,
        runs,
        seconds,
        ..
    } = report;
    format!(
        "# Results of {date}\n\n\
         Made by `make bench ARGS=--save`; do not edit. What the columns mean is in the \
         [README](../README.md).\n\n\
         - machine: {}, {} cores, {} of memory, Linux {}\n\
         - tidegate {} ({}), wasmtime {}, {}\n\
         - {runs} runs of {seconds} s\n\n{}",
        machine.cpu,
        machine.cores,
        bytes(machine.memory_bytes as f64),
        machine.kernel,
        versions.tidegate,
        versions.commit,
        versions.wasmtime,
        versions.rustc,
        tables(report, Style::Markdown).trim_end().to_owned() + "\n",
    )
}

fn throughput(report: &Report, style: Style) -> Table {
    let header = [
        "job",
        "p",
        "records/s",
        "CPU ns/record",
        "plain ns",
        "ratio",
        "int ns",
        "int ratio",
        "peak RSS",
        "cold start",
        "first start",
    ];
    let rows = report.jobs.iter().map(|job| {
        let of_plain = |plain: &Option<PlainResult>| match plain {
            Some(plain) => [
                format!("{:.1}", plain.cpu_ns_per_record.median),
                format!("{:.2}", plain.ratio_per_core),
            ],
            None => ["-".to_owned(), "-".to_owned()],
        };
        let [plain_ns, ratio] = of_plain(&job.plain_bytes);
        let [integers_ns, integers_ratio] = of_plain(&job.plain_integers);
        vec![
            job.job.name().to_owned(),
            parallelism(job),
            millions(job.records_per_second),
            format!("{:.1}", job.cpu_ns_per_record.median),
            plain_ns,
            ratio,
            integers_ns,
            integers_ratio,
            bytes(job.peak_rss_bytes.median),
            format!("{:.0} ms", job.cold_start_ms.median),
            format!("{:.0} ms", job.first_start_ms.median),
        ]
    });
    table(style, &header, rows)
}

fn checkpoints(report: &Report, style: Style) -> Table {
    let header = [
        "job",
        "p",
        "number",
        "end to end ms",
        "pause ms",
        "bytes",
        "failed",
        "throughput lost",
    ];
    let rows = report.jobs.iter().map(|job| {
        let lost = format!("{:.1} %", job.lost_to_checkpoints.median * 100.0);
        let mut row = vec![job.job.name().to_owned(), parallelism(job)];
        row.extend(match &job.checkpoints {
            Some(all) => [
                all.duration_ms.count.to_string(),
                median_and_max(all.duration_ms),
                median_and_max(all.pause_ms),
                bytes(all.state_bytes.median),
                all.failed.to_string(),
                lost,
            ],
            None => ["0", "-", "-", "-", "-", &lost].map(str::to_owned),
        });
        row
    });
    table(style, &header, rows)
}

fn latency(report: &Report, style: Style) -> Table {
    let header = [
        "job",
        "p",
        "records/s",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "max ms",
    ];
    let measured = report
        .jobs
        .iter()
        .filter_map(|job| Some((job, job.latency?)));
    let rows = measured.map(|(job, latency)| {
        vec![
            job.job.name().to_owned(),
            parallelism(job),
            millions(latency.records_per_second),
            format!("{:.1}", latency.p50_ms.median),
            format!("{:.1}", latency.p99_ms.median),
            format!("{:.1}", latency.p999_ms.median),
            format!("{:.1}", latency.max_ms.max),
        ]
    });
    table(style, &header, rows)
}

fn others(report: &Report, style: Style) -> Table {
    let mut rows = Vec::new();
    let mut add = |what: String, figure: String| rows.push(vec![what, figure]);
    if let Some(recovery) = &report.recovery {
        let milliseconds = |summary| format!("{} ms", median_and_max(summary));
        let what = "trap to first record, little state".to_owned();
        add(what, milliseconds(recovery.after_trap_ms));
        let keys = recovery.keys_after_kill;
        let what = format!("process start to first record, {keys} keys");
        add(what, milliseconds(recovery.after_kill_ms));
    }
    if let Some(wide) = &report.wide {
        let subtasks = wide.subtasks;
        let seconds = median_and_max(wide.run_seconds);
        add(
            format!("1 M records through {subtasks} subtasks"),
            format!("{seconds} s"),
        );
        let memory = bytes(wide.idle_bytes_per_subtask.median);
        add(format!("memory of an idle subtask of {subtasks}"), memory);
    }
    table(style, &["what", "figure"], rows.into_iter())
}

fn table(style: Style, header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(match style {
        Style::Terminal => presets::UTF8_FULL_CONDENSED,
        Style::Markdown => presets::ASCII_MARKDOWN,
    });
    table.set_header(header).add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn parallelism(job: &JobResult) -> String {
    job.parallelism.map_or("-".to_owned(), |p| p.to_string())
}

fn millions(rate: Summary) -> String {
    format!("{:.2} M", rate.median / 1e6)
}

fn median_and_max(summary: Summary) -> String {
    format!("{:.1} / {:.1}", summary.median, summary.max)
}

fn bytes(bytes: f64) -> String {
    match bytes {
        bytes if bytes >= 1e9 => format!("{:.1} GB", bytes / 1e9),
        bytes if bytes >= 1e6 => format!("{:.0} MB", bytes / 1e6),
        bytes if bytes >= 1e3 => format!("{:.0} kB", bytes / 1e3),
        bytes => format!("{bytes:.0} B"),
    }
}
