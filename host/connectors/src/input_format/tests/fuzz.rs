//! Fuzz target `records`: the bytes of a file in JSON Lines or CSV decode to the same records and
//! the same invalid pieces however they arrive, and each value that is JSON by the format is JSON.

use serde_json::value::RawValue;
use tidegate_fuzz::{Target, size_class};

use super::*;

const FORMATS: u8 = 4;

/// Returns the format that an input asks for with its first byte.
fn shape_of(byte: u8) -> Arc<InputShape> {
    let pointer = InputField::Json("/a/0".to_owned());
    let column = InputField::Column("a".to_owned());
    match byte % FORMATS {
        0 => shape(InputFormat::Jsonl, None, None),
        1 => shape(InputFormat::Jsonl, None, Some(pointer)),
        2 => shape(InputFormat::Csv, None, Some(column)),
        _ => shape(InputFormat::Csv, Some(&["a", "b"]), None),
    }
}

#[test]
fn fuzz_records() {
    Target::new("records", 20_000)
        .seed(b"\x00\x05{\"a\":[1,\"x\"]}\n[1e400]\nnull\n".to_vec())
        .seed(b"\x01\x03{\"a\":[\"k\\u00e9\",2]}\r\n{\"a\":{}}\n{\n".to_vec())
        .seed(b"\x02\x09a,b\n1,\"x\"\"y\n\"\n2\n\xff,3\n".to_vec())
        .seed(b"\x03\x01\xef\xbb\xbf\"q\",2\r\n,\n\"".to_vec())
        .words([
            &b"\""[..],
            b"\n",
            b"\r\n",
            b",",
            b"{",
            b"\\ud800",
            b"\xef\xbb\xbf",
            b"\xff",
        ])
        .run(|input| {
            let [format, cut, bytes @ ..] = input else {
                return vec!["too short".to_owned()];
            };
            let shape = shape_of(*format);
            let decoded = |arrivals: &[usize]| {
                let mut decoder = Decoder::at_start(&shape, WIDE);
                pieces(&mut decoder, bytes, 0, arrivals)
            };
            let whole = decoded(&[]);
            let cut = usize::from(*cut);
            assert_eq!(decoded(&[cut, cut * 2, cut * 3]), whole);
            let pieces = match whole {
                Ok(pieces) => pieces,
                Err(error) => {
                    return vec![format!(
                        "{} {}",
                        format % FORMATS,
                        tidegate_fuzz::shape(&error)
                    )];
                }
            };
            let (invalid, records): (Vec<_>, Vec<_>) = pieces
                .iter()
                .partition(|piece| piece.key.starts_with("invalid: "));
            for record in &records {
                let json = serde_json::from_str::<&RawValue>(&record.text);
                assert!(json.is_ok(), "{record:?} is not JSON");
            }
            let format = format % FORMATS;
            vec![
                format!("{format}: {} records", size_class(records.len())),
                format!("{format}: {} invalid", size_class(invalid.len())),
            ]
        });
}
