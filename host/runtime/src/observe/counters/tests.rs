//! Tests of `counters`.

use super::*;

#[test]
fn a_source_that_has_ended_has_given_everything() {
    let source = SubtaskMetrics::default();
    source.count_out(9, 0);
    assert!(!source.has_given(10));
    assert!(source.has_given(9));
    source.set_ended();
    assert!(source.has_given(10));
}
