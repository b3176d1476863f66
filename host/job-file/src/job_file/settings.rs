//! Reads what concerns the job as a whole: its version and name, `[checkpoint]`, `[restart]`,
//! `[isolation]` and `[defaults]`.

use std::time::Duration;

use tidegate_runtime::config::{CheckpointSettings, IsolationSettings, RecycleAt, RestartSettings};
use toml::de::DeValue;

use super::document::{Defaults, Setting};
use crate::config_file::problem::{Problem, Problems};
use crate::config_file::reader::{TableReader, Zero};
use crate::config_file::value;

/// The version of the format that is understood.
pub(crate) const VERSION: i64 = 1;
/// Key groups of a job that does not set `max-parallelism`.
pub const MAX_PARALLELISM: u32 = 128;
/// The most restarts of a period that can be asked for: each is remembered.
const MOST_ISOLATION_RESTARTS: u32 = 1_000_000;
const MOST_LETTERS_IN_A_ROW: u32 = 1_000_000_000;
/// The largest `max-parallelism`.
pub const MOST_KEY_GROUPS: u32 = 1 << 15;

/// Checks `version`. False if the file is of another version, so that reading on is of no use.
pub fn version(root: &mut TableReader<'_, '_>, problems: &Problems) -> bool {
    let Some((key, found)) = root.entry("version") else {
        let title = root.title();
        let problem = Problem::at(0..0, format!("{title} has no `version`"));
        problems.push(problem.help(format!(
            "expected `version = 1`, the version of {title}'s format"
        )));
        return true;
    };
    let DeValue::Integer(number) = found.get_ref() else {
        root.wrong_type("version", found, "the integer 1");
        return true;
    };
    match value::integer(number) {
        Some(VERSION) => true,
        Some(newer) if newer > VERSION => {
            let message = format!(
                "{} has version {newer}; this tidegate ({}) reads version {VERSION}",
                root.title(),
                env!("CARGO_PKG_VERSION")
            );
            problems.push(Problem::at(found.span(), message).help("use a newer tidegate"));
            false
        }
        Some(_) | None => {
            let message = format!("`version` is {number}");
            let place = key.span().start..found.span().end;
            problems.push(Problem::at(place, message).help("expected `version = 1`"));
            false
        }
    }
}

/// `[checkpoint]`: the directory as written, and the rest.
pub(crate) fn checkpoint(root: &mut TableReader<'_, '_>) -> (String, CheckpointSettings) {
    let mut settings = CheckpointSettings::default();
    let mut directory = None;
    if let Some(mut table) = root.table("checkpoint", "[checkpoint]") {
        directory = table.text("directory", "a path, relative to the job file");
        set(
            &mut settings.interval,
            table.duration("interval", Zero::Refused),
        );
        set(
            &mut settings.timeout,
            table.duration("timeout", Zero::Refused),
        );
        set(
            &mut settings.min_pause,
            table.duration("min-pause", Zero::Allowed),
        );
        let retain = table.number("retain", 1..=10_000);
        set(&mut settings.retain, retain.map(toml::Spanned::into_inner));
        let failures = table.number("tolerable-failures", 0..=u32::MAX);
        set(
            &mut settings.tolerable_failures,
            failures.map(toml::Spanned::into_inner),
        );
        let every = table.number("drill-every", 1..=u32::MAX);
        settings.drill_every = every.map(toml::Spanned::into_inner);
        table.finish();
    }
    let directory = directory.map_or_else(|| "state".to_owned(), toml::Spanned::into_inner);
    (directory, settings)
}

#[derive(Clone, Copy)]
enum Strategy {
    None,
    FixedDelay,
    ExponentialBackoff,
}

const STRATEGIES: [(&str, Strategy); 3] = [
    ("none", Strategy::None),
    ("fixed-delay", Strategy::FixedDelay),
    ("exponential-backoff", Strategy::ExponentialBackoff),
];

