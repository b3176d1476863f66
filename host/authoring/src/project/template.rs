//! The templates of an operator's project.

use clap::ValueEnum;

/// The template of a new operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// A record out for each record in, without state: converts a value.
    Map,
    /// A running total in the state of each key.
    #[default]
    KeyedState,
    /// Two inputs that meet by key: adds a customer's city to each order.
    TwoInputs,
    /// The raw level of the SDK: columns in and out, and state in a layout of its own.
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
