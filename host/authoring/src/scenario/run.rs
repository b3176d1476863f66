//! Runs a scenario, step by step, up to the first that fails.

use serde::Serialize;

use super::difference::{Difference, Order, differences};
use super::document::{Action, Expectation, Scenario, Step};
use super::load::LoadedScenario;
use super::stage::{Broken, Output, Stage};

/// The failure of a scenario.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// The step, from 1. A failure after the last step is reported with the last.
    pub step: usize,
    /// The first line of the step in the file.
    pub line: usize,
    /// The message.
    pub message: String,
    /// The ports with unexpected output.
    pub differences: Vec<Difference>,
}

/// The failure of a step.
struct Wrong {
    message: String,
    differences: Vec<Difference>,
}

impl From<String> for Wrong {
    fn from(message: String) -> Self {
        Self {
            message,
            differences: Vec::new(),
        }
    }
}

impl From<Broken> for Wrong {
    fn from(broken: Broken) -> Self {
        shown(&broken).into()
    }
}

/// Runs a scenario.
///
/// # Errors
///
/// The first step that fails.
pub fn run(loaded: &LoadedScenario) -> Result<(), Failed> {
    let LoadedScenario {
        scenario,
        component,
        ..
    } = loaded;
    let name = scenario.component.get_ref();
    let name = std::path::Path::new(name).file_stem().unwrap_or_default();
    let mut stage = Stage::new(scenario, component, &name.to_string_lossy());
    let steps = &scenario.steps;
    let failed = |index: usize, wrong: Wrong| Failed {
        step: index + 1,
        line: steps[index].line,
        message: wrong.message,
        differences: wrong.differences,
    };
    match (stage.open(), expected_of_open(scenario)) {
        (Ok(()), None) => {}
        (Err(broken), None) => return Err(failed(0, broken.into())),
        (opened, Some(expectation)) => {
            return check_failure(opened, expectation, &[]).map_err(|wrong| failed(0, wrong));
        }
    }
    for (index, step) in steps.iter().enumerate() {
        run_step(&mut stage, scenario, step).map_err(|wrong| failed(index, wrong))?;
    }
    check_end(&mut stage, scenario).map_err(|wrong| failed(steps.len() - 1, wrong))
}

/// Returns the expected failure of opening the instances, if one is expected.
fn expected_of_open(scenario: &Scenario) -> Option<&Expectation> {
    let first = scenario.steps.first()?;
    let fails = matches!(first.expectation, Expectation::Failure(_));
    (first.action == Action::Open && fails).then_some(&first.expectation)
}

fn run_step(stage: &mut Stage<'_>, scenario: &Scenario, step: &Step) -> Result<(), Wrong> {
    match &step.expectation {
        Expectation::Nothing => Ok(stage.apply(&step.action)?),
        Expectation::Output(expected) => {
            stage.apply(&step.action)?;
            let Output {
                records,
                is_unordered,
            } = stage.take_output();
            let order = if is_unordered {
                Order::None
            } else {
                Order::Exact
            };
            let differences = differences(&scenario.outputs, expected, records, order);
            if differences.is_empty() {
                return Ok(());
            }
            let message = "the output differs from the expected output".to_owned();
            Err(Wrong {
                message,
                differences,
            })
        }
        expectation @ (Expectation::InvalidRecord { .. } | Expectation::Failure(_)) => {
            let done = stage.attempt(&step.action)?;
            let records = match &step.action {
                Action::Records { records, .. } => records.as_slice(),
                Action::Nothing
                | Action::Open
                | Action::Watermark(_)
                | Action::Checkpoint
                | Action::Restart
                | Action::Rescale(_)
                | Action::Finish => &[],
            };
            check_failure(done, expectation, records)
        }
    }
}

/// Checks the result of an action that must fail.
fn check_failure(
    done: Result<(), Broken>,
    expectation: &Expectation,
    records: &[super::record::Record],
) -> Result<(), Wrong> {
    let record = |row: u32| match records.get(row as usize) {
        Some(record) => format!("record {row}, {record}"),
        None => format!("record {row}"),
    };
    let broken = match (done, expectation) {
        (Ok(()), Expectation::InvalidRecord { row, .. }) => {
            let message = format!(
                "expected the operator to reject {}, but it accepted the record",
                record(*row)
            );
            return Err(message.into());
        }
        (Ok(()), _) => {
            return Err("expected a failure, but the step succeeded"
                .to_owned()
                .into());
        }
        (Err(broken), _) => broken,
    };
    match (&broken, expectation) {
        (Broken::State(_), _) => Err(broken.into()),
        (
            Broken::Fault(fault) | Broken::InvalidRecord { fault, .. },
            Expectation::Failure(part),
        ) => {
            let message = fault.to_string();
            if message.contains(part) {
                return Ok(());
            }
            Err(format!(
                "expected a failure with {part:?}, but the failure was: {}",
                shown(&broken)
            )
            .into())
        }
        (
            Broken::InvalidRecord { row, fault, .. },
            Expectation::InvalidRecord {
                row: expected,
                reason,
            },
        ) => {
            if row != expected {
                let (expected, got) = (record(*expected), record(*row));
                let message = format!(
                    "expected the operator to reject {expected}, but it rejected {got}: {fault}"
                );
                return Err(message.into());
            }
            if fault.to_string().contains(reason) {
                return Ok(());
            }
            Err(format!(
                "expected a reason with {reason:?}, but the failure was: {}",
                shown(&broken)
            )
            .into())
        }
        (_, _) => Err(format!(
            "expected another failure, but the failure was: {}",
            shown(&broken)
        )
        .into()),
    }
}

/// Checks what every scenario requires at its end: no unexpected output, and state that restores.
fn check_end(stage: &mut Stage<'_>, scenario: &Scenario) -> Result<(), Wrong> {
    let output = stage.take_output();
    let differences = differences(&scenario.outputs, &[], output.records, Order::Exact);
    if !differences.is_empty() {
        return Err(Wrong {
            message: "output remains after the last step, and no `expect` checks it".to_owned(),
            differences,
        });
    }
    Ok(stage.check_state()?)
}

/// Returns the message for people.
fn shown(broken: &Broken) -> String {
    match broken {
        Broken::Fault(fault) => fault.to_string(),
        Broken::InvalidRecord { row, record, fault } => {
            format!("record {row} of the step{record}: {fault}")
        }
        Broken::State(message) => message.clone(),
    }
}
