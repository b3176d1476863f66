//! The header of a file whose reader continues behind it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use tidegate_connector::ConnectorError;

use super::super::position::FilePosition;
use super::unusable;
use crate::input_format::Decoder;
use crate::lines::{LineLimits, Unread};

/// The number of bytes of the first read; each further one reads twice as many.
const FIRST_BYTES: usize = 4 * 1024;

/// Lets the decoder read the header, if the file has one.
pub(in crate::file_source) fn read(
    file: &File,
    position: &FilePosition,
    decoder: &mut Decoder,
    limits: LineLimits,
) -> Result<(), ConnectorError> {
    let at_start = FilePosition {
        position: 0,
        ..position.clone()
    };
    let mut length = FIRST_BYTES;
    let mut taken = 0;
    while decoder.needs_header() {
        let within = usize::try_from(position.file_length).unwrap_or(usize::MAX);
        let action = format!("could not read the header of input file {}", position.file);
        let bytes = start_of(file, length.min(within)).map_err(ConnectorError::io(action))?;
        let unread = Unread {
            bytes: &bytes[taken..],
            owned: usize::MAX,
            is_last: bytes.len() == within,
        };
        let header = decoder.take(unread);
        taken += header
            .map_err(|error| unusable(&at_start, &error, limits))?
            .end;
        if bytes.len() == within {
            break;
        }
        length = length.saturating_mul(2);
    }
    Ok(())
}

/// Reads the first bytes of a file.
fn start_of(file: &File, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}
