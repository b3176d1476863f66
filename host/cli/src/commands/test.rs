//! `tidegate test`: runs scenarios against components, prints a line for each, and reports the
//! failures.

use std::path::{Path, PathBuf};

use serde::Serialize;
use tidegate_authoring::build::{BuildRequest, build};
use tidegate_authoring::scenario::{self, Failed, LoadedScenario, Place, ScenarioFile};
use tidegate_job_file::config_file::ConfigFileError;
use tidegate_job_file::{Components, json};
use tidegate_operator::{Backtrace, Engine, EngineOptions, shown};

use crate::args::TestArgs;
use crate::code_cache;
use crate::failure::Failure;
use crate::terminal::{Lines, Terminal};

/// The output of `test --json`.
#[derive(Serialize)]
struct TestAnswer {
    ok: bool,
    passed: usize,
    failed: usize,
    scenarios: Vec<ScenarioAnswer>,
}

/// One scenario in the output.
#[derive(Serialize)]
struct ScenarioAnswer {
    #[serde(serialize_with = "json::path")]
    path: PathBuf,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failed>,
}

/// Runs the scenarios at a path.
pub(crate) fn test(args: &TestArgs, terminal: &Terminal) -> Result<(), Failure> {
    let paths = match scenario::find(&args.path)? {
        Place::Scenarios(paths) => paths,
        Place::Project {
            directory,
            scenarios,
        } => {
            // A wrong scenario is reported before the compiler takes its time.
            for path in &scenarios {
                ScenarioFile::read(path)?.check()?;
            }
            if !args.no_build {
                build_first(args, directory, terminal)?;
            }
            scenarios
        }
    };
    let loaded = load(&paths, args.faults.backtrace.into())?;
    if !args.output.json {
        terminal.data(&Lines::one(format_args!(
            "running {} scenario(s)",
            loaded.len()
        )))?;
    }
    let mut answers = Vec::new();
    for scenario in loaded {
        let failure = scenario::run(&scenario).err();
        let ok = failure.is_none();
        let path = scenario.path;
        if !args.output.json {
            let outcome = if ok { "ok" } else { "FAILED" };
            terminal.data(&Lines::one(format_args!(
                "test {} ... {outcome}",
                shown(&path)
            )))?;
        }
        answers.push(ScenarioAnswer { path, ok, failure });
    }
    report(answers, args.output.json, terminal)
}

fn build_first(args: &TestArgs, directory: PathBuf, terminal: &Terminal) -> Result<(), Failure> {
    let built = build(&BuildRequest {
        path: directory,
        out: None,
        target_dir: args.compiler.target_dir.clone(),
        offline: args.compiler.offline,
    })?;
    for component in built {
        terminal.say(format_args!("built {}", shown(&component.path)));
    }
    Ok(())
}

/// Loads all scenarios with their components, before any is run.
pub(super) fn load(
    paths: &[PathBuf],
    backtrace: Backtrace,
) -> Result<Vec<LoadedScenario>, Failure> {
    let engine = Engine::with_options(EngineOptions {
        keeps_debug_info: true,
        backtrace,
        ..EngineOptions::default()
    });
    let engine = engine.map_err(ConfigFileError::from)?;
    let mut components = Components::new(engine, code_cache::of_this_user());
    let loaded = paths.iter().map(|path| {
        let scenario = ScenarioFile::read(path)?.load(&mut components)?;
        Ok(scenario)
    });
    loaded.collect()
}

fn report(answers: Vec<ScenarioAnswer>, json: bool, terminal: &Terminal) -> Result<(), Failure> {
    let all = answers.len();
    let failed = answers.iter().filter(|answer| !answer.ok).count();
    let answer = TestAnswer {
        ok: failed == 0,
        passed: all - failed,
        failed,
        scenarios: answers,
    };
    if json {
        terminal.json(&answer)?;
    } else {
        terminal.data(&text(&answer))?;
    }
    match failed {
        0 => Ok(()),
        failed => Err(Failure::ScenariosFailed { failed, all }),
    }
}

fn text(answer: &TestAnswer) -> Lines {
    let mut lines = Lines::new();
    for scenario in &answer.scenarios {
        if let Some(failure) = &scenario.failure {
            tell(&scenario.path, failure, &mut lines);
        }
    }
    let outcome = if answer.ok { "ok" } else { "FAILED" };
    let (passed, failed) = (answer.passed, answer.failed);
    lines.gap();
    lines.line(format_args!(
        "result: {outcome}. {passed} passed; {failed} failed"
    ));
    lines
}

/// Adds `tests/scenario.toml:14: step 3: message`, and the differing records.
pub(super) fn tell(path: &Path, failure: &Failed, lines: &mut Lines) {
    let Failed {
        step,
        line,
        message,
        differences,
    } = failure;
    lines.gap();
    let path = shown(path);
    lines.paragraph(format_args!("{path}:{line}: step {step}: {message}"));
    for difference in differences {
        for line in difference.lines() {
            lines.line(line);
        }
    }
}
