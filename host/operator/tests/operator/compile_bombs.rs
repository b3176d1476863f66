//! A12: files that are small, but costly to validate, compile or keep. Each ends soon, with a
//! component or with a refusal that states the reason; no file makes the host panic.

use std::time::Duration;

use tidegate_operator::{CompileLimits, Component, EngineOptions, RefusalCause};
use tidegate_random::{Random, TestSeed};
use wasm_encoder::{
    BlockType, CodeSection, ComponentSection as _, Function, FunctionSection, Instruction, Module,
    ModuleSection, TypeSection, ValType,
};

use crate::support::guest::Guest;
use crate::support::instances::with_instances;
use crate::support::{ENGINE, child, engine};

/// Returns a function with `locals` locals, whose code `write` writes.
fn function(locals: u32, write: impl FnOnce(&mut Function)) -> Function {
    let mut function = Function::new([(locals, ValType::I64)]);
    write(&mut function);
    function.instruction(&Instruction::End);
    function
}

/// Returns an operator that carries another module with `count` copies of a function.
fn carrying(count: u32, function: &Function) -> Vec<u8> {
    let (mut types, mut functions) = (TypeSection::new(), FunctionSection::new());
    types.ty().function([], []);
    let mut code = CodeSection::new();
    for _ in 0..count {
        functions.function(0);
        code.function(function);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    let mut component = Guest::idle().component();
    ModuleSection(&module).append_to_component(&mut component);
    component
}

/// Returns a function of `pairs` pairs of instructions without effect, two bytes each.
fn straight(pairs: usize) -> Function {
    function(1, |function| {
        for _ in 0..pairs {
            function
                .instruction(&Instruction::LocalGet(0))
                .instruction(&Instruction::Drop);
        }
    })
}

fn nested_blocks(depth: usize) -> Function {
    function(0, |function| {
        for _ in 0..depth {
            function.instruction(&Instruction::Block(BlockType::Empty));
        }
        for _ in 0..depth {
            function.instruction(&Instruction::End);
        }
    })
}

/// Returns nested loops, each of which reads and writes other locals: the compiler's cost grows
/// with the product.
fn nested_loops(locals: u32, depth: u32) -> Function {
    function(locals, |function| {
        for loops in 0..depth {
            function
                .instruction(&Instruction::Loop(BlockType::Empty))
                .instruction(&Instruction::LocalGet(loops % locals))
                .instruction(&Instruction::LocalSet((loops * 7 + 1) % locals))
                .instruction(&Instruction::LocalGet((loops * 3 + 1) % locals))
                .instruction(&Instruction::I32WrapI64)
                .instruction(&Instruction::BrIf(0));
        }
        for _ in 0..depth {
            function.instruction(&Instruction::End);
        }
    })
}

fn branch_table(targets: usize) -> Function {
    let targets = vec![0; targets];
    function(0, |function| {
        function
            .instruction(&Instruction::Block(BlockType::Empty))
            .instruction(&Instruction::I32Const(0))
            .instruction(&Instruction::BrTable(targets.into(), 0))
            .instruction(&Instruction::End);
    })
}

/// Returns an operator with a component type that is nested `depth` deep.
fn deep_type(depth: usize) -> Vec<u8> {
    let mut text = "(component (type $t0 u8)".to_owned();
    for depth in 0..depth {
        text.push_str(&format!("(type $t{} (list $t{depth}))", depth + 1));
    }
    wat::parse_str(text + ")").expect("it is a component")
}

/// Returns nested components, each of which instantiates its inner one ten times: ten to the power
/// of `depth` instances of one module.
fn tower(depth: usize) -> Vec<u8> {
    let mut text = "(component (core module $m) (core instance (instantiate $m)))".to_owned();
    for _ in 0..depth {
        let ten = "(instance (instantiate $inner))".repeat(10);
        text = format!(
            "(component {} {ten})",
            text.replacen("(component", "(component $inner", 1)
        );
    }
    wat::parse_str(text).expect("it is a component")
}

fn load(bytes: &[u8]) -> Result<(), RefusalCause> {
    let loaded = Component::load(&ENGINE, "bomb.wasm", bytes);
    loaded.map(drop).map_err(|refusal| refusal.cause)
}

#[track_caller]
fn assert_too_much(bytes: &[u8], expected: &'static str, most: u64) {
    let refusal = load(bytes).expect_err("it is refused");
    let RefusalCause::TooMuch { what, found, limit } = refusal else {
        panic!("{refusal}");
    };
    assert_eq!((what, limit), (expected, most));
    assert!(found > limit, "{found}");
}

#[test]
fn what_is_costly_by_its_number_is_refused_before_it_is_compiled() {
    let nothing = function(0, |_| ());
    assert_too_much(&carrying(200_000, &nothing), "functions", 200_000);
    assert_too_much(
        &carrying(1, &straight(400_000)),
        "bytes of code in one function",
        1 << 20,
    );
    let many_locals = function(50_000, |_| ());
    assert_too_much(&carrying(1, &many_locals), "locals in one function", 10_000);
    let targets = branch_table(2_000_000);
    assert_too_much(
        &carrying(1, &targets),
        "bytes of code in one function",
        1 << 20,
    );
}

#[test]
fn small_definitions_are_counted_as_often_as_they_are_instantiated() {
    let bookkeeping = "bytes of the engine's bookkeeping for each instance";
    let globals = format!(
        "(module {})",
        "(global (mut i64) (i64.const 1))".repeat(10_000)
    );
    load(&with_instances(&globals, 1)).expect("one of them is no trouble");
    assert_too_much(&with_instances(&globals, 300), bookkeeping, 16 << 20);
    let items = "$f ".repeat(100_000);
    let elements = format!("(module (func $f) (elem func {items}))");
    assert_too_much(&with_instances(&elements, 20), bookkeeping, 16 << 20);
    assert_too_much(&tower(5), bookkeeping, 16 << 20);
    assert_too_much(&tower(40), bookkeeping, 16 << 20);
}

#[test]
fn what_is_large_but_within_bounds_is_compiled() {
    let ten_thousand_locals = function(10_000, |_| ());
    let components = [
        carrying(50_000, &function(0, |_| ())),
        carrying(1, &ten_thousand_locals),
        carrying(100, &nested_blocks(100)),
        carrying(1, &nested_blocks(5_000)),
        carrying(1, &nested_loops(50, 50)),
        carrying(1, &branch_table(50_000)),
        carrying(1, &straight(60_000)),
        with_instances("(module (memory 0) (table 1 funcref) (func))", 60),
    ];
    for component in components {
        load(&component).unwrap_or_else(|refusal| panic!("{refusal}"));
    }
}

#[test]
fn types_that_are_too_deep_and_towers_of_components_are_refused_or_no_operator() {
    for depth in [10, 90, 1_000, 20_000] {
        let refusal = load(&deep_type(depth)).expect_err("it is no operator");
        let is_named = matches!(
            refusal,
            RefusalCause::Invalid { .. } | RefusalCause::MissingExport { .. }
        );
        assert!(is_named, "{depth}: {refusal}");
    }
    let refusal = load(&tower(2)).expect_err("it is no operator");
    assert!(
        matches!(refusal, RefusalCause::MissingExport { .. }),
        "{refusal}"
    );
}

/// Returns a component that takes the compiler minutes.
fn costly(name: &str) -> Vec<u8> {
    match name {
        "nested loops" => carrying(1, &nested_loops(9_000, 9_000)),
        "very deep blocks" => carrying(1, &nested_blocks(300_000)),
        "very many loops" => carrying(200, &nested_loops(1_000, 1_000)),
        other => panic!("no {other}"),
    }
}

#[test]
fn compiling_is_given_up_when_it_takes_too_long_or_too_much() {
    const MIB: u64 = 1 << 20;
    let limits = CompileLimits {
        time: Duration::from_secs(2),
        memory: 256 * MIB,
    };
    if let Some(name) = child::task() {
        let memory = limits.memory;
        let engine = engine(EngineOptions {
            compile_limits: limits,
            ..EngineOptions::default()
        });
        let refusal = Component::load(&engine, "bomb.wasm", &costly(&name)).map(drop);
        let refusal = refusal.expect_err("it takes minutes").to_string();
        let by_memory = format!("takes more than {} MiB of memory", memory / MIB);
        let is_named = refusal.contains("takes more than 2 s") || refusal.contains(&by_memory);
        assert!(is_named, "{refusal}");
        return child::report_peak();
    }
    let test = "compile_bombs::compiling_is_given_up_when_it_takes_too_long_or_too_much";
    for name in ["nested loops", "very deep blocks", "very many loops"] {
        let peak = child::peak_of(test, name);
        let allowed = limits.memory + 256 * MIB;
        assert!(peak <= allowed, "{name}: {peak} bytes of {allowed}");
    }
}

const OPERATIONS: [Instruction<'static>; 8] = [
    Instruction::I64Add,
    Instruction::I64DivS,
    Instruction::I64RemU,
    Instruction::I64Rotl,
    Instruction::I64Mul,
    Instruction::I64Xor,
    Instruction::I64ShrS,
    Instruction::I64Sub,
];

/// Returns random instructions with a matching stack, in random blocks and loops.
fn random_function(random: &mut Random) -> Function {
    let small = |random: &mut Random| u32::try_from(random.in_range(0..4)).expect("it is small");
    let drops = |function: &mut Function, stack: &mut usize| {
        for _ in 0..std::mem::take(stack) {
            function.instruction(&Instruction::Drop);
        }
    };
    function(4, |function| {
        let (mut stack, mut blocks) = (0, 0_u32);
        for _ in 0..random.in_range(1..300) {
            match random.in_range(0..12) {
                0..3 => {
                    let bits = random.in_range(0..u64::MAX);
                    function.instruction(&Instruction::I64Const(bits.cast_signed()));
                    stack += 1;
                }
                3 if stack > 0 => {
                    function.instruction(&Instruction::LocalSet(small(random)));
                    stack -= 1;
                }
                4 => {
                    drops(function, &mut stack);
                    function.instruction(&Instruction::Loop(BlockType::Empty));
                    blocks += 1;
                }
                5 if blocks > 0 => {
                    drops(function, &mut stack);
                    function.instruction(&Instruction::End);
                    blocks -= 1;
                }
                6 if blocks > 0 => {
                    function
                        .instruction(&Instruction::LocalGet(small(random)))
                        .instruction(&Instruction::I32WrapI64)
                        .instruction(&Instruction::BrIf(small(random) % blocks));
                }
                _ if stack > 1 => {
                    let operation = usize::try_from(random.in_range(0..8)).expect("it is small");
                    function.instruction(&OPERATIONS[operation]);
                    stack -= 1;
                }
                _ => {
                    function.instruction(&Instruction::LocalGet(small(random)));
                    stack += 1;
                }
            }
        }
        drops(function, &mut stack);
        for _ in 0..blocks {
            function.instruction(&Instruction::End);
        }
    })
}

#[test]
fn random_modules_whole_and_damaged_never_make_the_compiler_panic() {
    const MODULES: u64 = 1_000;
    let first = TestSeed::of_run();
    let (mut compiled, mut refused) = (0, 0);
    for number in 0..MODULES {
        let seed = first.number().wrapping_add(number);
        let mut random = Random::new(seed);
        let mut component = carrying(1, &random_function(&mut random));
        let is_damaged = number % 2 == 1;
        if is_damaged {
            let at = random.in_range(8..component.len() as u64);
            let bit = random.in_range(0..8);
            component[usize::try_from(at).expect("it fits")] ^= 1 << bit;
        }
        match load(&component) {
            Ok(()) => compiled += 1,
            Err(RefusalCause::CompilerPanicked { message, .. }) => {
                panic!("TIDEGATE_TEST_SEED={seed}: {message}")
            }
            Err(refusal) if !is_damaged => panic!("TIDEGATE_TEST_SEED={seed}: {refusal}"),
            Err(_) => refused += 1,
        }
    }
    assert!(compiled >= MODULES / 2, "{compiled} were compiled");
    assert!(refused > MODULES / 10, "only {refused} were refused");
}
