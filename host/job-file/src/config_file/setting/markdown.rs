//! Settings as tables in Markdown. Pure.

use super::{Absent, Row};

/// Returns the rows as a table, which has a column for versions if they are known.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let has_versions = rows.iter().any(|row| row.since.is_some());
    let mut text = match has_versions {
        true => "| key | type | default | since | meaning |\n| --- | --- | --- | --- | --- |\n",
        false => "| key | type | default | meaning |\n| --- | --- | --- | --- |\n",
    }
    .to_owned();
    for row in rows {
        let words = row.words.iter();
        let words = words.map(|(word, meaning)| format!("<br>`{word}`: {meaning}"));
        let since = has_versions.then(|| row.since.unwrap_or_default().to_owned());
        let cells = [
            Some(format!("`{}`", row.key)),
            Some(row.kind.clone()),
            Some(absent(&row.absent)),
            since,
            Some(format!("{}{}", row.help, words.collect::<String>())),
        ];
        let cells = cells.into_iter().flatten();
        let cells: Vec<String> = cells.map(|cell| one_line(&cell)).collect();
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text
}

/// Returns the text of a cell, without newlines and bars, which would end it.
fn one_line(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

fn absent(absent: &Absent) -> String {
    match absent {
        Absent::Refused => "required".to_owned(),
        Absent::Value(value) => format!("`{value}`"),
        Absent::Means(phrase) => (*phrase).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_stays_one_line_whatever_its_text() {
        let row = Row {
            key: "format".to_owned(),
            kind: "text".to_owned(),
            absent: Absent::Value("\"a|b\"".to_owned()),
            help: "One\ntwo.".to_owned(),
            words: vec![("a|b".to_owned(), "Both.".to_owned())],
            since: Some("0.1"),
        };
        let expected = "| `format` | text | `\"a\\|b\"` | 0.1 | One two.<br>`a\\|b`: Both. |";
        assert_eq!(table(&[row]).lines().nth(2), Some(expected));
    }
}
