//! Changes the value of each record and keeps nothing: one stage of a pipeline. Values are eight
//! little-endian bytes; a record keeps its key.

use tidegate_sdk::prelude::*;

struct Stage;

impl Operator for Stage {
    type Config = ();
    type State = ();

    fn open(_config: (), _context: &Context) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        _state: &mut (),
        out: &mut Output,
    ) -> Result<(), Failure> {
        let value: i64 = record.value_le64()?;
        out.emit(record.key(), Le64(mixed(value)));
        Ok(())
    }
}

/// Returns a step of `SplitMix64`: a little work that the compiler can't merge with the next
/// stage's.
fn mixed(value: i64) -> i64 {
    let bits = value.cast_unsigned();
    (bits ^ (bits >> 30))
        .wrapping_mul(0xbf58_476d_1ce4_e5b9)
        .cast_signed()
}

/// A name that the macro must not take for one of its own.
type T = Stage;

export_operator!(T);

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_sdk::testing::Harness;

    #[test]
    fn a_record_keeps_its_key_and_gets_another_value() -> Result<(), Failure> {
        let mut stage = Harness::<Stage>::builder().open()?;
        stage.send("key", 1_i64.to_le_bytes())?;
        let output = stage.take_output();
        let expected = 0xbf58_476d_1ce4_e5b9_u64.to_le_bytes().to_vec();
        assert_eq!(output.len(), 1);
        assert_eq!(
            (&*output[0].key, &*output[0].value),
            (&b"key"[..], &*expected)
        );
        Ok(())
    }
}
