//! From text to a [`Scenario`]. Pure.

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use tidegate_job_file::config_file::reader::TableReader;
use tidegate_job_file::config_file::{Position, Problem, Problems, Span, suggest, toml_text};
use tidegate_job_file::keys::{self, MOST_KEY_GROUPS};
use tidegate_operator::NO_TIMESTAMP;
use toml::Spanned;
use toml::de::DeValue;

use super::document::{Action, Delivery, Expectation, Scenario, Step};
use super::record::Record;

/// The default name of an input or output port.
const MAIN: &str = "main";

/// The keys of a step that are actions.
const ACTIONS: [&str; 7] = [
    "open",
    "records",
    "watermark",
    "checkpoint",
    "restart",
    "rescale",
    "finish",
];

/// The keys of a step that modify its `records`.
const WITH_RECORDS: [&str; 2] = ["input", "broadcast"];

/// The keys of a step that are expectations.
const EXPECTATIONS: [&str; 3] = ["expect", "expect-invalid-record", "expect-failure"];

/// Reads a whole scenario. Returns `None` if it can't be read any further; the problems then say
/// why.
pub(crate) fn parse(text: &str, problems: &Problems) -> Option<Scenario> {
    let root = toml_text::tables(text, problems)?;
    let mut reader = TableReader::new("the scenario", 0..0, &root, problems);
    if !keys::version(&mut reader) {
        return None;
    }
    let what = "the path of a .wasm file, relative to the scenario";
    let component = reader.text("component", what);
    let component = reader.required(component, "component", what);
    let config = keys::config(&mut reader).json;
    let limits = keys::limits(&mut reader);
    let inputs = names(&mut reader, "inputs", problems);
    let outputs = keys::outputs(&mut reader).unwrap_or_else(|| vec![MAIN.to_owned()]);
    let max_parallelism = reader.number("max-parallelism", 1..=MOST_KEY_GROUPS);
    let max_parallelism =
        max_parallelism.map_or_else(keys::default_max_parallelism, Spanned::into_inner);
    let parallelism = reader.number("parallelism", 1..=max_parallelism);
    let steps = Steps {
        text,
        problems,
        inputs: &inputs,
        outputs: &outputs,
        max_parallelism,
    };
    let steps = steps.read(&mut reader);
    reader.finish();
    Some(Scenario {
        component: component?,
        limits,
        config,
        parallelism: parallelism.map_or(1, Spanned::into_inner),
        max_parallelism,
        steps: steps?,
        inputs,
        outputs,
    })
}

/// Reads the names of the inputs.
fn names(reader: &mut TableReader<'_, '_>, key: &'static str, problems: &Problems) -> Vec<String> {
    let what = "the names of the inputs, such as [\"orders\", \"rates\"]";
    let unnamed = || vec![MAIN.to_owned()];
    let Some((span, items)) = reader.array(key, what) else {
        return unnamed();
    };
    let read = |item| reader.as_string(key, item, "names in quotes");
    let names: Vec<String> = items
        .iter()
        .filter_map(read)
        .map(Spanned::into_inner)
        .collect();
    if items.is_empty() {
        let message = format!("`{key}` of {} is empty", reader.title());
        problems.push(Problem::at(span, message).help(format!("expected {what}")));
        return unnamed();
    }
    names
}

/// Reads `[[step]]`.
struct Steps<'a> {
    text: &'a str,
    problems: &'a Problems,
    inputs: &'a [String],
    outputs: &'a [String],
    max_parallelism: u32,
}

