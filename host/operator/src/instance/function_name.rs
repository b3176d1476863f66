//! The name of a guest's function, in the form that its author knows.
//!
//! A name can stand for far more text than it has, since its parts refer to others, which again
//! refer to others. Rust's names go through a bounded writer; each of its steps writes something.
//! Demangling C++ takes exponential time in the worst case, so this reads only the form that most
//! functions have: names in namespaces and classes, without parameters. Other names stay as they
//! are.

use crate::bounded_text::bounded;
use crate::guest_text;

/// The number of bytes of a name that are shown.
const SHOWN_BYTES: usize = 1 << 10;
/// The length in bytes of the longest name that is demangled.
const READ_BYTES: usize = 8 << 10;

/// Returns the name in the form of its language, escaped.
pub(crate) fn shown(name: &str) -> String {
    guest_text::one_line(&demangled(name))
}

fn demangled(name: &str) -> String {
    if name.len() > READ_BYTES {
        return bounded(SHOWN_BYTES, name);
    }
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        return bounded(SHOWN_BYTES, format_args!("{rust:#}"));
    }
    let name = cpp(name).unwrap_or_else(|| name.to_owned());
    bounded(SHOWN_BYTES, name)
}

/// Reads `_Z<length><name>` and `_ZN<length><name>…E`, whatever parameters follow.
fn cpp(name: &str) -> Option<String> {
    let rest = name.strip_prefix("_Z")?;
    let Some(mut rest) = rest.strip_prefix('N') else {
        let (part, rest) = cpp_part(rest)?;
        return has_parameters(rest).then(|| part.to_owned());
    };
    // The mark of a `const` method.
    rest = rest.strip_prefix('K').unwrap_or(rest);
    let mut parts = Vec::new();
    loop {
        let (part, after) = cpp_part(rest)?;
        parts.push(part);
        if let Some(after) = after.strip_prefix('E') {
            return has_parameters(after).then(|| parts.join("::"));
        }
        rest = after;
    }
}

fn cpp_part(text: &str) -> Option<(&str, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let bytes: usize = text[..digits].parse().ok()?;
    let part = text[digits..].get(..bytes)?;
    // The namespace is anonymous: the number only makes it unique.
    let shown = if part.starts_with("_GLOBAL__N") {
        "(anonymous namespace)"
    } else {
        part
    };
    (bytes > 0).then(|| (shown, &text[digits + bytes..]))
}

/// Returns true if the types of parameters follow a name. Template arguments are not read.
fn has_parameters(rest: &str) -> bool {
    rest.starts_with(|first: char| first.is_ascii_alphabetic() && first != 'I')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_as_rust_and_as_c_plus_plus_have_them() {
        let names = [
            (
                "_ZN5count9on_record17h0123456789abcdefE",
                "count::on_record",
            ),
            ("_RNvCs4fqI2P2rA04_5count9on_record", "count::on_record"),
            ("_ZN5count6recordEi", "count::record"),
            ("_ZNK5count5State4sizeEv", "count::State::size"),
            (
                "_ZN12_GLOBAL__N_16recordEi",
                "(anonymous namespace)::record",
            ),
            ("_Z6recordPKc", "record"),
            ("plain", "plain"),
            ("a\u{1b}b", "a\\u{1b}b"),
        ];
        for (name, expected) in names {
            assert_eq!(shown(name), expected);
        }
    }

    #[test]
    fn c_plus_plus_that_is_not_read_stays_as_it_is() {
        let names = [
            "_ZNSt6vectorIiE4pushEi",
            "_Z1fIiEvT_",
            "_ZN9999999999999999999999E",
            "_ZN5é",
            "_ZN0Ev",
            "_Z",
        ];
        for name in names {
            assert_eq!(shown(name), name);
        }
    }

    /// Returns the name of `f` for an argument of `levels` levels, each a pair of the level below.
    fn nested_rust(levels: usize) -> String {
        let mut name = "_RINvC1a1f".to_owned();
        let mut before = "u".to_owned();
        for _ in 0..levels {
            let at = name.len() - "_R".len();
            name.push_str(&format!("T{before}{before}E"));
            // A number in base 62, where `_` alone is zero and `0_` is one.
            let digits: Vec<char> = ('0'..='9').chain('a'..='z').chain('A'..='Z').collect();
            before = match (at - 1) / digits.len() {
                0 => format!("B{}_", digits[at - 1]),
                high => format!("B{}{}_", digits[high], digits[(at - 1) % digits.len()]),
            };
        }
        name + "E"
    }

    #[test]
    fn a_name_of_300_bytes_that_stands_for_gigabytes_is_cut() {
        let small = shown(&nested_rust(2));
        assert_eq!(small, "a::f::<((), ()), (((), ()), ((), ()))>");
        let name = nested_rust(30);
        assert!(name.len() < 350, "{}", name.len());
        let shown = shown(&name);
        assert!(shown.ends_with('…'), "{shown}");
        assert_eq!(shown.len(), SHOWN_BYTES + '…'.len_utf8());
    }

    #[test]
    fn a_name_that_is_too_long_is_cut_without_being_read() {
        let part = "5count".repeat(READ_BYTES);
        let shown = shown(&format!("_ZN{part}Ev"));
        assert!(shown.starts_with("_ZN5count"), "{shown}");
        assert_eq!(shown.len(), SHOWN_BYTES + '…'.len_utf8());
    }
}
