//! The kind of a file that was passed as a component, as its first bytes show it.
//!
//! Only for messages: a user who passes the wrong file learns its kind. Nothing is parsed.

/// The kind of file that the first bytes look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// A WebAssembly component, or a file that begins like one.
    Component,
    /// A core WebAssembly module.
    CoreModule,
    /// WebAssembly of neither known kind; holds version and layer.
    UnknownWasm([u8; 4]),
    /// WebAssembly in its text format.
    WasmText,
    /// Any other text, with its kind.
    Text(&'static str),
    /// A known kind of file that is not WebAssembly, with its name.
    Other(&'static str),
    /// Bytes of no known kind.
    Unknown,
}

/// The first bytes of files that people pass by mistake.
const MAGIC: [(&[u8], &str); 16] = [
    (b"\x7fELF", "an ELF file: a native program or library"),
    (b"MZ", "a Windows program or library"),
    (b"\xcf\xfa\xed\xfe", "a macOS program or library"),
    (b"\xca\xfe\xba\xbe", "a Java class or a macOS program"),
    (b"\x1f\x8b", "a gzip file; unpack it first"),
    (
        b"PK\x03\x04",
        "a zip file, such as a jar or a wheel; unpack it first",
    ),
    (b"\x28\xb5\x2f\xfd", "a zstd file; unpack it first"),
    (b"\xfd7zXZ\x00", "an xz file; unpack it first"),
    (b"BZh", "a bzip2 file; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z file; unpack it first"),
    (b"BC\xc0\xde", "LLVM bitcode"),
    (b"!<arch>\n", "a static library"),
    (b"\xef\xbb\xbf", "text with a byte order mark"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"%PDF", "a PDF file"),
    (b"SQLite format 3\x00", "an SQLite database"),
];

impl FileKind {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        if let Some(rest) = bytes.strip_prefix(b"\0asm") {
            return match rest.first_chunk::<4>() {
                Some([1, 0, 0, 0]) => Self::CoreModule,
                Some([_, 0, 1, 0]) | None => Self::Component,
                Some(version) => Self::UnknownWasm(*version),
            };
        }
        let magic = MAGIC.iter().find(|(start, _)| bytes.starts_with(start));
        if let Some((_, name)) = magic {
            return Self::Other(name);
        }
        // CPython writes its version, then CR LF.
        if bytes.get(2..4) == Some(b"\r\n") && std::str::from_utf8(bytes).is_err() {
            return Self::Other("compiled Python");
        }
        std::str::from_utf8(bytes).map_or(Self::Unknown, of_text)
    }
}

fn of_text(text: &str) -> FileKind {
    let text = text.trim_start();
    let starts = |start: &str| {
        text.get(..start.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(start))
    };
    if starts("(module") || starts("(component") || starts(";;") || starts("(;") {
        FileKind::WasmText
    } else if starts("<!doctype html") || starts("<html") {
        FileKind::Text("an HTML page; the download may have failed")
    } else if starts("version https://git-lfs") {
        FileKind::Text("a Git LFS pointer; fetch the file with `git lfs pull`")
    } else if starts("#!") {
        FileKind::Text("a script")
    } else if is_python(text) {
        FileKind::Text("Python source")
    } else {
        FileKind::Text("text")
    }
}

fn is_python(text: &str) -> bool {
    let begins = |line: &str| {
        let word = |word| line.starts_with(word);
        (word("def ") || word("class ")) && line.trim_end().ends_with(':')
            || (word("from ") && line.contains(" import "))
            || (word("import ") && !line.contains([';', '{', '"', '\'']))
    };
    text.lines().take(50).any(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_people_pass_by_mistake_are_recognised() {
        let kinds = [
            &b"\0asm\x01\0\0\0"[..],
            b"\0asm\x0d\0\x01\0",
            b"\0asm\x02\0\0\0",
            b"\0as",
            b"  (component)",
            b"<!DOCTYPE HTML><p>",
            b"import tidegate\n",
            b"import { a } from 'b';",
            b"\xcb\r\r\n\x00\x00\xff\xff",
            b"\xcb\x0d\r\n\x00\xff",
            b"\xff\x00\x01",
        ]
        .map(FileKind::of);
        let expected = [
            FileKind::CoreModule,
            FileKind::Component,
            FileKind::UnknownWasm([2, 0, 0, 0]),
            FileKind::Text("text"),
            FileKind::WasmText,
            FileKind::Text("an HTML page; the download may have failed"),
            FileKind::Text("Python source"),
            FileKind::Text("text"),
            FileKind::Other("compiled Python"),
            FileKind::Other("compiled Python"),
            FileKind::Unknown,
        ];
        assert_eq!(kinds, expected);
    }
}
