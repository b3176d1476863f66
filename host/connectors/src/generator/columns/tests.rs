//! Tests of `columns`.

use super::*;

const RUNS: [Run; 3] = [
    Run {
        first: 0,
        count: 1_200,
    },
    Run {
        first: 99_990,
        count: 20,
    },
    Run {
        first: i64::MAX as u64 - 1,
        count: 2,
    },
];

fn integers() -> Vec<u64> {
    RUNS.iter()
        .flat_map(|run| run.first..run.first + run.count as u64)
        .collect()
}

#[test]
fn decimal_rows_are_the_integers_in_order() {
    let expected: Vec<String> = integers().iter().map(u64::to_string).collect();
    let column = decimal(&RUNS);
    let rows: Vec<&[u8]> = column.rows().collect();
    assert_eq!(
        rows,
        expected.iter().map(String::as_bytes).collect::<Vec<_>>()
    );
}

#[test]
fn decimal_keys_are_the_integers_modulo_the_number_of_keys() {
    for keys in [1, 7, 10, 1_000_000] {
        let expected: Vec<String> = integers().iter().map(|n| (n % keys).to_string()).collect();
        let column = decimal_keys(&RUNS, keys);
        let rows: Vec<&[u8]> = column.rows().collect();
        assert_eq!(
            rows,
            expected.iter().map(String::as_bytes).collect::<Vec<_>>()
        );
    }
}

#[test]
fn little_endian_rows_are_the_integers_and_their_keys() {
    let offsets = RegularOffsets::for_rows(2_000);
    let values: Vec<u8> = integers().iter().flat_map(|n| n.to_le_bytes()).collect();
    let keys: Vec<u8> = integers()
        .iter()
        .flat_map(|n| (n % 7).to_le_bytes())
        .collect();
    let column = little_endian(&RUNS, &offsets);
    assert_eq!((column.len(), column.data()), (1_222, values.as_slice()));
    let column = little_endian_keys(&RUNS, 7, &offsets);
    assert_eq!((column.len(), column.data()), (1_222, keys.as_slice()));
}
