//! Names and debug information of a component that traps: which of them the real binary reads and
//! shows, and when.

use tidegate_tests::{JobDirectory, Packages, WatGuest};

const JOB: &str = r#"version = 1
name = "text"
[checkpoint]
directory = "state"
[restart]
strategy = "none"
[source.integers]
connector = "generator"
to = 10
[operator.guest]
component = "guest.wasm"
inputs = [{ from = "integers" }]
[sink.out]
connector = "discard"
inputs = [{ from = "guest" }]
"#;

fn job_with(component: Vec<u8>) -> JobDirectory {
    let job = JobDirectory::new(JOB);
    job.write("guest.wasm", component);
    job
}

fn trapping() -> WatGuest {
    WatGuest::idle().export("process", "unreachable")
}

#[test]
fn file_and_line_are_shown_if_debug_information_is_asked_for() {
    let module = wat::Parser::new()
        .generate_dwarf(wat::GenerateDwarf::Full)
        .parse_str(Some("src/guest.wat".as_ref()), trapping().module());
    let component = Packages::contract().component_of(module.expect("it parses"));
    let job = job_with(component);
    let ended = job.tidegate(&["run", "job.toml"]);
    ended.assert_fails(1, &["at export.process\n"]);
    assert!(!ended.stderr.contains("src/guest.wat"), "{ended:#?}");
    let ended = job.tidegate(&["run", "job.toml", "--debug-info"]);
    ended.assert_fails(1, &["at export.process (src/guest.wat:"]);
}

#[test]
fn debug_information_that_is_endless_to_read_neither_wedges_the_job_nor_hides_its_fault() {
    // A thousand units that all cover all code, and use one line program of half a million rows.
    let unit = "\\14\\00\\00\\00\\04\\00\\00\\00\\00\\00\\04\\01\\00\\00\\00\\00\
                \\ff\\ff\\ff\\7f\\00\\00\\00\\00";
    let units = unit.repeat(1_000);
    let rows = 500_000_u32;
    let header = "\\01\\01\\01\\fb\\0e\\0d\\00\\01\\01\\01\\01\\00\\00\\00\\01\\00\\00\\01\\00\
                  f\\00\\00\\00\\00\\00";
    let word = |number: u32| -> String {
        let bytes = number.to_le_bytes();
        bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
    };
    let header_bytes = 25;
    let program = format!(
        "{}\\04\\00{}{header}\\00\\05\\02\\00\\00\\00\\60{}\\00\\01\\01",
        word(2 + 4 + header_bytes + 7 + rows + 3),
        word(header_bytes),
        "\\01".repeat(rows as usize),
    );
    let abbreviations = "\\01\\11\\00\\11\\01\\12\\06\\10\\17\\00\\00\\00";
    let sections = [
        (".debug_abbrev", abbreviations),
        (".debug_info", &units),
        (".debug_line", &program),
    ];
    let guest = sections.iter().fold(trapping(), |guest, (name, data)| {
        guest.item(&format!("(@custom \"{name}\" \"{data}\")"))
    });
    let job = job_with(guest.component());
    for flags in [
        &["run", "job.toml"][..],
        &["run", "job.toml", "--debug-info"],
    ] {
        job.tidegate(flags)
            .assert_fails(1, &["at export.process\n"]);
    }
}

#[test]
fn a_function_name_that_stands_for_gigabytes_fails_the_job_like_any_trap() {
    let width = 8;
    let mut name = format!("_Z1f1AI{}E", "i".repeat(width));
    for level in 1..=14 {
        let digit = char::from(b"0123456789ABCDEF"[level - 1]);
        name.push_str(&format!("S_I{}E", format!("S{digit}_").repeat(width)));
    }
    let guest = WatGuest::idle()
        .item(&format!("(func ${name} unreachable)"))
        .export("process", &format!("(call ${name}) (call $done)"));
    let ended = job_with(guest.component()).tidegate(&["run", "job.toml"]);
    ended.assert_fails(
        1,
        &["wasm `unreachable` instruction executed", "at _Z1f1AI"],
    );
    assert!(
        ended.stderr.len() < 16 << 10,
        "{} bytes",
        ended.stderr.len()
    );
}
