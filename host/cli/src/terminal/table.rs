//! Tables for people. The only place that names comfy-table.

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use tidegate_operator::shown_text;

use super::Lines;

/// Returns columns under their names, without lines, as `ps` prints them.
pub(crate) fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Lines {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(header.iter().copied());
    for row in rows {
        // A line break in a cell would look like a new row.
        table.add_row(row.iter().map(|cell| shown_text(cell).to_string()));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut lines = Lines::new();
    for line in table.to_string().lines() {
        lines.line(line.trim_end());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_their_names() {
        let rows = [
            vec!["a".to_owned(), "10".to_owned()],
            vec!["long".to_owned(), "7".to_owned()],
            vec!["x\ny".to_owned(), "\u{1b}".to_owned()],
        ];
        assert_eq!(
            table(&["NAME", "N"], rows.into_iter()).as_str(),
            "NAME  N\na     10\nlong  7\nx\\ny  \\u{1b}\n"
        );
    }
}
