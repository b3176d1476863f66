//! The differences between languages, except the compilers: one [`LanguageKit`] a language, in a
//! file of its name. A new language is a variant of `Language`, a kit here with a folder of
//! templates, and a folder of `build/`.

pub(crate) mod c;
pub(crate) mod go;
pub(crate) mod javascript;
pub(crate) mod python;
pub(crate) mod rust;

/// All facts about a language.
#[derive(Debug)]
pub(crate) struct LanguageKit {
    /// The file that makes a folder a project of the language.
    pub(crate) manifest: &'static str,
    pub(crate) sdk: SdkKit,
    /// The folder of its files of new projects, in `templates/`.
    pub(crate) folder: &'static str,
    /// The reason why a name, which is an operator's, can't be that of a package.
    pub(crate) name_problem: fn(name: &str) -> Option<String>,
    /// The way to export an operator, for authors whose project exports none.
    pub(crate) export_remedy: &'static str,
}

/// The place of an SDK, and the ways in which a project names it.
#[derive(Debug)]
pub(crate) struct SdkKit {
    /// The package of the SDK.
    pub(crate) package: &'static str,
    /// Its folder in the sources of Tidegate.
    pub(crate) place: &'static str,
    /// The text that identifies its manifest.
    pub(crate) mark: &'static str,
    /// Returns the dependency on the SDK in a folder, for a project's manifest.
    pub(crate) in_folder: fn(path: &str) -> String,
    /// The dependency on a copy of the SDK in the project's folder `sdk`.
    pub(crate) copied: &'static str,
}

/// Returns a string of JSON, which TOML writes the same way.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn begins_with_letter(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
}