impl Steps<'_> {
    fn read(&self, root: &mut TableReader<'_, '_>) -> Option<Vec<Step>> {
        let what = "steps, each with a header [[step]]";
        let found = root.array("step", what);
        let (_, items) = root.required(found, "step", what)?;
        let mut steps = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let DeValue::Table(table) = item.get_ref() else {
                root.wrong_type("step", item, what);
                continue;
            };
            let title = format!("step {}", index + 1);
            let span = item.span();
            let mut reader = TableReader::new(title, span.clone(), table, self.problems);
            let step = self.step(&mut reader);
            reader.finish();
            if let Some(step) = step {
                self.check_order(&steps, &step, span);
                steps.push(step);
            }
        }
        Some(steps)
    }

    fn step(&self, reader: &mut TableReader<'_, '_>) -> Option<Step> {
        self.check_at_most_one(reader, &ACTIONS, "action")?;
        self.check_at_most_one(reader, &EXPECTATIONS, "expectation")?;
        let action = self.action(reader);
        let expectation = self.expectation(reader);
        let (action, expectation) = (action?, expectation?);
        let fails = matches!(
            expectation,
            Expectation::InvalidRecord { .. } | Expectation::Failure(_)
        );
        let is_about_records = matches!(expectation, Expectation::InvalidRecord { .. });
        let expected = match &action {
            Action::Nothing if expectation == Expectation::Nothing => {
                let all = ACTIONS.iter().chain(&EXPECTATIONS);
                let all: Vec<String> = all.map(|key| format!("`{key}`")).collect();
                Some(("does nothing", format!("one of {}", all.join(", "))))
            }
            Action::Nothing if fails => Some((
                "expects a failure, but has no action",
                "an action in the step".into(),
            )),
            Action::Records { records, .. } => match expectation {
                Expectation::InvalidRecord { row, .. } if row as usize >= records.len() => Some((
                    "expects an invalid record that it does not have",
                    format!("a row below {}, the number of `records`", records.len()),
                )),
                Expectation::InvalidRecord { .. }
                | Expectation::Nothing
                | Expectation::Output(_)
                | Expectation::Failure(_) => None,
            },
            Action::Nothing
            | Action::Open
            | Action::Watermark(_)
            | Action::Checkpoint
            | Action::Restart
            | Action::Rescale(_)
            | Action::Finish => is_about_records.then(|| {
                let what = "expects an invalid record, but has no records";
                (what, "`records` beside `expect-invalid-record`".into())
            }),
        };
        if let Some((what, expected)) = expected {
            self.refuse(reader, reader.span(), what, &expected);
        }
        Some(Step {
            line: Position::of(self.text, reader.span().start).line,
            action,
            expectation,
        })
    }

    /// Reports a step that has several of the keys, and returns `None` for it.
    fn check_at_most_one(
        &self,
        reader: &mut TableReader<'_, '_>,
        keys: &[&'static str],
        noun: &str,
    ) -> Option<()> {
        let set: Vec<&'static str> = keys.iter().copied().filter(|k| reader.is_set(k)).collect();
        let [first, second, ..] = set.as_slice() else {
            return Some(());
        };
        // All keys count as known, so that there is one problem and not three.
        for key in ACTIONS.iter().chain(&EXPECTATIONS).chain(&WITH_RECORDS) {
            reader.entry(key);
        }
        let span = reader.value_span(second).unwrap_or_else(|| reader.span());
        let what = format!("has both `{first}` and `{second}`");
        self.refuse(
            reader,
            span,
            &what,
            &format!("at most one {noun} in each step"),
        );
        None
    }

    fn action(&self, reader: &mut TableReader<'_, '_>) -> Option<Action> {
        for key in WITH_RECORDS {
            if !reader.is_set("records")
                && let Some(span) = reader.value_span(key)
            {
                reader.entry(key);
                let what = format!("has `{key}` without `records`");
                self.refuse(reader, span, &what, "both keys or neither");
            }
        }
        let switches = [
            ("open", Action::Open),
            ("checkpoint", Action::Checkpoint),
            ("restart", Action::Restart),
            ("finish", Action::Finish),
        ];
        let mut action = Action::Nothing;
        for (key, switch) in switches {
            if reader.is_set(key) {
                reader.switch(key)?;
                action = switch;
            } else {
                reader.entry(key);
            }
        }
        if reader.is_set("records") {
            let input = self.port(reader, "input", self.inputs);
            let records = self.records(reader, "records", &[]);
            let delivery = match reader.is_set("broadcast") {
                true => reader.switch("broadcast").map(|_| Delivery::Broadcast),
                false => Some(Delivery::ByKey),
            };
            let records = records?.into_iter().map(|(_, record)| record).collect();
            action = Action::Records {
                input: input?,
                delivery: delivery?,
                records,
            };
        } else if reader.is_set("watermark") {
            let what = "milliseconds since the Unix epoch";
            action = Action::Watermark(reader.integer("watermark", what)?.into_inner());
        } else if reader.is_set("rescale") {
            let parallelism = reader.number("rescale", 1..=self.max_parallelism)?;
            action = Action::Rescale(parallelism.into_inner());
        }
        let keys = ["records", "watermark", "rescale"];
        for key in keys.into_iter().chain(WITH_RECORDS) {
            reader.entry(key);
        }
        Some(action)
    }

    fn expectation(&self, reader: &mut TableReader<'_, '_>) -> Option<Expectation> {
        let mut expectation = Expectation::Nothing;
        if reader.is_set("expect") {
            expectation = Expectation::Output(self.records(reader, "expect", self.outputs)?);
        } else if reader.is_set("expect-failure") {
            let what = "a part of the failure's message";
            let part = reader.text("expect-failure", what)?;
            expectation = Expectation::Failure(part.into_inner());
        } else if reader.is_set("expect-invalid-record") {
            let title = format!("`expect-invalid-record` of {}", reader.title());
            let mut table = reader.table("expect-invalid-record", &title)?;
            let what = "the record's number in the step, from 0";
            let row = table.number("row", 0..=u32::MAX);
            let row = table.required(row, "row", what);
            let reason = table.text("reason", "a part of the reason");
            table.finish();
            expectation = Expectation::InvalidRecord {
                row: row?.into_inner(),
                reason: reason.map(Spanned::into_inner).unwrap_or_default(),
            };
        }
        for key in EXPECTATIONS {
            reader.entry(key);
        }
        Some(expectation)
    }

    /// Reads an array of records, with their port if `ports` is not empty.
    fn records(
        &self,
        reader: &mut TableReader<'_, '_>,
        key: &'static str,
        ports: &[String],
    ) -> Option<Vec<(u32, Record)>> {
        let what = "a list such as [{ key = \"a\", value = \"1\" }]";
        let (_, items) = reader.array(key, what)?;
        let mut records = Vec::new();
        let mut is_whole = true;
        for (index, item) in items.iter().enumerate() {
            let DeValue::Table(table) = item.get_ref() else {
                reader.wrong_type(key, item, "tables such as { key = \"a\", value = \"1\" }");
                is_whole = false;
                continue;
            };
            let title = format!("record {index} of `{key}` of {}", reader.title());
            let mut entry = TableReader::new(title, item.span(), table, self.problems);
            let port = if ports.is_empty() {
                Some(0)
            } else {
                self.port(&mut entry, "port", ports)
            };
            let record = self.record(&mut entry);
            entry.finish();
            is_whole &= port.is_some() && record.is_some();
            records.extend(port.zip(record));
        }
        is_whole.then_some(records)
    }

    fn record(&self, reader: &mut TableReader<'_, '_>) -> Option<Record> {
        let key = self.bytes(reader, "key");
        let value = self.bytes(reader, "value");
        let what = "milliseconds since the Unix epoch";
        let timestamp = match reader.is_set("timestamp") {
            true => reader.integer("timestamp", what).map(Spanned::into_inner),
            false => {
                reader.entry("timestamp");
                Some(NO_TIMESTAMP)
            }
        };
        Some(Record {
            key: key?,
            value: value?,
            timestamp: timestamp?,
        })
    }

    /// Reads text, `{ hex = ".." }` or `{ base64 = ".." }`; a missing key is empty.
    fn bytes(&self, reader: &mut TableReader<'_, '_>, key: &'static str) -> Option<Vec<u8>> {
        let Some((_, found)) = reader.entry(key) else {
            return Some(Vec::new());
        };
        let what = "text, { hex = \"00ff\" } or { base64 = \"AP8=\" }";
        let DeValue::Table(table) = found.get_ref() else {
            let text = reader.as_string(key, found, what)?;
            return Some(text.into_inner().into_bytes());
        };
        let title = format!("`{key}` of {}", reader.title());
        let mut reader = TableReader::new(title, found.span(), table, self.problems);
        let hex = reader.string("hex", what);
        let base64 = reader.string("base64", what);
        let encoded = match (hex, base64) {
            (Some(text), None) => Some((HEXLOWER_PERMISSIVE, text)),
            (None, Some(text)) => Some((BASE64, text)),
            (Some(_), Some(_)) => {
                self.refuse(
                    &reader,
                    found.span(),
                    "has both `hex` and `base64`",
                    "only one of them",
                );
                None
            }
            (None, None) => {
                if table.is_empty() {
                    self.refuse(
                        &reader,
                        found.span(),
                        "has neither `hex` nor `base64`",
                        what,
                    );
                }
                None
            }
        };
        reader.finish();
        let (encoding, text) = encoded?;
        match encoding.decode(text.get_ref().as_bytes()) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                let message = format!("{:?} can't be decoded: {error}", text.get_ref());
                let problem = Problem::at(text.span(), message);
                self.problems.push(problem.help(format!("expected {what}")));
                None
            }
        }
    }

    /// Returns the index of the named input or output port; 0 if the step names none.
    fn port(
        &self,
        reader: &mut TableReader<'_, '_>,
        key: &'static str,
        names: &[String],
    ) -> Option<u32> {
        if !reader.is_set(key) {
            reader.entry(key);
            return Some(0);
        }
        let name = reader.text(key, "a name in quotes")?;
        let index = names.iter().position(|known| known == name.get_ref());
        if let Some(index) = index {
            return u32::try_from(index).ok();
        }
        let message = format!("there is no {key} `{}`", name.get_ref());
        let mut problem = Problem::at(name.span(), message);
        problem.help = suggest::expected(name.get_ref(), names.iter().map(String::as_str));
        self.problems.push(problem);
        None
    }

    /// Reports a step that can't follow the steps before it.
    fn check_order(&self, before: &[Step], step: &Step, span: Span) {
        let title = format!("step {}", before.len() + 1);
        let refused = |what: &str, expected: &str| {
            let problem = Problem::at(span.clone(), format!("{title} {what}"));
            self.problems
                .push(problem.help(format!("expected {expected}")));
        };
        let is_open = step.action == Action::Open;
        if is_open && !before.is_empty() {
            refused(
                "opens an operator that is already open",
                "`open` in the first step, or `restart`",
            );
        }
        let open_fails = |step: &Step| {
            step.action == Action::Open && matches!(step.expectation, Expectation::Failure(_))
        };
        if before.iter().any(open_fails) {
            refused("follows an `open` that fails", "no further step");
        }
        let has_finished = |step: &Step| {
            let fails = matches!(step.expectation, Expectation::Failure(_));
            step.action == Action::Finish && !fails
        };
        if before.iter().any(has_finished) && step.action != Action::Nothing {
            refused("has an action after `finish`", "only `expect`");
        }
        if let (Action::Watermark(now), Some(before)) = (&step.action, last_watermark(before))
            && *now <= before
        {
            let what =
                format!("has watermark {now}, which is not later than the previous one, {before}");
            refused(&what, "a later watermark");
        }
    }

    fn refuse(&self, reader: &TableReader<'_, '_>, span: Span, what: &str, expected: &str) {
        let problem = Problem::at(span, format!("{} {what}", reader.title()));
        self.problems
            .push(problem.help(format!("expected {expected}")));
    }
}

/// Returns the watermark of the instances, which new instances receive again.
fn last_watermark(steps: &[Step]) -> Option<i64> {
    steps.iter().rev().find_map(|step| match step.action {
        Action::Watermark(watermark) => Some(watermark),
        Action::Nothing
        | Action::Open
        | Action::Records { .. }
        | Action::Checkpoint
        | Action::Restart
        | Action::Rescale(_)
        | Action::Finish => None,
    })
}
