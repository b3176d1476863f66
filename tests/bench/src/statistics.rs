//! Medians and spreads. Pure.

use serde::{Deserialize, Serialize};

/// The median and spread of some figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// The median; half of the figures are not above it.
    pub(crate) median: f64,
    /// The smallest figure.
    pub(crate) min: f64,
    /// The largest figure.
    pub(crate) max: f64,
    /// The number of figures.
    pub(crate) count: usize,
}

impl Summary {
    /// Returns the summary; `None` if there are no figures.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let (min, max) = (*figures.first()?, *figures.last()?);
        let upper = figures[figures.len() / 2];
        let lower = figures[(figures.len() - 1) / 2];
        Some(Self {
            median: f64::midpoint(lower, upper),
            min,
            max,
            count: figures.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_two_in_the_middle() {
        let summary = Summary::of([4.0, 1.0, 3.0, 2.0]);
        let expected = Summary {
            median: 2.5,
            min: 1.0,
            max: 4.0,
            count: 4,
        };
        assert_eq!(summary, Some(expected));
    }

    #[test]
    fn the_median_of_an_odd_number_is_one_of_them() {
        let median = Summary::of([9.0, 1.0, 5.0]).map(|summary| summary.median);
        assert_eq!((median, Summary::of([])), (Some(5.0), None));
    }
}
