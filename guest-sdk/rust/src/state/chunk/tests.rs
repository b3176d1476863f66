//! Tests of `chunk`.

use super::*;
use crate::context::Context;

/// Returns the context of the only subtask, with one key group that has every key.
fn context() -> Context {
    Context {
        job: String::new(),
        operator: String::new(),
        subtask: 0,
        parallelism: 1,
        max_parallelism: 1,
        first_key_group: 0,
        last_key_group: 0,
        hash_seed: 0,
        inputs: Vec::new(),
        outputs: Vec::new(),
        config: "null".to_owned(),
    }
}

fn keyed(bytes: &[u8]) -> StateChunk {
    StateChunk {
        name: KEYED.to_owned(),
        schema_version: 1,
        key_group: Some(0),
        bytes: bytes.to_vec(),
    }
}

/// Fuzz target `sdk-chunk`: any bytes as a chunk of keyed state whose values are bytes. A chunk
/// that is read is written again as the same bytes.
#[test]
fn fuzz_sdk_chunk() {
    tidegate_fuzz::Target::new("sdk-chunk", 20_000)
        .seed(*b"TGK\x01\x02\x00\x01\x07\x04tide\x01\x09")
        .seed(*b"TGK\x01\x03\x01a\x01\x01\x01b\x01\x02\x09a long one\x01\x03")
        .words([
            b"TGK\x01".as_slice(),
            b"\xff\xff\xff\xff\x0f",
            b"\x01a\x01\x01",
        ])
        .run(|input| {
            let mut keys = KeyedState::<u8>::new(&context());
            let unknown = |version, _: &[u8]| Err(crate::state::unknown_version(version));
            let chunk = keyed(input);
            let read = read_chunks(&mut keys, &[(0, chunk.clone())], 1, unknown);
            if read.is_ok() {
                let written = write_chunks(&mut keys, Items::default(), 1);
                assert_eq!(written, Ok(vec![chunk]));
            }
            vec![
                read.map_or_else(
                    |failure| tidegate_fuzz::shape(&format_args!("{failure}")),
                    |()| "read".to_owned(),
                ),
                tidegate_fuzz::size_class(keys.len()),
            ]
        });
}
