//! A7: values that a guest returns or hands to the host, malformed in every way that the binary
//! interface and the contract permit. The fault names each, the host uses none of them and never
//! panics: a panic would be a fault of another kind.

use tidegate_operator::{FaultCause, GuestCall, NO_TIMESTAMP};

use crate::support::guest::{COUNT, Guest, KEY_GROUPS, LOG};
use crate::support::records::batch;
use crate::support::wit::Packages;
use crate::support::{ENGINE, EXPORTS, fault_of, load, make, open, patient};

/// A word of the guest's memory: its address and its value.
type Word = (u32, u32);

/// The words of an emission of two records, and of a state chunk, that are well formed.
const EMISSION: [Word; 14] = [
    (560, 0),
    (564, 1),
    (568, 2),
    (1100, 0),
    (1104, 512),
    (1108, 2),
    (1112, 560),
    (1116, 3),
    (1120, 600),
    (1124, 2),
    (1128, 560),
    (1132, 3),
    (1136, 600),
    (1140, 2),
];
const CHUNK: [Word; 8] = [
    (600, 0x7878),
    (1100, 600),
    (1104, 2),
    (1108, 1),
    (1112, 1),
    (1116, 64),
    (1120, 600),
    (1124, 2),
];
/// The addresses of the fields.
const PORT: u32 = 1100;
const TIMES: u32 = 1104;
const KEY_OFFSETS: u32 = 1112;
const KEYS: u32 = 1120;
const VALUE_OFFSETS: u32 = 1128;
const VALUES: u32 = 1136;
const NAME: u32 = 1100;
const KEY_GROUP: u32 = 1112;
const BYTES: u32 = 1120;
/// The messages for lists and text at wrong addresses.
const OUTSIDE: &str = "trapped: list pointer/length out of bounds of memory";
const UNALIGNED: &str = "trapped: list pointer is not aligned";
const TEXT_OUTSIDE: &str = "trapped: string pointer/length out of bounds of memory";
/// The address of the returned list's pointer, and the distance of the length from a pointer.
const LIST: u32 = 1028;
const LENGTH: u32 = 4;

fn stores(words: &[Word]) -> String {
    let store = |(at, word): &Word| format!("(i32.store (i32.const {at}) (i32.const {word}))");
    words.iter().map(store).collect()
}

/// Returns the well-formed list of one element, overwritten with `spoilt`.
fn one(element: &[Word], spoilt: &[Word]) -> String {
    format!(
        "{} (drop (call $one (i32.const 1100))) {} (i32.const 1024)",
        stores(element),
        stores(spoilt)
    )
}

/// Returns a body that fails with a reason of these bytes.
fn reason(bytes: &[u8]) -> String {
    let store =
        |(at, byte): (usize, &u8)| format!("(i32.store8 (i32.const {at}) (i32.const {byte}))");
    let stores: String = bytes
        .iter()
        .enumerate()
        .map(|(at, b)| store((at, b)))
        .collect();
    format!(
        "{stores} (call $fail (i32.const 2) (i32.const 0) (i32.const {}))",
        bytes.len()
    )
}

/// Returns the first line of the fault of `call` with this body.
fn said(call: GuestCall, body: &str) -> String {
    let guest = Guest::idle()
        .item(LOG)
        .item(COUNT)
        .item(KEY_GROUPS)
        .export(call, body);
    let fault = fault_of(&load(&guest), call, &patient());
    assert_eq!(fault.call, call, "{fault}");
    let is_panic = matches!(fault.cause, FaultCause::HostPanic { .. });
    assert!(!is_panic, "{fault}");
    let said = fault.cause.to_string();
    said.lines().next().unwrap_or_default().to_owned()
}

#[track_caller]
fn assert_said(call: GuestCall, cases: &[(String, &str)]) {
    for (body, expected) in cases {
        assert_eq!(said(call, body), *expected, "{call}: {body}");
    }
}

#[test]
fn returned_pointers_and_discriminants_are_checked_in_every_call() {
    for call in EXPORTS {
        let result = |discriminant| format!("{} (i32.const 1024)", stores(&[(1024, discriminant)]));
        let failure =
            |variant| format!("(call $fail (i32.const {variant}) (i32.const 0) (i32.const 0))");
        assert_said(
            call,
            &[
                (result(2), "trapped: invalid expected discriminant"),
                (result(255), "trapped: invalid expected discriminant"),
                (failure(3), "trapped: unexpected discriminant: 3"),
                (failure(255), "trapped: unexpected discriminant: 255"),
                (
                    "(i32.const 1025)".to_owned(),
                    "trapped: return pointer not aligned",
                ),
                (
                    "(i32.const -1)".to_owned(),
                    "trapped: return pointer not aligned",
                ),
                (
                    "(i32.const -4)".to_owned(),
                    "trapped: pointer out of bounds of memory",
                ),
                (
                    "(i32.const 131064)".to_owned(),
                    "trapped: pointer out of bounds of memory",
                ),
            ],
        );
    }
}