/// `[restart]`: which keys it takes depends on the strategy.
pub(crate) fn restart(root: &mut TableReader<'_, '_>, problems: &Problems) -> RestartSettings {
    let Some(mut table) = root.table("restart", "[restart]") else {
        return RestartSettings::default();
    };
    let strategy = match (
        table.choice("strategy", &STRATEGIES),
        table.is_set("strategy"),
    ) {
        (Some(strategy), _) => strategy.into_inner(),
        (None, false) => Strategy::ExponentialBackoff,
        // Which keys belong here is not known, so none is called unknown.
        (None, true) => return RestartSettings::default(),
    };
    let settings = match strategy {
        Strategy::None => RestartSettings::None,
        Strategy::FixedDelay => fixed_delay(&mut table),
        Strategy::ExponentialBackoff => exponential_backoff(&mut table, problems),
    };
    table.retitle(match strategy {
        Strategy::None => "[restart] with strategy `none`",
        Strategy::FixedDelay => "[restart] with strategy `fixed-delay`",
        Strategy::ExponentialBackoff => "[restart] with strategy `exponential-backoff`",
    });
    table.finish();
    settings
}

fn fixed_delay(table: &mut TableReader<'_, '_>) -> RestartSettings {
    let delay = table.duration("delay", Zero::Allowed);
    let attempts = table.number("attempts", 1..=u32::MAX);
    RestartSettings::FixedDelay {
        delay: delay.unwrap_or(Duration::from_secs(1)),
        attempts: attempts.map_or(5, toml::Spanned::into_inner),
    }
}

fn exponential_backoff(table: &mut TableReader<'_, '_>, problems: &Problems) -> RestartSettings {
    let RestartSettings::ExponentialBackoff {
        mut initial,
        mut max,
        mut attempts,
        mut reset_after,
    } = RestartSettings::default()
    else {
        unreachable!("the runtime's default strategy is exponential back-off");
    };
    set(&mut initial, table.duration("initial", Zero::Refused));
    set(&mut max, table.duration("max", Zero::Refused));
    let found = table.number("attempts", 1..=u32::MAX);
    set(&mut attempts, found.map(toml::Spanned::into_inner));
    set(
        &mut reset_after,
        table.duration("reset-after", Zero::Refused),
    );
    if max < initial {
        let message = "`max` of [restart] is shorter than `initial`";
        let help = "waits grow from `initial` (default \"100ms\") to `max` (default \"30s\")";
        let place = table
            .value_span("max")
            .or_else(|| table.value_span("initial"));
        problems.push(Problem::at(place.unwrap_or_else(|| table.span()), message).help(help));
    }
    RestartSettings::ExponentialBackoff {
        initial,
        max,
        attempts,
        reset_after,
    }
}

/// `[isolation]`.
pub(crate) fn isolation(root: &mut TableReader<'_, '_>) -> IsolationSettings {
    let mut settings = IsolationSettings::default();
    if let Some(mut table) = root.table("isolation", "[isolation]") {
        let restarts = table.number("restarts", 0..=MOST_ISOLATION_RESTARTS);
        set(
            &mut settings.restarts,
            restarts.map(toml::Spanned::into_inner),
        );
        set(
            &mut settings.period,
            table.duration("period", Zero::Refused),
        );
        let in_a_row = table.number("in-a-row", 1..=MOST_LETTERS_IN_A_ROW);
        set(
            &mut settings.in_a_row,
            in_a_row.map(toml::Spanned::into_inner),
        );
        table.finish();
    }
    settings
}

/// `[defaults]`.
pub(crate) fn defaults(root: &mut TableReader<'_, '_>) -> Defaults {
    let (mut parallelism, mut max_parallelism) = (None, None);
    let mut recycle_at = RecycleAt::default();
    if let Some(mut table) = root.table("defaults", "[defaults]") {
        parallelism = table.number("parallelism", 1..=MOST_KEY_GROUPS);
        max_parallelism = table.number("max-parallelism", 1..=MOST_KEY_GROUPS);
        set(&mut recycle_at, table.recycle_at());
        table.finish();
    }
    Defaults {
        parallelism: Setting::or_default(parallelism, 1),
        max_parallelism: Setting::or_default(max_parallelism, MAX_PARALLELISM),
        recycle_at,
    }
}

fn set<T>(setting: &mut T, found: Option<T>) {
    if let Some(found) = found {
        *setting = found;
    }
}
