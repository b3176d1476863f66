//! Positions and pending output as bytes: a version byte, then postcard. Pure.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// The reason why bytes of a checkpoint can't be decoded.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Undecodable {
    /// There are no bytes, not even a version.
    #[error("it is empty")]
    Empty,
    /// A newer program wrote them, or another connector.
    #[error("it has format version {found}; this version of tidegate reads version {known}")]
    Version {
        /// The version found.
        found: u8,
        /// The version known.
        known: u8,
    },
    /// The version fits, and the rest does not.
    #[error("its {length} bytes do not have the format of version {version}")]
    Malformed {
        /// The version.
        version: u8,
        /// The length with the version byte.
        length: usize,
    },
}

/// Encodes `value`.
pub(crate) fn encode<T: Serialize>(version: u8, value: &T) -> Vec<u8> {
    postcard::to_extend(value, vec![version]).expect("writing into memory can't fail")
}

/// Decodes bytes of [`encode`]; rejects any byte too many or too few.
pub(crate) fn decode<T: DeserializeOwned>(version: u8, bytes: &[u8]) -> Result<T, Undecodable> {
    let (found, rest) = bytes.split_first().ok_or(Undecodable::Empty)?;
    if *found != version {
        return Err(Undecodable::Version {
            found: *found,
            known: version,
        });
    }
    match postcard::take_from_bytes(rest) {
        Ok((value, [])) => Ok(value),
        Ok((_, _)) | Err(_) => Err(Undecodable::Malformed {
            version,
            length: bytes.len(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_as_they_were_and_nothing_else_does() {
        let bytes = encode(1, &(7_u64, "seven".to_owned()));
        assert_eq!(decode(1, &bytes), Ok((7_u64, "seven".to_owned())));

        let refused = |bytes: &[u8]| decode::<(u64, String)>(1, bytes).expect_err("is refused");
        assert_eq!(refused(&[]), Undecodable::Empty);
        assert_eq!(
            refused(&[2, 7]),
            Undecodable::Version { found: 2, known: 1 }
        );
        let malformed = |length| Undecodable::Malformed { version: 1, length };
        assert_eq!(refused(&bytes[..3]), malformed(3));
        assert_eq!(
            refused(&[&bytes[..], &[0]].concat()),
            malformed(bytes.len() + 1)
        );
    }
}