#[test]
fn text_that_is_not_utf_8_or_not_in_memory_is_refused() {
    let at = |address: i64, length: i64| {
        format!("(call $fail (i32.const 2) (i32.const {address}) (i32.const {length}))")
    };
    let outside = "trapped: string pointer/length out of bounds of memory";
    assert_said(
        GuestCall::Process,
        &[
            (
                reason(b"\xff"),
                "trapped: invalid utf-8 sequence of 1 bytes from index 0",
            ),
            (
                reason(b"a\xc0\x80"),
                "trapped: invalid utf-8 sequence of 1 bytes from index 1",
            ),
            (
                reason(b"\xed\xa0\x80"),
                "trapped: invalid utf-8 sequence of 1 bytes from index 0",
            ),
            (
                reason(b"ab\xe2\x82"),
                "trapped: incomplete utf-8 byte sequence from index 2",
            ),
            (
                reason(b"\xf4\x90\x80\x80"),
                "trapped: invalid utf-8 sequence of 1 bytes from index 0",
            ),
            (at(131_072, 1), outside),
            (at(0, 131_073), outside),
            (at(-1, 1), outside),
            (at(0, -1), outside),
            (at(0, i64::from(i32::MIN)), outside),
            (at(-8, -8), outside),
        ],
    );
}

#[test]
fn lists_that_are_not_in_memory_or_not_aligned_are_refused() {
    let emission = |word: Word| one(&EMISSION, &[word]);
    assert_said(
        GuestCall::Process,
        &[
            (emission((LIST, 1101)), UNALIGNED),
            (emission((LIST, u32::MAX - 7)), OUTSIDE),
            (emission((LIST + LENGTH, 2_953)), OUTSIDE),
            (emission((LIST + LENGTH, 1 << 31)), OUTSIDE),
            (emission((LIST + LENGTH, u32::MAX)), OUTSIDE),
            (emission((TIMES, 516)), UNALIGNED),
            (emission((TIMES, 131_064)), OUTSIDE),
            (emission((TIMES + LENGTH, 1 << 29)), OUTSIDE),
            (emission((TIMES + LENGTH, u32::MAX)), OUTSIDE),
            (emission((KEY_OFFSETS, 562)), UNALIGNED),
            (emission((KEY_OFFSETS, 131_072)), OUTSIDE),
            (emission((KEY_OFFSETS + LENGTH, 1 << 30)), OUTSIDE),
            (emission((KEYS, u32::MAX)), OUTSIDE),
            (emission((KEYS + LENGTH, 1 << 31)), OUTSIDE),
            (emission((VALUE_OFFSETS, 561)), UNALIGNED),
            (emission((VALUE_OFFSETS + LENGTH, u32::MAX)), OUTSIDE),
            (emission((VALUES, 131_071)), OUTSIDE),
            (emission((VALUES + LENGTH, u32::MAX)), OUTSIDE),
        ],
    );
    let chunk = |word: Word| one(&CHUNK, &[word]);
    assert_said(
        GuestCall::Snapshot,
        &[
            (chunk((LIST, 1102)), UNALIGNED),
            (chunk((LIST + LENGTH, u32::MAX)), OUTSIDE),
            (chunk((NAME, 131_072)), TEXT_OUTSIDE),
            (chunk((NAME + LENGTH, u32::MAX)), TEXT_OUTSIDE),
            (chunk((BYTES, u32::MAX)), OUTSIDE),
            (chunk((BYTES + LENGTH, 1 << 31)), OUTSIDE),
        ],
    );
}

