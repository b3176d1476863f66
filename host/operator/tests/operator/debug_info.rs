//! A trap in a component with costly names or debug information: the host reads debug information
//! only on request, and then within bounds. Each case runs in its own process, whose peak is
//! measured; that a test ends is part of the claim.

use tidegate_operator::{Component, Engine, FaultCause, GuestCall};
use wasm_encoder::{CustomSection, Section as _};

use crate::support::guest::Guest;
use crate::support::wit::Packages;
use crate::support::{ENGINE, child, engine_with_debug_info, fault_of, patient, trap};

const MIB: u64 = 1 << 20;
/// The most memory of a process that loads a component and calls it once.
const MARGIN: u64 = 64 * MIB;
/// The most memory that reading debug information adds.
const READING: u64 = 256 * MIB;

type Sections = Vec<(&'static str, Vec<u8>)>;

/// Returns a guest that traps in `process`, with these sections in its module.
fn with_sections(guest: &Guest, sections: &Sections) -> Vec<u8> {
    let mut module = wat::parse_str(guest.module()).expect("it parses");
    for (name, data) in sections {
        let section = CustomSection {
            name: (*name).into(),
            data: data.as_slice().into(),
        };
        section.append_to(&mut module);
    }
    Packages::contract().component_of(module)
}

fn trapping() -> Guest {
    Guest::idle().export(GuestCall::Process, "unreachable")
}

/// Returns a guest that traps 31 calls deep, in as many frames as a backtrace has.
fn trapping_deep() -> Guest {
    let recurse = "(func $r (param i32) (result i32) (if (result i32) (i32.eqz (local.get 0))
        (then unreachable)
        (else (i32.add (i32.const 1) (call $r (i32.sub (local.get 0) (i32.const 1)))))))";
    let recurse = recurse.replace('\n', " ");
    let guest = Guest::idle().item(&recurse);
    guest.export(GuestCall::Process, "(call $r (i32.const 31))")
}

/// Returns DWARF of `units` units that each cover all code and use the one line program, which has
/// `rows` times the opcode `opcode`.
fn dwarf(units: usize, rows: usize, opcode: u8) -> Sections {
    // One kind of entry: a unit with low_pc, high_pc and stmt_list.
    let abbreviations = [1, 0x11, 0, 0x11, 0x01, 0x12, 0x06, 0x10, 0x17, 0, 0, 0];
    let mut unit = vec![4, 0, 0, 0, 0, 0, 4, 1];
    for field in [0, 0x7fff_ffff_u32, 0] {
        unit.extend(field.to_le_bytes());
    }
    let mut info = length(&unit);
    info.extend(&unit);
    let header = [
        &[1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0][..],
        b"f\0\0\0\0\0",
    ]
    .concat();
    let mut program = vec![4, 0];
    program.extend(length(&header));
    program.extend(header);
    program.extend([0, 5, 2]);
    program.extend(0x6000_0000_u32.to_le_bytes());
    program.resize(program.len() + rows, opcode);
    program.extend([0, 1, 1]);
    let mut line = length(&program);
    line.extend(program);
    vec![
        (".debug_abbrev", abbreviations.to_vec()),
        (".debug_info", info.repeat(units)),
        (".debug_line", line),
    ]
}

fn length(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("it is small");
    length.to_le_bytes().to_vec()
}

/// An opcode that advances the address by one: each row has a new address.
const ADVANCE: u8 = 32;
/// An opcode that adds a row for the current address.
const COPY: u8 = 1;

/// Returns DWARF like [`dwarf`] of many units, each with a table of abbreviations of half a
/// megabyte.
fn abbreviations() -> Sections {
    let mut sections = dwarf(40_000, 1, COPY);
    let table = &mut sections[0].1;
    table.pop();
    for code in 2..20_000_u32 {
        // Codes of two and three bytes; entries without attributes.
        let (low, high) = (code & 0x7f | 0x80, code >> 7);
        let (middle, high) = (high & 0x7f | 0x80, high >> 7);
        let bytes = [low, middle, high, 0x34, 0, 0, 0];
        table.extend(bytes.map(|byte| u8::try_from(byte).expect("it is a byte")));
    }
    table.push(0);
    sections
}

/// Returns a unit of a million functions that all cover all code.
fn functions() -> Sections {
    let mut sections = dwarf(1, 1, COPY);
    sections[0].1 = vec![
        1, 0x11, 1, 0x11, 0x01, 0x12, 0x06, 0x10, 0x17, 0, 0, //
        2, 0x2e, 0, 0x11, 0x01, 0x12, 0x06, 0, 0, 0,
    ];
    let mut unit = vec![4, 0, 0, 0, 0, 0, 4, 1];
    for field in [0, 0x7fff_ffff_u32, 0] {
        unit.extend(field.to_le_bytes());
    }
    for _ in 0..1_000_000 {
        unit.push(2);
        unit.extend(0_u32.to_le_bytes());
        unit.extend(0x7fff_ffff_u32.to_le_bytes());
    }
    unit.push(0);
    let mut info = length(&unit);
    info.extend(unit);
    sections[1].1 = info;
    sections
}

