//! The templates of an operator's project.

use clap::ValueEnum;

/// The template of a new operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// A conversion of each record, without state.
    Map,
    /// A running total for each key, in state.
    #[default]
    KeyedState,
    /// A join of two inputs by key.
    TwoInputs,
    /// Batches of columns in and out, with a snapshot of its own.
    Raw,
}

impl Template {
    /// All templates.
    pub const ALL: [Self; 4] = [Self::Map, Self::KeyedState, Self::TwoInputs, Self::Raw];

    /// Returns the name, which is also that of its folders.
    pub fn name(self) -> &'static str {
        match self {
            Self::Map => "map",
            Self::KeyedState => "keyed-state",
            Self::TwoInputs => "two-inputs",
            Self::Raw => "raw",
        }
    }

    /// Returns the name of the operator in its sources and its job.
    pub(super) fn operator(self) -> &'static str {
        match self {
            Self::Map => "minutes",
            Self::KeyedState => "total",
            Self::TwoInputs => "deliveries",
            Self::Raw => "shout",
        }
    }
}
