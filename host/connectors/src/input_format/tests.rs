//! Tests of the decoders: arrival, batches and restarts change no record.

use proptest::prelude::*;

use super::*;

mod fuzz;

const WIDE: LineLimits = LineLimits {
    record_bytes: 200,
    batch_bytes: 1_000,
};

/// A record, or the reason of an invalid one, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    key: String,
    text: String,
    place: (usize, usize),
}

fn shape(
    format: InputFormat,
    columns: Option<&[&str]>,
    key: Option<InputField>,
) -> Arc<InputShape> {
    shape_with(format, columns, Parts { key, value: None })
}

fn shape_with(
    format: InputFormat,
    columns: Option<&[&str]>,
    parts: Parts<InputField>,
) -> Arc<InputShape> {
    let columns = columns.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    Arc::new(InputShape::checked(format, columns, parts).expect("the options fit"))
}

fn csv(columns: Option<&[&str]>) -> Arc<InputShape> {
    shape(InputFormat::Csv, columns, None)
}

/// Decodes record by record, from `position` on, when bytes arrive up to each of `arrivals`.
fn pieces(
    decoder: &mut Decoder,
    input: &[u8],
    position: usize,
    arrivals: &[usize],
) -> Result<Vec<Piece>, DecodeError> {
    let mut pieces = Vec::new();
    let mut at = position;
    for arrived in arrivals.iter().copied().chain([input.len()]) {
        let arrived = arrived.clamp(at, input.len());
        loop {
            let unread = Unread {
                bytes: &input[at..arrived],
                owned: 1,
                is_last: arrived == input.len(),
            };
            let taken = decoder.take(unread)?;
            if taken.end == 0 {
                break;
            }
            let place = (at + taken.start, at + taken.end);
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            match taken.contents {
                Contents::Nothing => {}
                Contents::Batch(batch) => {
                    assert_eq!(batch.len(), 1, "there is one record in reach");
                    pieces.push(Piece {
                        key: text(batch.keys().row(0)),
                        text: text(batch.values().row(0)),
                        place,
                    });
                }
                Contents::Invalid { reason, value } => pieces.push(Piece {
                    key: format!("invalid: {reason}"),
                    text: text(&value),
                    place,
                }),
            }
            at = place.1;
        }
    }
    assert_eq!(at, input.len(), "all of the input was taken");
    Ok(pieces)
}

fn whole(shape: &Arc<InputShape>, input: &str) -> Vec<Piece> {
    let mut decoder = Decoder::at_start(shape, WIDE);
    pieces(&mut decoder, input.as_bytes(), 0, &[]).expect("no record is too long")
}

fn texts(shape: &Arc<InputShape>, input: &str) -> Vec<String> {
    whole(shape, input)
        .into_iter()
        .map(|piece| piece.text)
        .collect()
}

/// Returns the values of a CSV without a header.
pub(crate) fn read_csv(input: &str, columns: &[&str]) -> Vec<Vec<u8>> {
    let texts = texts(&csv(Some(columns)), input);
    texts.into_iter().map(String::into_bytes).collect()
}