/// The places of broken rules, and the rules of an emission, each with the words that break it.
const KEY: &str = "returned a malformed batch: in emission 0, the key column: ";
const VALUE: &str = "returned a malformed batch: in emission 0, the value column: ";
const BATCH: &str = "returned a malformed batch: emission 0: it has ";
const NO_OFFSETS: &str = "it has no offsets, not even the first, which is 0";
const FALLS: &str = "the offset after row 1 is smaller than the one before it";
const BROKEN: [(&[Word], &str, &str); 15] = [
    (&[(KEY_OFFSETS + LENGTH, 0)], KEY, NO_OFFSETS),
    (&[(VALUE_OFFSETS + LENGTH, 0)], VALUE, NO_OFFSETS),
    (&[(560, 1)], KEY, "its first offset is 1, not 0"),
    (&[(564, 3)], KEY, FALLS),
    (&[(568, 0)], KEY, FALLS),
    (
        &[(568, 3)],
        KEY,
        "its last offset is 3, but its data has 2 bytes",
    ),
    (
        &[(568, u32::MAX)],
        KEY,
        "its last offset is 4294967295, but its data has 2 bytes",
    ),
    (
        &[(KEYS + LENGTH, 3)],
        KEY,
        "its last offset is 2, but its data has 3 bytes",
    ),
    (
        &[(VALUES + LENGTH, 1)],
        VALUE,
        "its last offset is 2, but its data has 1 bytes",
    ),
    (
        &[(TIMES + LENGTH, 1)],
        BATCH,
        "1 timestamps, 2 keys and 2 values",
    ),
    (
        &[(TIMES + LENGTH, 0)],
        BATCH,
        "0 timestamps, 2 keys and 2 values",
    ),
    (
        &[(KEY_OFFSETS + LENGTH, 2), (KEYS + LENGTH, 1)],
        BATCH,
        "2 timestamps, 1 keys and 2 values",
    ),
    (
        &[(VALUE_OFFSETS + LENGTH, 1), (VALUES + LENGTH, 0)],
        BATCH,
        "2 timestamps, 2 keys and 0 values",
    ),
    (
        &[(PORT, 1)],
        "emitted to output port 1, ",
        "but the operator has 1 (the first is 0)",
    ),
    (
        &[(PORT, u32::MAX)],
        "emitted to output port 4294967295, ",
        "but the operator has 1 (the first is 0)",
    ),
];

#[test]
fn columns_and_ports_that_break_the_contract_are_refused() {
    for call in [
        GuestCall::Process,
        GuestCall::AdvanceWatermark,
        GuestCall::Finish,
    ] {
        for (words, place, rule) in BROKEN {
            let expected = format!("{place}{rule}");
            assert_said(call, &[(one(&EMISSION, words), &expected)]);
        }
    }
}

#[test]
fn chunks_that_break_the_contract_are_refused() {
    let chunk = |words: &[Word]| one(&CHUNK, words);
    assert_said(
        GuestCall::Snapshot,
        &[
            (
                chunk(&[(600, 0xff)]),
                "trapped: invalid utf-8 sequence of 1 bytes from index 0",
            ),
            (
                chunk(&[(KEY_GROUP, 2)]),
                "trapped: invalid option discriminant",
            ),
            (
                chunk(&[(KEY_GROUP + LENGTH, 63)]),
                "returned a malformed snapshot: `xx` has state of key group 63, but the instance \
                 owns 64 to 127",
            ),
            (
                chunk(&[(KEY_GROUP + LENGTH, 128)]),
                "returned a malformed snapshot: `xx` has state of key group 128, but the instance \
                 owns 64 to 127",
            ),
            (
                chunk(&[(KEY_GROUP + LENGTH, u32::MAX)]),
                "returned a malformed snapshot: `xx` has state of key group 4294967295, but the \
                 instance owns 64 to 127",
            ),
        ],
    );
}

#[test]
fn records_that_were_not_given_are_not_blamed() {
    let blame =
        |row: i64| format!("(call $fail_record (i32.const {row}) (i32.const 0) (i32.const 0))");
    assert_said(
        GuestCall::Process,
        &[
            (blame(1), "rejected record 1, but the batch has 1: "),
            (
                blame(-1),
                "rejected record 4294967295, but the batch has 1: ",
            ),
        ],
    );
}

/// Returns a body that calls a function of the host with these arguments.
fn host(function: &str, arguments: &[i64]) -> String {
    let arguments: Vec<String> = arguments
        .iter()
        .map(|argument| format!("(i32.const {argument})"))
        .collect();
    format!("(call ${function} {}) (call $done)", arguments.join(" "))
}

