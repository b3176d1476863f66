//! Operators in Python: the report of a fault in Python code, and a project that does not load.

use std::fs;
use std::path::Path;

use tidegate_tests::{tidegate, workspace_root};

use super::{one_at_a_time, scratch};

/// Writes a project with this module, and a scenario for each value that its record can have.
fn project(folder: &Path, module: &str, scenarios: &[(&str, &str)]) {
    let sdk = workspace_root().join("guest-sdk/python");
    let manifest = format!(
        "[project]\nname = \"faults\"\n[tool.tidegate]\noperator = \"faults:faults\"\n\
         sdk = \"{}\"\n",
        sdk.display()
    );
    let tests = folder.join("tests");
    fs::create_dir_all(&tests).expect("a folder can be made");
    fs::write(folder.join("pyproject.toml"), manifest).expect("it can be written");
    fs::write(folder.join("faults.py"), module).expect("it can be written");
    for (value, step) in scenarios {
        let text = format!(
            "version = 1\ncomponent = \"../faults.wasm\"\n[[step]]\n\
             records = [{{ key = \"a\", value = \"{value}\" }}]\n{step}"
        );
        fs::write(tests.join(value).with_extension("toml"), text).expect("it can be written");
    }
}

const FAULTS: &str = r#"
import datetime

from tidegate import I64, operator

RATES = {"EUR": 0}


def convert(amount):
    return amount // RATES["EUR"]


@operator(state=I64)
def faults(record, state, out):
    match record.value_text():
        case "raise":
            out.emit(record.key, convert(1))
        case "recurse":
            faults.on_record(record, state, out)
        case "exit":
            raise SystemExit(3)
        case "import":
            import wave
        case "clock":
            datetime.datetime.now()
        case "print":
            print("two\nlines")
            out.emit(record.key, "printed")
        case "overflow":
            state.value = 2**63
"#;

#[test]
fn a_fault_in_python_is_in_the_error_with_its_type_its_message_and_its_calls() {
    let _alone = one_at_a_time();
    let folder = scratch("python-faults");
    let is_a_fault = "expect = []\n";
    project(
        &folder,
        FAULTS,
        &[
            ("raise", is_a_fault),
            ("recurse", is_a_fault),
            ("exit", is_a_fault),
            ("import", is_a_fault),
            ("clock", is_a_fault),
            ("print", "expect = [{ key = \"a\", value = \"printed\" }]\n"),
            ("overflow", "[[step]]\ncheckpoint = true\n"),
        ],
    );
    let tested = tidegate(&folder, &["test", "."]);
    tested.assert_fails(7, &["error: 6 of 7 scenario(s) failed"]);
    for said in [
        "`process` trapped: ZeroDivisionError: division by zero\n    \
         at convert (faults.py:10): return amount // RATES[\"EUR\"]\n    \
         at faults (faults.py:17): out.emit(record.key, convert(1))\n\n",
        "trapped: RecursionError: maximum recursion depth exceeded\n",
        "trapped: SystemExit: 3\n    at faults (faults.py:21): raise SystemExit(3)\n\n",
        "trapped: ModuleNotFoundError: module `wave` is not in the component: import it at the \
         top of a module",
        "at datetime_datetime_now\n",
        "`snapshot` failed: the state can't be written: 9223372036854775808 does not fit in i64\n",
        "print.toml ... ok\n",
    ] {
        assert!(tested.stdout.contains(said), "no `{said}` in {tested:#?}");
    }
    for line in ["two", "lines"] {
        let logged = format!("INFO tidegate::guest: {line} ");
        assert!(tested.stderr.contains(&logged), "{tested:#?}");
    }
}

#[test]
fn a_project_in_python_that_does_not_load_says_why() {
    let _alone = one_at_a_time();
    let folder = scratch("python-broken");
    project(&folder, "import nothing_of_the_kind\n", &[]);
    let built = tidegate(&folder, &["build", "."]);
    built.assert_fails(
        1,
        &[
            "ModuleNotFoundError: No module named 'nothing_of_the_kind'",
            "faults.py\", line 1",
            "was not built: see the errors above",
        ],
    );
    project(&folder, "faults = 7\n", &[]);
    let built = tidegate(&folder, &["build", "."]);
    built.assert_fails(1, &["TypeError: 7 is no operator"]);
}
