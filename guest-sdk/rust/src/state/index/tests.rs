//! Tests of `index`.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    Insert(u32),
    Remove(usize),
    Shrink,
}

/// Steps with few hashes, at the end of a small table, so that runs are long and wrap round its
/// end.
fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..6_u32).prop_map(|hash| Step::Insert(hash * 3 + 10)),
        3 => any::<usize>().prop_map(Step::Remove),
        1 => Just(Step::Shrink),
    ]
}

proptest! {
    #[test]
    fn every_place_that_is_there_is_found(
        steps in proptest::collection::vec(step(), 0..120),
    ) {
        let mut index = Index::new();
        let mut model: BTreeMap<u32, u32> = BTreeMap::new();
        for (place, step) in (0..).zip(steps) {
            match step {
                Step::Insert(hash) => {
                    index.insert(hash, place);
                    model.insert(place, hash);
                }
                Step::Remove(nth) => {
                    let taken = nth.checked_rem(model.len());
                    let taken = taken.and_then(|nth| model.keys().nth(nth).copied());
                    if let Some(place) = taken {
                        index.remove(model[&place], place);
                        model.remove(&place);
                    }
                }
                Step::Shrink => index.shrink(),
            }
            prop_assert_eq!(index.len(), model.len());
            for known in 0..=place {
                let hash = model.get(&known).copied();
                let found = (10..30).any(|h| index.find(h, |p| p == known) == known);
                prop_assert_eq!(found, hash.is_some());
                if let Some(hash) = hash {
                    prop_assert_eq!(index.find(hash, |p| p == known), known);
                }
            }
        }
    }
}
