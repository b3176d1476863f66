//! Versions of tools, as far as they have to be compared.

use std::fmt::{self, Display};

/// A version with up to three numbers. Missing numbers are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version([u32; 3]);

impl Version {
    pub(crate) const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self([major, minor, patch])
    }

    /// Reads the first version in a text, such as `v20.1.0` or `componentize-py 0.25.1`. Letters
    /// after the last number do not matter.
    pub(crate) fn find_in(text: &str) -> Option<Self> {
        let words = text.split([' ', '\n', '\t', '(', ')']);
        let mut numbered = words.filter_map(|word| {
            let word = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
            let is_version = word.starts_with(|c: char| c.is_ascii_digit());
            is_version.then_some(word)
        });
        let mut numbers = [0; 3];
        for (number, part) in numbers.iter_mut().zip(numbered.next()?.split('.')) {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            *number = digits.parse().unwrap_or(0);
        }
        Some(Self(numbers))
    }
}

impl Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        match patch {
            0 => write!(formatter, "{major}.{minor}"),
            _ => write!(formatter, "{major}.{minor}.{patch}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_tools_print() {
        for (text, version) in [
            ("v20.20.2\n", Some(Version::new(20, 20, 2))),
            ("componentize-py 0.25.1", Some(Version::new(0, 25, 1))),
            ("Python 3.11.2", Some(Version::new(3, 11, 2))),
            ("go1.24rc1", Some(Version::new(1, 24, 0))),
            (
                "Debian clang version 22.1.0 (1~x)",
                Some(Version::new(22, 1, 0)),
            ),
            ("cmake version 3.25", Some(Version::new(3, 25, 0))),
            ("1.99999999999999999999.1", Some(Version::new(1, 0, 1))),
            ("no number here", None),
            ("", None),
        ] {
            assert_eq!(Version::find_in(text), version, "{text}");
        }
    }

    #[test]
    fn numbers_are_compared_and_not_digits() {
        assert!(Version::new(0, 9, 0) < Version::new(0, 25, 1));
        assert_eq!(Version::new(3, 11, 0).to_string(), "3.11");
        assert_eq!(Version::new(0, 25, 1).to_string(), "0.25.1");
    }
}
