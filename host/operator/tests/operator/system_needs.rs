//! The resources that an instance and a calling thread take from the system match the prediction:
//! never more, and not far less. Measured in a separate process.

use std::sync::Barrier;
use std::thread;

use tidegate_operator::{Component, GuestCall, Limits, SystemNeeds};

use crate::support::child;
use crate::support::guest::Guest;
use crate::support::instances::with_instances;
use crate::support::{ENGINE, context, make, patient};

/// The number of instances that are measured at once.
const INSTANCES: u32 = 200;
/// The greatest allowed ratio of the predicted need to the real one.
const MOST_TIMES: u64 = 3;

/// Returns guests by name, harmless and hostile.
fn guest(name: &str) -> Vec<u8> {
    let idle = Guest::idle();
    let data = "(data (i32.const 4096) \"text\") (data (i32.const 70000) \"text\")";
    match name {
        "idle" => idle.component(),
        "grows" => {
            let grow = "(drop (memory.grow (i32.const 20))) (memory.fill (i32.const 0)
                (i32.const 1) (i32.const 1300000)) (call $done)";
            idle.export(GuestCall::Process, grow).component()
        }
        "with data" => idle.item(data).component(),
        "four memories" => idle.item(&"(memory 1)\n".repeat(3)).component(),
        "memories without pages" => idle.item(&"(memory 0)\n".repeat(3)).component(),
        "a large table" => idle.item("(table 100000 funcref)").component(),
        "many modules" => with_instances("(module (memory 1) (table 1 funcref))", 3),
        other => panic!("no guest {other}"),
    }
}

fn mappings() -> u64 {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux says it");
    maps.lines().count() as u64
}

/// In a child: opens instances on separate threads, and counts resources while all are alive.
fn measure(name: &str) {
    let component = Component::load(&ENGINE, "guest.wasm", &guest(name)).expect("it loads");
    let limits = Limits {
        memories: 64,
        ..patient()
    };
    let needs = component.instance_needs();
    let before = mappings();
    let (opened, counted) = (
        Barrier::new(INSTANCES as usize + 1),
        Barrier::new(INSTANCES as usize + 1),
    );
    let after = thread::scope(|scope| {
        for _ in 0..INSTANCES {
            let body = || {
                let mut instance = component
                    .instantiate(&context(), &limits)
                    .expect("it opens");
                make(&mut instance, GuestCall::Process).expect("it is harmless");
                opened.wait();
                counted.wait();
            };
            let thread = thread::Builder::new().stack_size(4 << 20);
            thread.spawn_scoped(scope, body).expect("there is room");
        }
        opened.wait();
        let after = mappings();
        counted.wait();
        after
    });
    let (taken, said) = (
        after - before,
        u64::from(INSTANCES) * (needs.mappings + SystemNeeds::OF_A_THREAD.mappings),
    );
    assert!(taken <= said, "{name}: {taken} mappings, said to be {said}");
    assert!(
        taken * MOST_TIMES >= said,
        "{name}: {taken} mappings, said to be {said}"
    );
    child::report_peak();
}

#[test]
fn the_mappings_of_an_instance_and_its_thread_are_known_beforehand_within_a_factor() {
    if let Some(name) = child::task() {
        return measure(&name);
    }
    let test = "system_needs::\
                the_mappings_of_an_instance_and_its_thread_are_known_beforehand_within_a_factor";
    for name in [
        "idle",
        "grows",
        "with data",
        "four memories",
        "memories without pages",
        "a large table",
        "many modules",
    ] {
        child::peak_of(test, name);
    }
}

#[test]
fn memories_are_counted_in_every_module_that_is_instantiated() {
    let memories = |bytes: &[u8]| {
        let component = Component::load(&ENGINE, "guest.wasm", bytes).expect("it loads");
        component.memories()
    };
    assert_eq!(memories(&guest("idle")), 1);
    assert_eq!(memories(&guest("four memories")), 4);
    assert_eq!(memories(&guest("many modules")), 4);
}
