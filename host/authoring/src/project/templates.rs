//! What a new project of each language is made of: its folder of templates and its SDK.

use crate::language::Language;

/// A file of a new project.
#[derive(Debug)]
pub(super) struct Template {
    /// Where it goes, relative to the project.
    pub(super) path: &'static str,
    /// Its text, with `{{name}}` and `{{sdk}}`.
    pub(super) text: &'static str,
}

/// What every new operator must do, whatever its language.
const SCENARIO: Template = Template {
    path: "tests/scenario.toml",
    text: include_str!("../../templates/scenario.toml"),
};

/// The files of `templates/go`. The go command takes a folder with a `go.mod` for a module, so that
/// one has another name there.
const GO: [Template; 6] = [
    Template {
        path: "go.mod",
        text: include_str!("../../templates/go/go.mod.template"),
    },
    Template {
        path: "operator.go",
        text: include_str!("../../templates/go/operator.go"),
    },
    Template {
        path: "operator_test.go",
        text: include_str!("../../templates/go/operator_test.go"),
    },
    SCENARIO,
    Template {
        path: ".gitignore",
        text: include_str!("../../templates/go/gitignore.template"),
    },
    Template {
        path: "README.md",
        text: include_str!("../../templates/go/README.md"),
    },
];

/// The files of `templates/rust`. Cargo takes a folder with a `Cargo.toml` for a package, and git
/// one `.gitignore` for its own, so those two have other names there.
const RUST: [Template; 5] = [
    Template {
        path: "Cargo.toml",
        text: include_str!("../../templates/rust/Cargo.toml.template"),
    },
    Template {
        path: "src/lib.rs",
        text: include_str!("../../templates/rust/src/lib.rs"),
    },
    SCENARIO,
    Template {
        path: ".gitignore",
        text: include_str!("../../templates/rust/gitignore.template"),
    },
    Template {
        path: "README.md",
        text: include_str!("../../templates/rust/README.md"),
    },
];

/// The files of `templates/c`.
const C: [Template; 6] = [
    Template {
        path: "CMakeLists.txt",
        text: include_str!("../../templates/c/CMakeLists.txt"),
    },
    Template {
        path: "src/operator.c",
        text: include_str!("../../templates/c/src/operator.c"),
    },
    Template {
        path: "tests/operator_test.c",
        text: include_str!("../../templates/c/tests/operator_test.c"),
    },
    SCENARIO,
    Template {
        path: ".gitignore",
        text: include_str!("../../templates/c/gitignore.template"),
    },
    Template {
        path: "README.md",
        text: include_str!("../../templates/c/README.md"),
    },
];

/// The files of `templates/python`.
const PYTHON: [Template; 6] = [
    Template {
        path: "pyproject.toml",
        text: include_str!("../../templates/python/pyproject.toml.template"),
    },
    Template {
        path: "src/total.py",
        text: include_str!("../../templates/python/src/total.py"),
    },
    Template {
        path: "tests/test_total.py",
        text: include_str!("../../templates/python/tests/test_total.py"),
    },
    SCENARIO,
    Template {
        path: ".gitignore",
        text: include_str!("../../templates/python/gitignore.template"),
    },
    Template {
        path: "README.md",
        text: include_str!("../../templates/python/README.md"),
    },
];

/// The files of `templates/javascript`. Npm and git would take two of them for their own there.
const JAVASCRIPT: [Template; 6] = [
    Template {
        path: "package.json",
        text: include_str!("../../templates/javascript/package.json.template"),
    },
    Template {
        path: "src/operator.js",
        text: include_str!("../../templates/javascript/src/operator.js"),
    },
    Template {
        path: "test/operator.test.js",
        text: include_str!("../../templates/javascript/test/operator.test.js"),
    },
    SCENARIO,
    Template {
        path: ".gitignore",
        text: include_str!("../../templates/javascript/gitignore.template"),
    },
    Template {
        path: "README.md",
        text: include_str!("../../templates/javascript/README.md"),
    },
];

impl Language {
    /// The files of a new project.
    pub(super) fn templates(self) -> &'static [Template] {
        match self {
            Self::Go => &GO,
            Self::JavaScript => &JAVASCRIPT,
            Self::Rust => &RUST,
            Self::C => &C,
            Self::Python => &PYTHON,
        }
    }

    /// The package of the SDK.
    pub(super) fn sdk_package(self) -> &'static str {
        match self {
            Self::Rust | Self::Python => "tidegate-sdk",
            Self::Go => "github.com/tidegate/tidegate/guest-sdk/go",
            Self::JavaScript => "@tidegate/sdk",
            Self::C => "tidegate",
        }
    }

    /// Where the sources of Tidegate have the SDK.
    pub(super) fn sdk_place(self) -> &'static str {
        match self {
            Self::Go => "guest-sdk/go",
            Self::JavaScript => "guest-sdk/javascript",
            Self::Rust => "guest-sdk/rust",
            Self::C => "guest-sdk/c",
            Self::Python => "guest-sdk/python",
        }
    }

    /// What the manifest of the SDK says, by which it is known.
    pub(super) fn sdk_mark(self) -> String {
        match self {
            Self::Rust | Self::Python => format!("name = \"{}\"", self.sdk_package()),
            Self::Go => format!("module {}", self.sdk_package()),
            Self::JavaScript => format!("\"name\": \"{}\"", self.sdk_package()),
            Self::C => format!("project({} ", self.sdk_package()),
        }
    }
}
