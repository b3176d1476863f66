//! `[restart]`: its keys depend on the strategy.

use schemars::SchemaGenerator;
use serde_json::{Value, json};
use tidegate_runtime::config::{ExponentialBackoff, FixedDelay, RestartSettings};

use crate::config_file::problem::Problem;
use crate::config_file::reader::{TableReader, Zero};
use crate::config_file::setting::{
    ChoiceKind, Described, DurationKind, FIRST, NumberKind, Placed, Row, Section, Setting, Slot,
    Typed, Word,
};
use crate::duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strategy {
    None,
    FixedDelay,
    ExponentialBackoff,
}

impl Default for Strategy {
    fn default() -> Self {
        match RestartSettings::default() {
            RestartSettings::None => Self::None,
            RestartSettings::FixedDelay(_) => Self::FixedDelay,
            RestartSettings::ExponentialBackoff(_) => Self::ExponentialBackoff,
        }
    }
}

#[derive(Debug, Default)]
struct Chosen {
    strategy: Placed<Strategy>,
}

static STRATEGY: Section<Chosen> = Section {
    help: "The restarts after failures.",
    settings: &[Setting {
        key: "strategy",
        value: &Typed {
            kind: ChoiceKind {
                words: &[
                    Word {
                        word: "none",
                        value: Strategy::None,
                        help: "The first failure ends the job.",
                    },
                    Word {
                        word: "fixed-delay",
                        value: Strategy::FixedDelay,
                        help: "The job waits the same time before each restart.",
                    },
                    Word {
                        word: "exponential-backoff",
                        value: Strategy::ExponentialBackoff,
                        help: "The waits grow.",
                    },
                ],
            },
            slot: Slot::Placed(|chosen: &mut Chosen| &mut chosen.strategy),
        },
        help: "The time that the job waits before a restart.",
        since: FIRST,
    }],
};

static FIXED_DELAY: Section<FixedDelay> = Section {
    help: "The same wait before each restart.",
    settings: &[
        Setting {
            key: "delay",
            value: &Typed {
                kind: DurationKind {
                    zero: Zero::Allowed,
                },
                slot: Slot::Value(|section: &mut FixedDelay| &mut section.delay),
            },
            help: "The wait before each restart.",
            since: FIRST,
        },
        Setting {
            key: "attempts",
            value: &Typed {
                kind: NumberKind {
                    least: 1,
                    most: u32::MAX,
                },
                slot: Slot::Value(|section: &mut FixedDelay| &mut section.attempts),
            },
            help: "The most restarts in the life of the process.",
            since: FIRST,
        },
    ],
};

static EXPONENTIAL_BACKOFF: Section<ExponentialBackoff> = Section {
    help: "Waits that grow from `initial` to `max`.",
    settings: &[
        Setting {
            key: "initial",
            value: &Typed {
                kind: DurationKind {
                    zero: Zero::Refused,
                },
                slot: Slot::Value(|section: &mut ExponentialBackoff| &mut section.initial),
            },
            help: "The first wait.",
            since: FIRST,
        },
        Setting {
            key: "max",
            value: &Typed {
                kind: DurationKind {
                    zero: Zero::Refused,
                },
                slot: Slot::Value(|section: &mut ExponentialBackoff| &mut section.max),
            },
            help: "The longest wait.",
            since: FIRST,
        },
        Setting {
            key: "backoff-multiplier",
            value: &Typed {
                kind: NumberKind {
                    least: 1,
                    most: MOST_BACKOFF,
                },
                slot: Slot::Value(|section: &mut ExponentialBackoff| {
                    &mut section.backoff_multiplier
                }),
            },
            help: "The factor from each wait to the next; with 1, all waits are as long as the \
                   first.",
            since: FIRST,
        },
        Setting {
            key: "attempts",
            value: &Typed {
                kind: NumberKind {
                    least: 1,
                    most: u32::MAX,
                },
                slot: Slot::Value(|section: &mut ExponentialBackoff| &mut section.attempts),
            },
            help: "The most restarts in a row.",
            since: FIRST,
        },
        Setting {
            key: "reset-after",
            value: &Typed {
                kind: DurationKind {
                    zero: Zero::Refused,
                },
                slot: Slot::Value(|section: &mut ExponentialBackoff| &mut section.reset_after),
            },
            help: "The time without a failure after which the count of restarts and the waits \
                   are reset.",
            since: FIRST,
        },
    ],
};

