//! The column check against a naive model of the layout, on columns of every kind.

use proptest::prelude::*;
use tidegate_operator::{Batch, Column};

/// Checks the rules of the layout one by one, as `wit/types.wit` states them.
fn is_well_formed(offsets: &[u32], data: &[u8]) -> bool {
    !offsets.is_empty()
        && offsets[0] == 0
        && (1..offsets.len()).all(|index| offsets[index] >= offsets[index - 1])
        && u64::from(offsets[offsets.len() - 1]) == data.len() as u64
}

/// Returns offsets that are nearly well formed, so that every rule is met and broken often.
fn offsets() -> impl Strategy<Value = Vec<u32>> {
    let step = prop_oneof![9 => 0..4_i64, 1 => -3..0_i64, 1 => Just(i64::from(u32::MAX))];
    let first = prop_oneof![9 => Just(0_i64), 1 => 0..3_i64];
    (
        first,
        prop::collection::vec(step, 0..12),
        prop::bool::weighted(0.05),
    )
        .prop_map(|(first, steps, none)| {
            let mut offset = first;
            let mut offsets = vec![u32::try_from(first).unwrap_or(0)];
            for step in steps {
                offset = (offset + step).clamp(0, i64::from(u32::MAX));
                offsets.push(u32::try_from(offset).unwrap_or(u32::MAX));
            }
            if none { Vec::new() } else { offsets }
        })
}

/// Returns a column and the length of its data, which mostly equals the last offset.
fn column() -> impl Strategy<Value = (Vec<u32>, Vec<u8>)> {
    (offsets(), prop_oneof![4 => Just(0_i64), 1 => -2..3_i64]).prop_map(|(offsets, off_by)| {
        let last = i64::from(offsets.last().copied().unwrap_or(0)).min(64);
        let bytes = usize::try_from((last + off_by).max(0)).unwrap_or(0);
        (offsets, (0..=u8::MAX).cycle().take(bytes).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn exactly_the_well_formed_columns_are_accepted((offsets, data) in column()) {
        let accepted = Column::from_parts(offsets.clone(), data.clone());
        prop_assert_eq!(accepted.is_ok(), is_well_formed(&offsets, &data));
        prop_assert_eq!(&Column::from_slices(&offsets, &data), &accepted);
        if let Ok(column) = accepted {
            let rows: Vec<&[u8]> = column.rows().collect();
            prop_assert_eq!(rows.len(), column.len());
            prop_assert_eq!(&rows.concat(), &data);
            prop_assert_eq!((column.offsets(), column.data()), (&*offsets, &*data));
            for (row, bytes) in rows.iter().enumerate() {
                prop_assert_eq!(column.row(row), *bytes);
            }
            prop_assert_eq!(column.into_parts(), (offsets, data));
        }
    }

    #[test]
    fn any_bytes_at_all_are_refused_or_accepted_without_a_panic(
        offsets in prop::collection::vec(any::<u32>(), 0..8),
        data in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let accepted = Column::from_parts(offsets.clone(), data.clone());
        prop_assert_eq!(accepted.is_ok(), is_well_formed(&offsets, &data));
    }

    #[test]
    fn pushed_records_come_back_and_their_columns_are_well_formed(
        records in prop::collection::vec((any::<i64>(), "[a-c]{0,5}", "\\PC{0,5}"), 0..20),
    ) {
        let mut batch = Batch::default();
        for (timestamp, key, value) in &records {
            batch.push(*timestamp, key.as_bytes(), value.as_bytes());
        }
        let back: Vec<(i64, &[u8], &[u8])> = (0..batch.len())
            .map(|row| (batch.timestamps()[row], batch.keys().row(row), batch.values().row(row)))
            .collect();
        let pushed: Vec<(i64, &[u8], &[u8])> = records
            .iter()
            .map(|(timestamp, key, value)| (*timestamp, key.as_bytes(), value.as_bytes()))
            .collect();
        prop_assert_eq!(back, pushed);
        let (_, keys, _) = batch.clone().into_columns();
        let (offsets, data) = keys.into_parts();
        prop_assert!(is_well_formed(&offsets, &data));
    }
}
