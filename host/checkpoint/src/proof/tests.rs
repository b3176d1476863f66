//! Tests of `proof`.

use super::*;

fn proof() -> Proof {
    Proof {
        checkpoint: CheckpointId(7),
        proven_at_ms: 1_700_000_000_000,
        manifest: [9; 32],
    }
}

#[test]
fn a_mark_is_read_as_it_was_written() {
    let bytes = proof().encode();
    assert_eq!(bytes.len() as u64, LENGTH);
    assert_eq!(Proof::decode(&bytes), Ok(proof()));
}

#[test]
fn every_flipped_bit_and_every_truncation_of_a_mark_is_found() {
    let bytes = proof().encode();
    for bit in 0..bytes.len() * 8 {
        let mut broken = bytes.clone();
        broken[bit / 8] ^= 1 << (bit % 8);
        assert!(Proof::decode(&broken).is_err(), "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert!(Proof::decode(&bytes[..length]).is_err(), "{length} bytes");
    }
}
