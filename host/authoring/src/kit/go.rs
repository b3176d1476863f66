//! Go: modules.

use super::{LanguageKit, SdkKit, begins_with_letter, quoted};

const PACKAGE: &str = "github.com/tidegate/tidegate/guest-sdk/go";

pub(crate) const KIT: LanguageKit = LanguageKit {
    manifest: "go.mod",
    sdk: SdkKit {
        package: PACKAGE,
        place: "guest-sdk/go",
        mark: "module github.com/tidegate/tidegate/guest-sdk/go",
        in_folder: |path| {
            let path = quoted(path);
            format!("require {PACKAGE} v0.0.0\n\nreplace {PACKAGE} => {path}")
        },
        copied: concat!(
            "require github.com/tidegate/tidegate/guest-sdk/go v0.0.0\n\n",
            "replace github.com/tidegate/tidegate/guest-sdk/go => ./sdk"
        ),
    },
    folder: "go",
    name_problem: |name| problem(name).map(str::to_owned),
    export_remedy: "call `tidegate.Register` in an `init` function of package main",
};

/// Returns the go command's objection to a name as the last part of a module's path.
fn problem(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let numbered = |stem: &str| {
        let rest = lower.strip_prefix(stem);
        rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()))
    };
    if !begins_with_letter(name) {
        return Some("a module's name begins with a letter");
    }
    if numbered("v") {
        return Some("Go reads it as a version at the end of a module's path");
    }
    let is_device = ["aux", "con", "nul", "prn"].contains(&lower.as_str());
    if is_device || numbered("com") || numbered("lpt") {
        return Some("Windows reserves it for a device, and Go rejects it in a module's path");
    }
    None
}
