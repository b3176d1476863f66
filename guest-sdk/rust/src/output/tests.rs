//! Tests of `output`.

use super::*;

#[test]
fn each_port_keeps_its_own_order() {
    let mut out = Output::new(3);
    out.emit_to(2, "a", 1);
    out.emit("b", 2);
    out.emit_to(2, "c", 3);
    let emissions = out.take().expect("all ports are there");
    let ports: Vec<_> = emissions.iter().map(|e| e.port).collect();
    assert_eq!(ports, [0, 2]);
    assert_eq!(emissions[1].records.keys.data, b"ac");
    assert_eq!(emissions[1].records.values.offsets, [0, 1, 2]);
}

#[test]
fn a_port_that_is_not_there_fails_the_call_and_is_named() {
    let mut out = Output::new(1);
    out.emit_to(u32::MAX, "a", 1);
    let failure = out.take().expect_err("port 4294967295 is not there");
    assert!(failure.to_string().contains("output port 4294967295"));
    assert_eq!(out.take(), Ok(vec![]));
}

#[test]
fn a_timestamp_is_inherited_unless_it_is_set() {
    let mut out = Output::new(2);
    out.inherit(7);
    out.emit("a", ());
    out.emit_at(None, "b", ());
    out.send(0, Some(9), "c", ());
    let emissions = out.take().expect("all ports are there");
    assert_eq!(emissions[0].records.timestamps, [7, NO_TIMESTAMP, 9]);
}