/// Returns a component that is costly to read, by name.
fn bomb(name: &str) -> Vec<u8> {
    let (guest, sections) = match name {
        "no debug information" => (trapping(), Vec::new()),
        "rows that take memory" => (trapping(), dwarf(64, 1 << 20, ADVANCE)),
        "rows that take time" => (trapping(), dwarf(1_000, 1 << 20, COPY)),
        "30 MB of units and rows" => (trapping(), dwarf(400_000, 20 << 20, COPY)),
        "in 32 frames" => (trapping_deep(), dwarf(10, 1 << 20, COPY)),
        "units that take memory" => (trapping(), dwarf(1_000_000, 1, COPY)),
        "abbreviations" => (trapping(), abbreviations()),
        "functions" => (trapping_deep(), functions()),
        other => panic!("no bomb {other}"),
    };
    with_sections(&guest, &sections)
}

const BOMBS: [&str; 8] = [
    "no debug information",
    "rows that take memory",
    "rows that take time",
    "30 MB of units and rows",
    "in 32 frames",
    "units that take memory",
    "abbreviations",
    "functions",
];

/// In a child: loads the component with `engine`, and lets it trap.
fn set_off(engine: &Engine, name: &str) {
    let bytes = bomb(name);
    let component = Component::load(engine, "bomb.wasm", &bytes).expect("it loads");
    drop(bytes);
    let fault = fault_of(&component, GuestCall::Process, &patient());
    let FaultCause::Trap(report) = fault.cause else {
        panic!("{name}: {fault}");
    };
    assert!(!report.backtrace.is_empty(), "{report}");
    child::report_peak();
}

/// The bytes of a bomb itself: in the component, and copies of it while it is loaded.
const CARRIED: u64 = 4 * 32 * MIB;

#[test]
fn hostile_debug_information_costs_a_trap_nothing_unless_it_is_asked_for() {
    if let Some(name) = child::task() {
        return set_off(&ENGINE, &name);
    }
    let test = "debug_info::hostile_debug_information_costs_a_trap_nothing_unless_it_is_asked_for";
    for name in BOMBS {
        let peak = child::peak_of(test, name);
        assert!(peak <= MARGIN + CARRIED, "{name}: {peak} bytes");
    }
}

#[test]
fn hostile_debug_information_that_is_asked_for_is_read_within_bounds() {
    if let Some(name) = child::task() {
        return set_off(&engine_with_debug_info(), &name);
    }
    let test = "debug_info::hostile_debug_information_that_is_asked_for_is_read_within_bounds";
    for name in BOMBS {
        let peak = child::peak_of(test, name);
        assert!(peak <= MARGIN + CARRIED + READING, "{name}: {peak} bytes");
    }
}

/// Returns a C++ function whose template argument is a list of the argument one level above, and so
/// on: 8 to the power of the levels.
fn exponential_cpp(levels: usize) -> String {
    const WIDTH: usize = 8;
    let substitution = |index: usize| match index {
        0 => "S_".to_owned(),
        index => format!(
            "S{}_",
            char::from(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[index - 1])
        ),
    };
    let mut name = format!("_Z1f1AI{}E", "i".repeat(WIDTH));
    for level in 1..=levels {
        name.push_str(&format!("S_I{}E", substitution(level).repeat(WIDTH)));
    }
    name
}

/// Lets a guest trap in a function of this name.
fn trap_in(name: &str) {
    let guest = Guest::idle()
        .item(&format!("(func ${name} unreachable)"))
        .export(GuestCall::Process, &format!("(call ${name}) (call $done)"));
    let component = Component::load(&ENGINE, "bomb.wasm", &guest.component()).expect("it loads");
    let report = trap(fault_of(&component, GuestCall::Process, &patient()).cause);
    let [innermost, export] = report.backtrace.as_slice() else {
        panic!("{report}");
    };
    assert!(innermost.starts_with("_Z1f"), "{report}");
    assert!(innermost.len() <= 1_100, "{report}");
    assert_eq!(export, "export.process");
    child::report_peak();
}

#[test]
fn a_function_name_that_stands_for_gigabytes_is_shown_in_a_kilobyte() {
    if let Some(name) = child::task() {
        return trap_in(&name);
    }
    let test = "debug_info::a_function_name_that_stands_for_gigabytes_is_shown_in_a_kilobyte";
    let long = format!("_Z1f{}", "x".repeat(99_000));
    for name in [exponential_cpp(8), exponential_cpp(30), long] {
        let peak = child::peak_of(test, &name);
        assert!(peak <= MARGIN, "{} bytes of name: {peak} bytes", name.len());
    }
}