/// The largest `backoff-multiplier`: with more, the second wait is the longest one anyway.
const MOST_BACKOFF: u32 = 1_000;

/// Reads `[restart]`.
pub(crate) fn restart(root: &mut TableReader<'_, '_>) -> RestartSettings {
    let Some(mut table) = root.table("restart", "[restart]") else {
        return RestartSettings::default();
    };
    let chosen = STRATEGY.read(&mut table).strategy;
    if chosen.span.is_none() && table.is_set("strategy") {
        // The keys that belong here are unknown, so no key is reported.
        return RestartSettings::default();
    }
    let settings = match chosen.value {
        Strategy::None => RestartSettings::None,
        Strategy::FixedDelay => RestartSettings::FixedDelay(FIXED_DELAY.read(&mut table)),
        Strategy::ExponentialBackoff => {
            let settings = EXPONENTIAL_BACKOFF.read(&mut table);
            check_waits(&settings, &table);
            RestartSettings::ExponentialBackoff(settings)
        }
    };
    table.retitle(match chosen.value {
        Strategy::None => "[restart] with strategy `none`",
        Strategy::FixedDelay => "[restart] with strategy `fixed-delay`",
        Strategy::ExponentialBackoff => "[restart] with strategy `exponential-backoff`",
    });
    table.finish();
    settings
}

fn check_waits(settings: &ExponentialBackoff, table: &TableReader<'_, '_>) {
    if settings.max >= settings.initial {
        return;
    }
    let message = "`max` of [restart] is shorter than `initial`";
    let defaults = ExponentialBackoff::default();
    let [initial, max] = [defaults.initial, defaults.max].map(duration::shown);
    let help =
        format!("waits grow from `initial` (default \"{initial}\") to `max` (default \"{max}\")");
    let place = table
        .value_span("max")
        .or_else(|| table.value_span("initial"));
    let problem = Problem::at(place.unwrap_or_else(|| table.span()), message);
    table.problems().push(problem.help(help));
}

/// The keys of all strategies of `[restart]`, for documents and schemas.
struct RestartTable;

/// The section of `[restart]`.
pub(crate) static RESTART: &dyn Described = &RestartTable;

/// The strategies that have keys of their own.
const WITH_KEYS: [(&str, &dyn Described); 2] = [
    ("fixed-delay", &FIXED_DELAY),
    ("exponential-backoff", &EXPONENTIAL_BACKOFF),
];

impl Described for RestartTable {
    fn help(&self) -> &'static str {
        STRATEGY.help
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Value {
        let mut schema = STRATEGY.schema(generator);
        for (strategy, section) in WITH_KEYS {
            let Value::Object(own) = section.schema(generator)["properties"].take() else {
                unreachable!("the schema of a section has properties");
            };
            for (key, mut property) in own {
                let help = lower_case(text(&property["description"]));
                let help = format!("With `{strategy}`: {help}");
                let before = text(&schema["properties"][&key]["description"]).to_owned();
                property["description"] = json!(format!("{before} {help}").trim());
                schema["properties"][&key] = property;
            }
        }
        schema
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = STRATEGY.rows();
        for (strategy, section) in WITH_KEYS {
            rows.extend(section.rows().into_iter().map(|row| Row {
                help: format!("With `{strategy}`: {}", lower_case(&row.help)),
                ..row
            }));
        }
        rows
    }
}

/// Returns a sentence as written after a colon.
fn lower_case(sentence: &str) -> String {
    let mut characters = sentence.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
