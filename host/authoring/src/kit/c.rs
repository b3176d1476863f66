//! C and C++: projects of CMake.

use super::{LanguageKit, SdkKit, begins_with_letter};

pub(crate) const KIT: LanguageKit = LanguageKit {
    manifest: "CMakeLists.txt",
    sdk: SdkKit {
        package: "tidegate",
        place: "guest-sdk/c",
        mark: "project(tidegate ",
        // A bracket argument of CMake takes any path as it is.
        in_folder: |path| format!("REQUIRED PATHS [=[{path}/cmake]=] NO_DEFAULT_PATH"),
        copied: "REQUIRED PATHS \"${CMAKE_CURRENT_SOURCE_DIR}/sdk/cmake\" NO_DEFAULT_PATH",
    },
    folder: "c",
    name_problem,
    export_remedy: "write `TG_EXPORT(...)` at file level in one of its sources",
};

/// C++ differs from C by its templates and by the macro that exports a class.
pub(crate) const CPP: LanguageKit = LanguageKit {
    folder: "cpp",
    export_remedy: "write `TIDEGATE_EXPORT(...)` at file level in one of its sources",
    ..KIT
};

/// Targets that CMake creates by itself, and those of the SDK.
const NOT_CMAKE_TARGETS: [&str; 12] = [
    "all",
    "clean",
    "depend",
    "edit_cache",
    "help",
    "install",
    "package",
    "rebuild_cache",
    "test",
    "tidegate",
    "tidegate_sdk",
    "tidegate_testing",
];

fn name_problem(name: &str) -> Option<String> {
    if !begins_with_letter(name) {
        return Some("a CMake target's name begins with a letter".to_owned());
    }
    let is_taken = NOT_CMAKE_TARGETS.contains(&name);
    is_taken.then(|| {
        format!("CMake or the SDK uses it already; choose another, such as `{name}-operator`")
    })
}