#[test]
fn text_for_the_host_is_checked() {
    let count = |at: i64, length: i64| {
        format!("(call $count (i32.const {at}) (i32.const {length}) (i64.const 1)) (call $done)")
    };
    let spoilt = |call: String| format!("(i32.store (i32.const 0) (i32.const 0xff)) {call}");
    let not_utf_8 = "trapped: invalid utf-8 sequence of 1 bytes from index 0";
    let level = "trapped: unexpected discriminant: ";
    let cases = [
        (host("log", &[5, 0, 0]), format!("{level}5")),
        (host("log", &[-1, 0, 0]), format!("{level}4294967295")),
        (spoilt(host("log", &[0, 0, 1])), not_utf_8.to_owned()),
        (host("log", &[0, -1, 1]), TEXT_OUTSIDE.to_owned()),
        (host("log", &[0, 0, -1]), TEXT_OUTSIDE.to_owned()),
        (spoilt(count(0, 1)), not_utf_8.to_owned()),
        (count(131_072, 1), TEXT_OUTSIDE.to_owned()),
        (count(0, -1), TEXT_OUTSIDE.to_owned()),
    ];
    for (body, expected) in cases {
        assert_said(GuestCall::Process, &[(body, &expected)]);
    }
}

#[test]
fn keys_for_the_host_and_the_room_for_its_answer_are_checked() {
    let malformed = "trapped: the guest passed a malformed column to `key-groups`: ";
    let no_offsets = format!("{malformed}{NO_OFFSETS}");
    let last = format!("{malformed}its last offset is 0, but its data has 1 bytes");
    let ask = |arguments: [i64; 5]| host("key_groups", &arguments);
    assert_said(
        GuestCall::Process,
        &[
            (ask([0, 0, 0, 0, 512]), &no_offsets),
            (ask([2, 1, 0, 0, 512]), UNALIGNED),
            (ask([0, -1, 0, 0, 512]), OUTSIDE),
            (ask([512, 1, -1, 1, 512]), OUTSIDE),
            (ask([512, 1, 0, 1, 512]), &last),
            (ask([512, 1, 0, 0, 513]), "trapped: pointer not aligned"),
            (ask([512, 1, 0, 0, -4]), "trapped: pointer out of bounds"),
        ],
    );
}

/// Returns the fault of a guest whose allocator returns `gives`.
fn allocator(gives: &str) -> String {
    let module = Guest::idle()
        .module()
        .replace("(call $allocate (local.get 3))", gives);
    let bytes = Packages::contract().component(&module);
    let component = tidegate_operator::Component::load(&ENGINE, "x.wasm", &bytes);
    let fault = fault_of(&component.expect("it loads"), GuestCall::Open, &patient());
    assert_eq!(fault.call, GuestCall::Open);
    let said = fault.cause.to_string();
    said.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn room_that_is_not_in_memory_or_not_aligned_is_not_written_to() {
    let given = [-1, -8, 131_070, 1_025].map(|at| allocator(&format!("(i32.const {at})")));
    let outside = "trapped: realloc return: beyond end of memory";
    let unaligned = "trapped: realloc return: result not aligned";
    // The first room asked for is for text, which need not be aligned.
    assert_eq!(given, [outside, outside, outside, unaligned]);
}

#[test]
fn extremes_that_the_contract_allows_are_taken() {
    // The columns share their memory; keys are empty; the times are the smallest and the largest.
    let words = [
        (568, 1),
        (KEYS, 600),
        (KEYS + LENGTH, 1),
        (VALUES + LENGTH, 1),
    ];
    let times = "(i64.store (i32.const 512) (i64.const 0x8000000000000000))
                 (i64.store (i32.const 520) (i64.const 0x7fffffffffffffff))";
    let body = format!("{times} {}", one(&EMISSION, &words));
    let guest = Guest::idle()
        .item("(data (i32.const 600) \"x\")")
        .export(GuestCall::Process, &body);
    let emissions = open(&guest).process(0, batch(&[("a", "1")]));
    let emissions = emissions.expect("it is well formed");
    let emitted = &emissions[0].batch;
    assert_eq!(emitted.timestamps(), [NO_TIMESTAMP, i64::MAX]);
    let rows: Vec<&[u8]> = emitted.keys().rows().collect();
    assert_eq!(rows, [&b"x"[..], b""]);
    assert_eq!(emitted.keys(), emitted.values());

    let mut instance = open(&Guest::echo());
    for watermark in [i64::MIN, i64::MAX, 0] {
        instance
            .advance_watermark(watermark)
            .expect("any time is a watermark");
    }
    make(&mut instance, GuestCall::Process).expect("it goes on");
}
