//! After a failure an operator knows as much of event time as before.

use tidegate_sdk::prelude::*;
use tidegate_sdk::testing::Harness;

/// Passes on records in time, and counts late ones.
struct OnTime {
    watermark: Option<i64>,
}

impl Operator for OnTime {
    type Config = ();
    type State = u64;

    fn open(_config: (), _context: &Context) -> Result<Self, Failure> {
        Ok(Self { watermark: None })
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        passed: &mut u64,
        out: &mut Output,
    ) -> Result<(), Failure> {
        if self.watermark > record.timestamp() {
            count("late", 1);
            return Ok(());
        }
        *passed += 1;
        out.emit(record.key(), *passed);
        Ok(())
    }

    fn on_watermark(
        &mut self,
        watermark: i64,
        _keys: &mut KeyedState<u64>,
        _out: &mut Output,
    ) -> Result<(), Failure> {
        self.watermark = Some(watermark);
        Ok(())
    }
}

#[test]
fn a_record_that_is_late_before_a_restart_is_late_after_it() -> Result<(), Failure> {
    let mut harness = Harness::<OnTime>::builder().open()?;
    harness.restart()?;
    harness.send_at(5, "a", "")?;
    harness.watermark(10)?;
    harness.restart()?;
    harness.send_at(9, "a", "")?;
    harness.send_at(10, "a", "")?;
    assert_eq!(harness.counter("late"), 1);
    let passed = [
        ("a".to_owned(), "1".to_owned()),
        ("a".to_owned(), "2".to_owned()),
    ];
    assert_eq!(harness.take_text(), passed);
    Ok(())
}

#[test]
fn an_instance_of_another_parallelism_is_told_the_watermark_after_its_state() -> Result<(), Failure>
{
    let mut one = Harness::<OnTime>::builder().open()?;
    one.send_at(5, "a", "")?;
    one.watermark(10)?;
    let chunks = one.snapshot()?;
    let subtask = |index| Harness::<OnTime>::builder().subtask(index, 2).watermark(10);
    let mut two = [subtask(0).restore(&chunks)?, subtask(1).restore(&chunks)?];
    let owner = two.iter_mut().find(|subtask| subtask.owns("a"));
    let owner = owner.expect("one of them owns it");
    owner.send_at(9, "a", "")?;
    owner.send_at(10, "a", "")?;
    assert_eq!(owner.take_text(), [("a".to_owned(), "2".to_owned())]);
    Ok(())
}
