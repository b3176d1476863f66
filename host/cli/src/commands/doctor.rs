//! `tidegate doctor`: the tools that build operators, and their installation.

use std::env;
use std::path::Path;

use tidegate_authoring::Language;
use tidegate_authoring::build::{examine, languages_in};
use tidegate_authoring::tools::{Origin, ToolReport, ToolState, fix};
use tidegate_operator::shown;

use crate::args::DoctorArgs;
use crate::failure::Failure;
use crate::terminal::{Terminal, chain, table};

/// Reports on the tools, after it has installed missing ones if the user asks for it.
pub(crate) fn doctor(args: &DoctorArgs, terminal: &Terminal) -> Result<(), Failure> {
    let folder = env::current_dir().map_err(Failure::io("find the current folder"))?;
    let named = match args.languages.as_slice() {
        [] => languages_in(&folder),
        named => once_by_tools(named),
    };
    // No one asks for a language here, so a missing tool is information.
    let is_overview = named.is_empty();
    if is_overview && args.fix {
        return Err(Failure::Usage {
            message: "there is no project in this folder: name a language, such as \
                      `tidegate doctor python --fix`"
                .to_owned(),
        });
    }
    let languages = match is_overview {
        true => once_by_tools(&Language::ALL),
        false => named,
    };
    if args.fix {
        fix_missing(&languages, &folder, terminal);
    }
    let reports = report_on(&languages, &folder);
    if args.output.json {
        terminal.json(&reports)?;
    } else {
        print(&reports, terminal)?;
    }
    let missing = reports.iter().filter(|report| !is_ready(report)).count();
    if missing > 0 && !is_overview {
        return Err(Failure::ToolsMissing { missing });
    }
    Ok(())
}

/// Returns the languages without those that another one's tools build, each once.
fn once_by_tools(languages: &[Language]) -> Vec<Language> {
    let mut all: Vec<_> = languages
        .iter()
        .map(|language| language.with_same_tools())
        .collect();
    all.sort();
    all.dedup();
    all
}

fn report_on(languages: &[Language], folder: &Path) -> Vec<ToolReport> {
    let reports = languages.iter().map(|language| examine(*language, folder));
    reports.flatten().collect()
}

fn is_ready(report: &ToolReport) -> bool {
    match report.state {
        ToolState::Ready => true,
        ToolState::Missing | ToolState::WrongVersion => false,
    }
}

/// Installs the tools of each language that lacks some. A failure is shown, and the tools are then
/// missing in the report.
fn fix_missing(languages: &[Language], folder: &Path, terminal: &Terminal) {
    for language in languages {
        if examine(*language, folder).iter().all(is_ready) {
            continue;
        }
        let name = language.name();
        terminal.say(format_args!("installing the tools of {name}"));
        match fix(*language, folder) {
            Ok(Some(tools)) => terminal.say(format_args!("installed in {}", shown(&tools))),
            Ok(None) => {}
            Err(error) => terminal.say(format_args!("{name}: {}", chain(&error))),
        }
    }
}

fn print(reports: &[ToolReport], terminal: &Terminal) -> Result<(), Failure> {
    let header = ["LANGUAGE", "TOOL", "STATE", "VERSION", "FROM", "PATH"];
    terminal.data(&table(&header, reports.iter().map(row)))?;
    for report in reports {
        if let Some(remedy) = &report.remedy {
            terminal.say(format_args!(
                "{} needs {} ({}): {remedy}",
                report.language.name(),
                report.tool,
                report.wanted
            ));
        }
    }
    Ok(())
}

fn row(report: &ToolReport) -> Vec<String> {
    let state = match report.state {
        ToolState::Ready => "ready",
        ToolState::WrongVersion => "wrong version",
        ToolState::Missing => "missing",
    };
    let path = report.path.as_ref().map(|path| shown(path).to_string());
    vec![
        report.language.name().to_owned(),
        report.tool.clone(),
        state.to_owned(),
        report.version.clone().unwrap_or_default(),
        report.found_in.map_or("", Origin::description).to_owned(),
        path.unwrap_or_default(),
    ]
}
