//! Random edges between the nodes of a job.

use std::collections::BTreeMap;

use tidegate_checkpoint::Partitioning;
use tidegate_random::Random;

/// A node, and how often it gets each source's numbers.
pub(crate) struct Reached {
    pub(crate) name: String,
    pub(crate) parallelism: u32,
    pub(crate) times: BTreeMap<String, usize>,
}

pub(crate) fn parallelism(random: &mut Random) -> u32 {
    u32::try_from(1 + random.index(3)).unwrap()
}

pub(crate) fn borrowed(inputs: &[(String, Partitioning)]) -> Vec<(&str, Partitioning)> {
    inputs
        .iter()
        .map(|(name, partitioning)| (&**name, *partitioning))
        .collect()
}

pub(crate) fn random_inputs(
    random: &mut Random,
    nodes: &[Reached],
    name: String,
) -> (Vec<(String, Partitioning)>, Reached) {
    let mut reached = Reached {
        name,
        parallelism: parallelism(random),
        times: BTreeMap::new(),
    };
    let mut inputs = Vec::new();
    for _ in 0..=random.index(3) {
        let from = &nodes[random.index(nodes.len())];
        let partitioning = match random.index(5) {
            0 => Partitioning::Rebalance,
            1 => Partitioning::Broadcast,
            2 => Partitioning::Hash,
            _ if from.parallelism == reached.parallelism => Partitioning::Forward,
            _ => Partitioning::Rebalance,
        };
        let copies = match partitioning {
            Partitioning::Broadcast => reached.parallelism as usize,
            Partitioning::Forward | Partitioning::Hash | Partitioning::Rebalance => 1,
        };
        for (source, times) in &from.times {
            *reached.times.entry(source.clone()).or_default() += times * copies;
        }
        inputs.push((from.name.clone(), partitioning));
        // Records that go three ways at each of eight operators would take too long.
        if reached.times.values().sum::<usize>() > 20 {
            break;
        }
    }
    (inputs, reached)
}
