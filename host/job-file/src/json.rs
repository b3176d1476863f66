//! JSON for standard output and the control socket.
//!
//! No character in it steers a terminal, and every path of Linux has a form: a path in UTF-8 is a
//! string, any other is `{"hex":"…"}` with its bytes.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tidegate_operator::quiet_json;

/// Returns JSON text on several lines.
///
/// # Errors
///
/// The error of `serde_json`: the data has a map whose keys are not strings.
pub fn pretty(data: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string_pretty(data).map(quiet_json)
}

/// Returns JSON text on one line.
///
/// # Errors
///
/// As [`pretty`].
pub fn compact(data: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string(data).map(quiet_json)
}

/// A path that JSON carries in full, whatever its bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath(pub PathBuf);

impl AsRef<Path> for JsonPath {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl From<PathBuf> for JsonPath {
    fn from(path: PathBuf) -> Self {
        Self(path)
    }
}

/// Bytes that are not UTF-8.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bytes {
    hex: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrBytes {
    Text(String),
    Bytes(Bytes),
}

/// Writes a path as [`JsonPath`] does, for `serialize_with`.
///
/// # Errors
///
/// The errors of the serializer.
pub fn path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    match path.to_str() {
        Some(text) => serializer.serialize_str(text),
        None => {
            let hex = HEX.encode(path.as_os_str().as_bytes());
            Bytes { hex }.serialize(serializer)
        }
    }
}

impl Serialize for JsonPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        path(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for JsonPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match TextOrBytes::deserialize(deserializer)? {
            TextOrBytes::Text(text) => Ok(Self(text.into())),
            TextOrBytes::Bytes(Bytes { hex }) => {
                let bytes = HEX.decode(hex.as_bytes()).map_err(de::Error::custom)?;
                Ok(Self(OsString::from_vec(bytes).into()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_comes_back_from_json() {
        for bytes in [
            &b"/a b/c"[..],
            b"/\xff\n",
            "/\u{202e}é\u{1b}".as_bytes(),
            b"",
        ] {
            let path = JsonPath(OsString::from_vec(bytes.to_vec()).into());
            let json = compact(&path).unwrap();
            assert!(json.is_ascii() || json.contains('é'), "{json}");
            assert!(
                !json.contains('\u{202e}') && !json.contains('\u{1b}'),
                "{json}"
            );
            assert_eq!(serde_json::from_str::<JsonPath>(&json).unwrap(), path);
        }
        let odd = JsonPath(OsString::from_vec(b"/\xff".to_vec()).into());
        assert_eq!(compact(&odd).unwrap(), r#"{"hex":"2fff"}"#);
        assert!(serde_json::from_str::<JsonPath>(r#"{"hex":"2ff"}"#).is_err());
    }
}
