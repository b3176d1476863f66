//! JavaScript and TypeScript: packages of npm.

use super::{LanguageKit, SdkKit, quoted};

pub(crate) const KIT: LanguageKit = LanguageKit {
    manifest: "package.json",
    sdk: SdkKit {
        package: "@tidegate/sdk",
        place: "guest-sdk/javascript",
        mark: "\"name\": \"@tidegate/sdk\"",
        in_folder: |path| quoted(&format!("file:{path}")),
        copied: "\"file:./sdk\"",
    },
    folder: "javascript",
    name_problem,
    export_remedy: "export by default the object that `operator` of @tidegate/sdk returns",
};

/// TypeScript differs from JavaScript by its templates.
pub(crate) const TYPESCRIPT: LanguageKit = LanguageKit {
    folder: "typescript",
    ..KIT
};

fn name_problem(name: &str) -> Option<String> {
    let is_lower = !name.contains(|c: char| c.is_ascii_uppercase());
    let is_fine = is_lower && !name.starts_with('_') && name != "node_modules";
    (!is_fine).then(|| "a package's name is lower case, and does not begin with `_`".to_owned())
}