#[test]
fn a_header_names_the_members_in_its_order() {
    let csv = csv(None);
    assert_eq!(
        texts(&csv, "b,a\r\n1,x\r\n2,\"y, z\"\r\n"),
        [r#"{"b":"1","a":"x"}"#, r#"{"b":"2","a":"y, z"}"#,]
    );
    assert_eq!(texts(&csv, "\u{feff}b\n1"), [r#"{"b":"1"}"#]);
    assert_eq!(
        texts(&csv, "\n\nb\n\n\u{feff}1\n\n"),
        ["{\"b\":\"\u{feff}1\"}"]
    );
    assert_eq!(texts(&csv, ""), [""; 0]);
    assert_eq!(texts(&csv, "b,a"), [""; 0]);
}

#[test]
fn quotes_are_those_of_rfc_4180() {
    let csv = csv(Some(&["a", "b"]));
    assert_eq!(
        texts(&csv, "\"x\"\"y\",\"1\n2\r\n3\"\n,\"\"\nq\"r,s"),
        [
            r#"{"a":"x\"y","b":"1\n2\r\n3"}"#,
            r#"{"a":"","b":""}"#,
            r#"{"a":"q\"r","b":"s"}"#,
        ]
    );
}

#[test]
fn what_is_no_record_is_invalid_by_itself_with_its_bytes_and_place() {
    let csv = shape(
        InputFormat::Csv,
        Some(&["a", "b"]),
        Some(InputField::Column("b".to_owned())),
    );
    let piece = |key: &str, text: &str, place| Piece {
        key: key.to_owned(),
        text: text.to_owned(),
        place,
    };
    assert_eq!(
        whole(&csv, "1,2\r\n\r\n1\n3,4\n5,6,7\n\"8,9\n"),
        [
            piece("2", r#"{"a":"1","b":"2"}"#, (0, 4)),
            piece("invalid: it has 1 field(s) instead of 2", "1", (7, 9)),
            piece("4", r#"{"a":"3","b":"4"}"#, (9, 13)),
            piece("invalid: it has 3 field(s) instead of 2", "5,6,7", (13, 19)),
            piece(
                "invalid: the input ends within a quoted field",
                "\"8,9\n",
                (19, 24)
            ),
        ]
    );
    let jsonl = shape(
        InputFormat::Jsonl,
        None,
        Some(InputField::Json("/k".to_owned())),
    );
    assert_eq!(
        whole(&jsonl, "{\"k\":1}\r\n{}\n\n{\"k\": \"é\"}"),
        [
            piece("1", "{\"k\":1}\r", (0, 9)),
            piece("invalid: its key `/k` is missing", "{}", (9, 12)),
            piece(
                "invalid: it is not JSON: EOF while parsing a value at its byte 0",
                "",
                (12, 13),
            ),
            piece("é", "{\"k\": \"é\"}", (13, 24)),
        ]
    );
}

#[test]
fn bytes_that_are_not_utf_8_are_invalid_even_where_fields_together_would_be() {
    let mut decoder = Decoder::at_start(&csv(Some(&["a", "b"])), WIDE);
    let csv = pieces(&mut decoder, b"\xc3,\xa9\nx,\xff", 0, &[]).expect("nothing is too long");
    let reasons: Vec<&str> = csv.iter().map(|piece| &*piece.key).collect();
    assert_eq!(
        reasons,
        [
            "invalid: its field `a` is not UTF-8",
            "invalid: its field `b` is not UTF-8",
        ]
    );
    let jsonl = shape(InputFormat::Jsonl, None, None);
    let mut decoder = Decoder::at_start(&jsonl, WIDE);
    let json = pieces(&mut decoder, b"{\"a\":\"\xff\"}", 0, &[]).expect("nothing is too long");
    assert_eq!(json[0].key, "invalid: it is not UTF-8 at its byte 6");
}

#[test]
fn a_batch_ends_before_an_invalid_record() {
    let shape = csv(Some(&["a"]));
    let mut decoder = Decoder::at_start(&shape, WIDE);
    let bytes = b"1\n2\nx,y\n3\n";
    let unread = |start: usize| Unread {
        bytes: &bytes[start..],
        owned: usize::MAX,
        is_last: true,
    };
    let mut next = |start| {
        let taken = decoder.take(unread(start)).expect("nothing is too long");
        let records = match taken.contents {
            Contents::Batch(batch) => batch.len(),
            Contents::Invalid { .. } | Contents::Nothing => 0,
        };
        (records, start + taken.end)
    };
    assert_eq!(next(0), (2, 4));
    assert_eq!(next(4), (0, 8));
    assert_eq!(next(8), (1, 10));
}

#[test]
fn empty_lines_behind_a_record_are_not_in_its_place() {
    let csv = csv(Some(&["a"]));
    let places: Vec<_> = whole(&csv, "\n1\r\r2\r\n\n")
        .into_iter()
        .map(|piece| piece.place)
        .collect();
    assert_eq!(places, [(1, 3), (4, 6)]);
}

#[test]
fn a_part_of_the_input_can_be_the_value() {
    let parts = |field: fn(&str) -> InputField| Parts {
        key: Some(field("k")),
        value: Some(field("v")),
    };
    let column = |name: &str| InputField::Column(name.to_owned());
    let json = |name: &str| InputField::Json(format!("/{name}"));
    let read = |shape: &Arc<InputShape>, input: &str| -> Vec<(String, String)> {
        let pieces = whole(shape, input).into_iter();
        pieces.map(|piece| (piece.key, piece.text)).collect()
    };
    let pair = |key: &str, text: &str| (key.to_owned(), text.to_owned());
    for columns in [None, Some(&["v", "w", "k"][..])] {
        let csv = shape_with(InputFormat::Csv, columns, parts(column));
        let header = if columns.is_none() { "v,w,k\n" } else { "" };
        assert_eq!(
            read(&csv, &format!("{header}3,x,apples\n\"a, \"\"b\"\"\",x,\n")),
            [pair("apples", "3"), pair("", "a, \"b\"")]
        );
    }
    let jsonl = shape_with(InputFormat::Jsonl, None, parts(json));
    let input = concat!(
        "{\"k\":\"apples\",\"v\":3}\r\n",
        "{\"v\":{\"a\": [1]},\"k\":1}\n",
        "{\"k\":\"x\",\"v\":\"a\\nb\"}\n",
        "{\"k\":\"x\",\"v\":null}\n",
        "{\"k\":\"x\"}\n",
        "{\"v\":1}\n",
    );
    assert_eq!(
        read(&jsonl, input),
        [
            pair("apples", "3"),
            pair("1", "{\"a\": [1]}"),
            pair("x", "a\nb"),
            pair(
                "invalid: its value `/v` is null",
                "{\"k\":\"x\",\"v\":null}"
            ),
            pair("invalid: its value `/v` is missing", "{\"k\":\"x\"}"),
            pair("invalid: its key `/k` is missing", "{\"v\":1}"),
        ]
    );
}

#[test]
fn long_keys_of_short_values_fill_a_batch_too() {
    let parts = Parts {
        key: Some(InputField::Column("k".to_owned())),
        value: Some(InputField::Column("v".to_owned())),
    };
    let shape = shape_with(InputFormat::Csv, Some(&["k", "v"]), parts);
    let limits = LineLimits {
        record_bytes: 1_000,
        batch_bytes: 1_000,
    };
    let input = format!("{},1\n", "k".repeat(400)).repeat(10);
    let unread = Unread {
        bytes: input.as_bytes(),
        owned: input.len(),
        is_last: true,
    };
    let taken = Decoder::at_start(&shape, limits).take(unread);
    let Contents::Batch(batch) = taken.expect("nothing is too long").contents else {
        panic!("there are records");
    };
    assert_eq!(batch.len(), 3);
}

#[test]
fn headers_that_name_no_columns_are_refused() {
    let with_key = shape(
        InputFormat::Csv,
        None,
        Some(InputField::Column("k".to_owned())),
    );
    for (shape, input, expected) in [
        (&csv(None), "a,b,a\n1,2,3", "two columns have the name `a`"),
        (&csv(None), "\"a,b", "the input ends within a quoted field"),
        (
            &with_key,
            "a,b\n",
            "it has no column `k`, which `key` names",
        ),
    ] {
        let mut decoder = Decoder::at_start(shape, WIDE);
        let error = pieces(&mut decoder, input.as_bytes(), 0, &[]).expect_err("it is unusable");
        let expected = format!("the header is unusable: {expected}");
        assert_eq!(error.reason(WIDE), expected);
    }
}

#[test]
fn only_a_record_above_the_limit_is_too_long() {
    let limits = LineLimits {
        record_bytes: 4,
        batch_bytes: 100,
    };
    let take = |input: &str| {
        let mut decoder = Decoder::at_start(&csv(Some(&["a"])), limits);
        pieces(&mut decoder, input.as_bytes(), 0, &[]).map(|pieces| pieces.len())
    };
    let too_long = Err(DecodeError::TooLong { what: "record" });
    assert_eq!(take("1234\n1234"), Ok(2));
    assert_eq!(take("\"12\"\r\n"), Ok(1));
    assert_eq!(take("12345\n"), too_long);
    assert_eq!(take("1\n12345"), too_long);
    assert_eq!(take("\"12\"3\n\n"), too_long);
}

#[test]
fn a_byte_order_mark_before_the_first_line_of_json_is_skipped_and_no_other() {
    let jsonl = shape(InputFormat::Jsonl, None, None);
    assert_eq!(texts(&jsonl, "\u{feff}1\n2\n"), ["1", "2"]);
    let mark = |at| Piece {
        key: "invalid: it is not JSON: expected value at its byte 1".to_owned(),
        text: "\u{feff}2".to_owned(),
        place: (at, at + 4),
    };
    assert_eq!(whole(&jsonl, "1\n\u{feff}2")[1], mark(2));
    // A reader that begins behind the start of the file.
    let mut decoder = Decoder::at_start(&jsonl, WIDE);
    decoder.seek();
    let rest = pieces(&mut decoder, "1\n\u{feff}2".as_bytes(), 2, &[]);
    assert_eq!(rest, Ok(vec![mark(2)]));
}

#[test]
fn more_fields_than_a_csv_may_have_are_counted_and_cost_no_more_memory() {
    let limits = LineLimits {
        record_bytes: 1 << 20,
        batch_bytes: 100,
    };
    let input = ",".repeat(100_000) + "\n1\n";
    let mut decoder = Decoder::at_start(&csv(Some(&["a"])), limits);
    let found = pieces(&mut decoder, input.as_bytes(), 0, &[]).expect("it is not too long");
    let reason = "invalid: it has 100001 field(s) instead of 1";
    assert_eq!(found[0].key, reason);
    assert_eq!(found[1].text, r#"{"a":"1"}"#);
}

#[test]
fn options_that_do_not_fit_together_are_refused() {
    let refusal = |format, columns: Option<&[&str]>, key| {
        let columns = columns.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        let checked = InputShape::checked(format, columns, Parts { key, value: None });
        checked.expect_err("they do not fit").to_string()
    };
    let json = || Some(InputField::Json("/a".to_owned()));
    let column = || Some(InputField::Column("a".to_owned()));
    let lines = InputFormat::Lines;
    for (refusal, expected) in [
        (
            refusal(lines, None, json()),
            "`key` needs `format = \"jsonl\"`",
        ),
        (refusal(lines, Some(&["a"]), None), "`columns` are only for"),
        (
            refusal(InputFormat::Jsonl, None, column()),
            "`key = { json = \"/NAME\" }`",
        ),
        (
            refusal(InputFormat::Csv, None, json()),
            "`key = { column = \"NAME\" }`",
        ),
        (
            refusal(InputFormat::Csv, Some(&["b"]), column()),
            "`columns` have no `a`",
        ),
        (
            refusal(InputFormat::Csv, Some(&[]), None),
            "`columns`: it lists no column",
        ),
        (
            refusal(InputFormat::Csv, Some(&["b", "b"]), None),
            "two columns have the name `b`",
        ),
    ] {
        assert!(refusal.contains(expected), "{refusal}");
    }
}

/// Text of few characters, most of which mean something to CSV or JSON.
const TEXT: &str = "([a,\"\n\r]|\u{feff}|é){0,40}";

/// The lines of two columns of any text, quoted where needed or not needed.
fn any_rows() -> impl Strategy<Value = Vec<(String, String, bool, bool)>> {
    let field = "([a,\"\n\r]|é){0,6}";
    prop::collection::vec((field, field, any::<bool>(), any::<bool>()), 0..8)
}

fn quoted(field: &str, always: bool) -> String {
    match always || field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
}

proptest! {
    #[test]
    fn quoted_fields_of_any_text_are_read_back(rows in any_rows(), crlf in any::<bool>()) {
        let terminator = if crlf { "\r\n" } else { "\n" };
        let row = |(a, b, qa, qb): &(String, String, bool, bool)| {
            format!("{},{}{terminator}", quoted(a, *qa), quoted(b, *qb))
        };
        let input: String = std::iter::once(format!("a,b{terminator}"))
            .chain(rows.iter().map(row))
            .collect();
        let limits = LineLimits { record_bytes: 1_000, batch_bytes: 1_000 };
        let mut decoder = Decoder::at_start(&csv(None), limits);
        let read = pieces(&mut decoder, input.as_bytes(), 0, &[]).expect("nothing is too long");
        let read: Vec<String> = read.into_iter().map(|piece| piece.text).collect();
        let text = |text: &str| serde_json::to_string(text).expect("it is a string");
        let expected: Vec<String> = rows
            .iter()
            .map(|(a, b, ..)| format!("{{\"a\":{},\"b\":{}}}", text(a), text(b)))
            .collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn arrival_and_batches_change_no_record(
        text in TEXT,
        mut arrivals in prop::collection::vec(0_usize..60, 0..6),
        has_header in any::<bool>(),
        is_csv in any::<bool>(),
    ) {
        arrivals.sort_unstable();
        let shape = match (is_csv, has_header) {
            (true, true) => csv(None),
            (true, false) => csv(Some(&["a", "b"])),
            (false, _) => shape(InputFormat::Jsonl, None, None),
        };
        let input = text.as_bytes();
        let decoded = |arrivals: &[usize]| {
            pieces(&mut Decoder::at_start(&shape, WIDE), input, 0, arrivals)
        };
        prop_assert_eq!(decoded(&arrivals), decoded(&[]));
    }

    #[test]
    fn a_restart_at_any_position_continues_with_the_next_record(text in TEXT) {
        let shape = csv(Some(&["a", "b"]));
        let input = text.as_bytes();
        let all = pieces(&mut Decoder::at_start(&shape, WIDE), input, 0, &[]);
        let all = all.expect("nothing is too long");
        for (at, piece) in all.iter().enumerate() {
            let mut decoder = Decoder::at_start(&shape, WIDE);
            decoder.seek();
            let rest = pieces(&mut decoder, input, piece.place.1, &[]);
            prop_assert_eq!(rest.as_deref(), Ok(&all[at + 1..]));
        }
    }
}
