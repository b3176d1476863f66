//! The reference page of the job file, generated from the declarations of its settings.

use schemars::Schema;
use tidegate_checkpoint::NodeKind;
use tidegate_connector::ConnectorList;

use super::nodes::INPUT;
use super::option_rows;
use super::options::options;
use super::settings::{LIMITS, ROOT};
use super::tables::{JOB_TABLES, node_section};
use crate::config_file::setting::{Absent, Described, FIRST, Row, markdown};

const HEAD: &str = "\
# The job file

<!-- Made from the declarations in host/job-file/src/job_file; do not edit. To write it again:
     make reference -->

A job file is TOML and describes one job: where its records come from, which operators process
them, where they go, and how the job is run. `tidegate check job.toml` reports every problem of a
job file, and `tidegate schema` prints the JSON Schema for editors. The *default* below applies to a
file without the key.

## Keys outside of tables

";

const TYPES: &str = "\
## Types

- A **duration** is text with numbers and units: `\"500ms\"`, `\"1s\"`, `\"1m 30s\"`. Units are
  `ns`, `us`, `ms`, `s`, `m` (minutes), `h`, `d` and `w`. The longest duration is a year.
- A **size** is text with a number and a unit: `\"64KiB\"`, `\"256MiB\"`, `\"1GB\"`.
- A **share** is a percentage of `limits.memory` in text, `\"75%\"`, or `\"never\"`.
- A **word** is a text from the list of the setting.
- A **path** is relative to the job file.
";

/// Returns the page for these connectors, in Markdown.
#[must_use]
pub fn reference(list: &ConnectorList) -> String {
    let mut page = HEAD.to_owned();
    let version = Row {
        key: "version".to_owned(),
        kind: "the integer 1".to_owned(),
        absent: Absent::Refused,
        help: "The version of the job file's format.".to_owned(),
        words: Vec::new(),
        since: Some(FIRST),
    };
    let mut rows = vec![version];
    rows.extend(ROOT.rows());
    page.push_str(&markdown::table(&rows));
    for table in JOB_TABLES {
        chapter(&mut page, &format!("[{}]", table.key), table.section);
    }
    connectors(&mut page, list, NodeKind::Source);
    chapter(
        &mut page,
        "[operator.NAME]",
        node_section(NodeKind::Operator),
    );
    chapter(&mut page, "Limits", &LIMITS);
    chapter(&mut page, "Inputs", &INPUT);
    connectors(&mut page, list, NodeKind::Sink);
    page.push('\n');
    page.push_str(TYPES);
    page
}

fn chapter(page: &mut String, title: &str, section: &dyn Described) {
    let title = match title.starts_with('[') {
        true => format!("`{title}`"),
        false => title.to_owned(),
    };
    let table = markdown::table(&section.rows());
    page.push_str(&format!("\n## {title}\n\n{}\n\n{table}", section.help()));
}

fn connectors(page: &mut String, list: &ConnectorList, kind: NodeKind) {
    chapter(page, &format!("[{kind}.NAME]"), node_section(kind));
    for (name, options) in options(list, kind) {
        connector(page, kind, name, options);
    }
}

fn connector(page: &mut String, kind: NodeKind, name: &str, options: Schema) {
    let options = options.to_value();
    let rows = option_rows::rows(&options);
    let help = options["description"].as_str().unwrap_or_default();
    page.push_str(&format!("\n### The {kind} `{name}`\n\n{help}\n"));
    if !rows.is_empty() {
        page.push_str(&format!("\n{}", markdown::table(&rows)));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tidegate_connectors::built_in;

    use super::*;

    #[test]
    fn the_reference_page_is_the_one_that_the_declarations_make() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/job-file.md");
        let page = reference(&built_in());
        if std::env::var_os("TIDEGATE_WRITE_REFERENCE").is_some() {
            std::fs::write(&path, &page).expect("the page can be written");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == page,
            "docs/reference/job-file.md is out of date; write it again with `make reference`"
        );
    }

    #[test]
    fn every_setting_has_a_help_text_that_is_a_sentence() {
        let mut sections: Vec<&dyn Described> = vec![&ROOT, &INPUT, &LIMITS];
        sections.extend(JOB_TABLES.map(|table| table.section));
        let kinds = [NodeKind::Source, NodeKind::Operator, NodeKind::Sink];
        sections.extend(kinds.map(node_section));
        for row in sections.into_iter().flat_map(Described::rows) {
            let help = &row.help;
            assert!(
                help.ends_with('.') && help.len() > 10,
                "{}: {help}",
                row.key
            );
        }
    }
}
