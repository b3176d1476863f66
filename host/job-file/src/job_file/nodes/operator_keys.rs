//! The keys that only operators have.

use std::collections::BTreeMap;

use tidegate_checkpoint::DEAD_LETTER;
use tidegate_operator::Limits;
use tidegate_runtime::config::{RecordPolicy, RecycleAt};
use toml::Spanned;

use crate::config_file::problem::{Problem, Span};
use crate::config_file::reader::TableReader;
use crate::config_file::setting::{ChoiceKind, Placed, Word};
use crate::config_file::value;

/// The most output ports that an operator may name.
const MOST_PORTS: usize = 1_024;

/// The keys that only operators have.
#[derive(Debug, Default)]
pub(super) struct OperatorKeys {
    pub(super) component: Option<Spanned<String>>,
    pub(super) limits: Limits,
    pub(super) config: ConfigTable,
    pub(super) outputs: Option<Vec<String>>,
    pub(super) on_trap: Placed<RecordPolicy>,
    pub(super) recycle_at: Option<RecycleAt>,
}

/// The treatment of a record that can't be processed.
pub(super) const POLICY: ChoiceKind<RecordPolicy> = ChoiceKind {
    words: &[
        Word {
            word: "fail",
            value: RecordPolicy::Fail,
            help: "The attempt fails: the job is restarted, and ends when no restart is left.",
        },
        Word {
            word: DEAD_LETTER,
            value: RecordPolicy::DeadLetter,
            help: "The record goes to the output port `dead-letter`, which another node must read. \
                   The job continues with all other records.",
        },
    ],
};

/// The settings that an operator itself reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigTable {
    /// The table as JSON text.
    pub json: String,
    /// The places of its keys in the file.
    pub(crate) keys: BTreeMap<String, Span>,
}

impl Default for ConfigTable {
    fn default() -> Self {
        Self {
            json: "{}".to_owned(),
            keys: BTreeMap::new(),
        }
    }
}

/// Reads `config`.
pub fn config(reader: &mut TableReader<'_, '_>) -> ConfigTable {
    let Some((_, found)) = reader.entry("config") else {
        return ConfigTable::default();
    };
    let Some(table) = found.get_ref().as_table() else {
        reader.wrong_type("config", found, "a table");
        return ConfigTable::default();
    };
    match value::json(found) {
        Ok(json) => ConfigTable {
            json: json.to_string(),
            keys: (table.iter())
                .map(|(key, _)| (key.get_ref().to_string(), key.span()))
                .collect(),
        },
        Err(problem) => {
            reader.problems().push(problem);
            ConfigTable::default()
        }
    }
}

/// Reads the names of the output ports, if the table has them.
pub fn outputs(reader: &mut TableReader<'_, '_>) -> Option<Vec<String>> {
    let what = "the names of the output ports, such as [\"main\", \"late\"]";
    let (span, items) = reader.array("outputs", what)?;
    let mut names: Vec<String> = Vec::new();
    for item in items.iter() {
        let name = reader.as_string("outputs", item, "names in quotes")?;
        match refused_port(name.get_ref(), &names) {
            None => names.push(name.into_inner()),
            Some(reason) => {
                let message = format!("{} can't have that output: {reason}", reader.title());
                let problem = Problem::at(name.span(), message);
                reader
                    .problems()
                    .push(problem.help(format!("expected {what}")));
                return None;
            }
        }
    }
    if names.is_empty() {
        let message = format!("`outputs` of {} is empty", reader.title());
        let problem = Problem::at(span, message).help(format!("expected {what}"));
        reader.problems().push(problem);
        return None;
    }
    Some(names)
}

fn refused_port(name: &str, before: &[String]) -> Option<&'static str> {
    if name == DEAD_LETTER {
        return Some("`dead-letter` is reserved");
    }
    if before.len() == MOST_PORTS {
        return Some("an operator has at most 1,024 outputs");
    }
    if before.iter().any(|other| other == name) {
        return Some("another port has the same name");
    }
    // A number in `from` is a port's index, so no name may be the number of another port.
    let is_misleading = name
        .parse::<usize>()
        .is_ok_and(|index| index != before.len());
    if is_misleading {
        return Some("its name is the number of another port");
    }
    let is_fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_fine) {
        return Some("a name is 1 to 64 of a-z, A-Z, 0-9, `-` and `_`");
    }
    None
}
