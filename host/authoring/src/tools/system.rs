//! The commands with which this system installs tools.

use std::fs;

/// A system, as far as its packages matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    /// Debian, with its major version.
    Debian(u32),
    /// Ubuntu, with its year.
    Ubuntu(u32),
    Fedora,
    MacOs,
    Other,
}

/// The packages with which Debian's compiler for browsers builds operators, and their linker.
const DEBIAN_RUST: &str = "rustc-web cargo-web rust-web-src rust-web-llvm lld-22";

/// The compiler of the C SDK's tests.
const DEBIAN_C: &str = "clang-22 lld-22 libclang-rt-22-dev-wasm32 wasi-libc";
const DEBIAN_CPP: &str = "libc++-22-dev-wasm32 libc++abi-22-dev-wasm32";

const RUSTUP_TARGET: &str = "rustup toolchain install stable --target wasm32-unknown-unknown";

impl System {
    /// Returns this machine's system.
    pub(crate) fn of_this_machine() -> Self {
        if cfg!(target_os = "macos") {
            return Self::MacOs;
        }
        // The second place is for systems whose /etc is the user's own.
        let places = ["/etc/os-release", "/usr/lib/os-release"];
        let text = places
            .iter()
            .find_map(|place| fs::read_to_string(place).ok());
        text.map_or(Self::Other, |text| Self::named(&text))
    }

    /// Reads a file `os-release`.
    fn named(text: &str) -> Self {
        let value = |key: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once('='));
            let (_, value) = lines.find(|(found, _)| *found == key)?;
            Some(value.trim_matches(['"', '\'']))
        };
        let version = value("VERSION_ID").unwrap_or_default();
        let major = version
            .split('.')
            .next()
            .and_then(|major| major.parse().ok());
        let ids = [value("ID"), value("ID_LIKE")];
        let mut ids = ids.into_iter().flatten().flat_map(|ids| ids.split(' '));
        let family = ids.find_map(|id| match id {
            "debian" => Some(Self::Debian(major.unwrap_or(0))),
            "ubuntu" => Some(Self::Ubuntu(major.unwrap_or(0))),
            "fedora" | "rhel" => Some(Self::Fedora),
            _ => None,
        });
        family.unwrap_or(Self::Other)
    }

    /// Returns the command that installs Python.
    pub(crate) fn python(self) -> String {
        match self {
            Self::Debian(_) | Self::Ubuntu(_) => apt("python3 python3-venv"),
            Self::Fedora => dnf("python3"),
            Self::MacOs => brew("python"),
            Self::Other => "install Python 3.11 or newer: https://www.python.org".to_owned(),
        }
    }

    /// Returns the command that installs Node.js 20 or newer, with npm.
    pub(crate) fn node(self) -> String {
        match self {
            Self::Debian(major) if major >= 13 => apt("nodejs npm"),
            Self::Ubuntu(year) if year >= 25 => apt("nodejs npm"),
            Self::Fedora => dnf("nodejs npm"),
            Self::MacOs => brew("node"),
            // Older ones have an older Node.js.
            Self::Debian(_) | Self::Ubuntu(_) | Self::Other => {
                "install Node.js 20 or newer, with npm: https://nodejs.org".to_owned()
            }
        }
    }

    /// Returns the command that installs a Rust compiler for operators.
    pub(crate) fn rust(self) -> String {
        match self {
            Self::Debian(12) => apt(&format!("--no-install-recommends {DEBIAN_RUST}")),
            Self::MacOs => format!("`brew install rustup && {RUSTUP_TARGET}`"),
            Self::Debian(_) | Self::Ubuntu(_) | Self::Fedora | Self::Other => {
                format!("install rustup from https://rustup.rs, then `{RUSTUP_TARGET}`")
            }
        }
    }

    /// Returns the command that installs Go without Python.
    pub(crate) fn go(self) -> String {
        match self {
            Self::Debian(major) if major >= 13 => apt("golang-go"),
            Self::Ubuntu(year) if year >= 25 => apt("golang-go"),
            Self::Fedora => dnf("golang"),
            Self::MacOs => brew("go"),
            Self::Debian(_) | Self::Ubuntu(_) | Self::Other => {
                "install Go 1.24 or newer: https://go.dev/dl".to_owned()
            }
        }
    }

    /// Returns the command that installs a C compiler for WebAssembly, with its C library.
    pub(crate) fn clang(self) -> String {
        match self {
            Self::Debian(_) | Self::Ubuntu(_) => {
                let c = apt(&format!("--no-install-recommends {DEBIAN_C}"));
                format!("{c}, with `{DEBIAN_CPP}` for C++")
            }
            Self::Fedora | Self::MacOs | Self::Other => "unpack a WASI SDK from \
                 https://github.com/WebAssembly/wasi-sdk/releases, and set WASI_SDK_PATH to it"
                .to_owned(),
        }
    }

    /// Returns the command that installs CMake and a build tool for it.
    pub(crate) fn cmake(self) -> String {
        match self {
            Self::Debian(_) | Self::Ubuntu(_) => apt("cmake ninja-build"),
            Self::Fedora => dnf("cmake ninja-build"),
            Self::MacOs => brew("cmake ninja"),
            Self::Other => "install CMake and ninja: https://cmake.org".to_owned(),
        }
    }
}

fn apt(packages: &str) -> String {
    format!("as root, `apt-get install -y {packages}`")
}

fn dnf(packages: &str) -> String {
    format!("as root, `dnf install -y {packages}`")
}

fn brew(packages: &str) -> String {
    format!("`brew install {packages}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_known_by_its_name_or_by_that_of_its_family() {
        for (text, system) in [
            (
                "NAME=\"Debian\"\nVERSION_ID=\"12\"\nID=debian\n",
                System::Debian(12),
            ),
            ("ID=debian\nNAME=sid\n", System::Debian(0)),
            (
                "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n",
                System::Ubuntu(24),
            ),
            (
                "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=22\n",
                System::Ubuntu(22),
            ),
            (
                "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
                System::Fedora,
            ),
            ("ID=fedora\nVERSION_ID=43\n", System::Fedora),
            ("ID=alpine\n", System::Other),
            ("nothing\n===\n", System::Other),
        ] {
            assert_eq!(System::named(text), system, "{text}");
        }
    }

    #[test]
    fn a_package_that_is_too_old_is_not_recommended() {
        assert!(System::Debian(13).node().contains("apt-get"));
        for old in [System::Debian(12), System::Ubuntu(24)] {
            assert!(!old.node().contains("apt-get"), "{old:?}");
            assert!(!old.go().contains("apt-get"), "{old:?}");
        }
    }

    #[test]
    fn every_system_has_a_remedy_for_every_tool() {
        let systems = [
            System::Debian(12),
            System::Ubuntu(25),
            System::Fedora,
            System::MacOs,
            System::Other,
        ];
        for system in systems {
            let remedies = [
                system.python(),
                system.node(),
                system.rust(),
                system.go(),
                system.clang(),
                system.cmake(),
            ];
            assert!(remedies.iter().all(|remedy| !remedy.is_empty()));
        }
    }
}
