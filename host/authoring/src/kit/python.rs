//! Python: projects with a `pyproject.toml`.

use super::{LanguageKit, SdkKit, quoted};

pub(crate) const KIT: LanguageKit = LanguageKit {
    manifest: "pyproject.toml",
    sdk: SdkKit {
        package: "tidegate-sdk",
        place: "guest-sdk/python",
        mark: "name = \"tidegate-sdk\"",
        in_folder: |path| format!("sdk = {}", quoted(path)),
        copied: "sdk = \"sdk\"",
    },
    folder: "python",
    name_problem,
    export_remedy: "name the class in pyproject.toml under `[tool.tidegate]`: \
                    `operator = \"module:Class\"`",
};

fn name_problem(name: &str) -> Option<String> {
    let is_outer = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if !is_outer(name.chars().next()) || !is_outer(name.chars().next_back()) {
        return Some("a package's name begins and ends with a letter or digit".to_owned());
    }
    let is_sdk = name.replace('_', "-").eq_ignore_ascii_case(KIT.sdk.package);
    is_sdk.then(|| "it is the name of the SDK".to_owned())
}
