//! A key as the state keeps it: in place if it is short, else on the heap.

use std::fmt;

use crate::bytes::{same, short_word};

/// The number of bytes that fit in place: as many as make a [`Key`] no larger than a key on the
/// heap. In WebAssembly that is 10, enough for an integer or a word.
const IN_PLACE: usize = size_of::<Box<[u8]>>() + align_of::<Box<[u8]>>() - 2;

/// The bytes of a key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Key {
    Short {
        length: u8,
        bytes: [u8; IN_PLACE],
    },
    Long(Box<[u8]>),
    /// The mark that a removed key leaves in its place.
    Removed,
}

impl Key {
    #[inline]
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut bytes = [0; IN_PLACE];
        // A copy of unknown length calls the engine.
        if key.len() <= size_of::<u64>()
            && let Some(head) = bytes.first_chunk_mut()
            && let Ok(length) = u8::try_from(key.len())
        {
            *head = short_word(key).to_le_bytes();
            return Self::Short { length, bytes };
        }
        match (bytes.get_mut(..key.len()), u8::try_from(key.len())) {
            (Some(head), Ok(length)) => {
                head.copy_from_slice(key);
                Self::Short { length, bytes }
            }
            _ => Self::Long(key.into()),
        }
    }

    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            // A length is at most `IN_PLACE`; the minimum spares the compiler a panic.
            Self::Short { length, bytes } => &bytes[..usize::from(*length).min(IN_PLACE)],
            Self::Long(bytes) => bytes,
            Self::Removed => &[],
        }
    }

    /// Returns true if the key is there and has these bytes.
    #[inline]
    pub(crate) fn is(&self, key: &[u8]) -> bool {
        if key.len() <= size_of::<u64>() {
            return self.is_word(short_word(key), key.len());
        }
        same(self.as_bytes(), key) && !self.is_removed()
    }

    /// Does the same for a key of at most eight bytes, given as a little-endian word that ends in
    /// zeros.
    #[inline(always)]
    pub(crate) fn is_word(&self, word: u64, len: usize) -> bool {
        match self {
            // The bytes behind the key's end are zero in both.
            Self::Short { length, bytes } => {
                usize::from(*length) == len && bytes.first_chunk() == Some(&word.to_le_bytes())
            }
            Self::Long(_) | Self::Removed => false,
        }
    }

    #[inline(always)]
    pub(crate) fn is_removed(&self) -> bool {
        matches!(self, Self::Removed)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", String::from_utf8_lossy(self.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_any_length_keeps_its_bytes() {
        for length in 0..300 {
            let bytes: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let key = Key::new(&bytes);
            assert_eq!(key.as_bytes(), bytes);
            assert!(key.is(&bytes));
            let other = [&bytes[..], &[0]].concat();
            assert!(!key.is(&other) && !Key::new(&other).is(&bytes));
            assert!(!Key::Removed.is(&bytes));
        }
    }

    #[test]
    fn a_short_key_takes_no_more_room_than_a_long_one() {
        assert_eq!(size_of::<Key>(), size_of::<Option<Option<Box<[u8]>>>>());
    }
}
