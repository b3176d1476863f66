//! A manifest as bytes: magic, format version, length, postcard body, digest. Pure; `FORMAT.md`
//! documents every byte.
//!
//! Decoding accepts any bytes: it never panics, trusts no length, and reads the body only after
//! it has checked the digest.

use super::byte_reader::{ByteReader, length_of};
use super::{FormatError, Manifest};

const MAGIC: &[u8; 8] = b"TGCHKPT\0";
const VERSION: u32 = 1;
const WHAT: &str = "manifest";
const DIGEST_LENGTH: u64 = 32;

/// The largest manifest that is written or read, in bytes.
pub(super) const MAX_LENGTH: u64 = 256 << 20;

impl Manifest {
    /// Returns the bytes of the manifest's file.
    ///
    /// # Errors
    ///
    /// [`FormatError::Inconsistent`] or [`FormatError::TooLarge`], since no reader would accept the
    /// manifest.
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        self.check()?;
        let body =
            postcard::to_stdvec(self).map_err(|reason| FormatError::Undecodable { reason })?;
        let mut bytes = Vec::with_capacity(body.len() + 64);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&length_of(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        let digest = blake3::hash(&bytes);
        bytes.extend_from_slice(digest.as_bytes());
        check_length(&bytes)?;
        Ok(bytes)
    }

    /// Decodes the bytes of a manifest's file. State files are not checked.
    ///
    /// # Errors
    ///
    /// The first [`FormatError`] in the order of `FORMAT.md`.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        check_length(bytes)?;
        let mut reader = ByteReader::new(bytes);
        reader.magic_and_version(MAGIC, VERSION, WHAT)?;
        let length = reader.u64("the body's length")?;
        let body = reader.take(length, "the body")?;
        let digest = blake3::Hash::from_bytes(reader.array("the digest")?);
        reader.end()?;

        let covered = ByteReader::new(bytes).take(length_of(bytes) - DIGEST_LENGTH, WHAT)?;
        if blake3::hash(covered) != digest {
            let expected = digest.to_hex().to_string();
            return Err(FormatError::WrongDigest { expected });
        }
        let decoded = postcard::take_from_bytes::<Self>(body);
        let (manifest, left) = decoded.map_err(|reason| FormatError::Undecodable { reason })?;
        ByteReader::new(left).end()?;
        manifest.check()?;
        Ok(manifest)
    }
}

fn check_length(bytes: &[u8]) -> Result<(), FormatError> {
    let length = length_of(bytes);
    if length > MAX_LENGTH {
        return Err(FormatError::TooLarge {
            length,
            limit: MAX_LENGTH,
        });
    }
    Ok(())
}
