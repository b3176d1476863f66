//! Version 2 of the operator of parity-sum. It keeps the largest value of each key beside count and
//! sum, and writes `COUNT SUM LARGEST` for each key when the input has ended. It reads the state of
//! version 1.

use serde::{Deserialize, Serialize};
use tidegate_sdk::prelude::*;

struct SumV2;

/// The state of version 1, as `parity-sum/operators/sum` declares it.
#[derive(Serialize, Deserialize)]
struct TotalsV1 {
    count: u64,
    sum: i64,
}

#[derive(Default, Serialize, Deserialize)]
struct Totals {
    count: u64,
    sum: i64,
    /// `None` until this version has seen a value.
    largest: Option<i64>,
}

impl Operator for SumV2 {
    type Config = ();
    type State = Totals;
    const STATE_VERSION: u32 = 2;

    fn open(_config: (), _context: &Context) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        totals: &mut Totals,
        _out: &mut Output,
    ) -> Result<(), Failure> {
        let value = record.value_as()?;
        totals.count += 1;
        totals.sum = totals.sum.wrapping_add(value);
        totals.largest = totals.largest.max(Some(value));
        Ok(())
    }

    fn on_finish(
        &mut self,
        keys: &mut KeyedState<Totals>,
        out: &mut Output,
    ) -> Result<(), Failure> {
        for (key, totals) in keys.iter() {
            let largest = totals.largest.map_or("-".to_owned(), |v| v.to_string());
            out.emit(key, (totals.count, " ", totals.sum, " ", largest));
        }
        Ok(())
    }

    fn migrate(version: u32, bytes: &[u8]) -> Result<Totals, Failure> {
        match version {
            1 => {
                let TotalsV1 { count, sum } = read_state(bytes)?;
                let largest = None;
                Ok(Totals {
                    count,
                    sum,
                    largest,
                })
            }
            other => Err(unknown_version(other)),
        }
    }
}

export_operator!(SumV2);

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_sdk::raw::StateChunk;
    use tidegate_sdk::testing::Harness;

    #[test]
    fn a_sum_of_version_1_continues() -> Result<(), Failure> {
        // "a" is in key group 7. Version 1 had counted 2 values, with the sum 10.
        let written_by_version_1 = StateChunk {
            name: "keyed".to_owned(),
            schema_version: 1,
            key_group: Some(7),
            bytes: b"TGK\x01\x01\x01a\x02\x02\x14".to_vec(),
        };
        let mut sum = Harness::<SumV2>::builder().restore(&[written_by_version_1])?;
        sum.send("a", "5")?;
        sum.finish()?;
        assert_eq!(sum.take_text(), [("a".into(), "3 15 5".into())]);
        Ok(())
    }

    #[test]
    fn a_state_of_a_later_version_is_refused() {
        assert!(SumV2::migrate(3, &[]).is_err());
    }
}
