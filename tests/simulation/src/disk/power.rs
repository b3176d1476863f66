//! Power failures and the data that survives them.

use tidegate_random::Random;

use super::{BLOCK_BYTES, Directory, File, Node, SimulatedDisk};

/// The share of unsynced changes that survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaves {
    /// Only synced changes.
    Nothing,
    /// A fifth of the unsynced changes.
    Little,
    /// About half of the unsynced changes.
    Half,
}

impl Leaves {
    fn keeps(self, random: &mut Random) -> bool {
        match self {
            Self::Nothing => false,
            Self::Little => random.chance(1, 5),
            Self::Half => random.chance(1, 2),
        }
    }
}

impl SimulatedDisk {
    /// Fails the power and restores it.
    pub(crate) fn fail_power(&self, random: &mut Random) {
        self.end_process();
        let leaves = random.pick(&[Leaves::Nothing, Leaves::Little, Leaves::Half]);
        for node in &mut self.lock().inodes {
            match node {
                Node::File(file) => file.fail_power(leaves, random),
                Node::Directory(directory) => directory.fail_power(leaves, random),
            }
        }
    }
}

impl Directory {
    fn fail_power(&mut self, leaves: Leaves, random: &mut Random) {
        for change in std::mem::take(&mut self.changes) {
            if leaves.keeps(random) {
                change.make(&mut self.durable);
            }
        }
        self.now = self.durable.clone();
    }
}

impl File {
    fn fail_power(&mut self, leaves: Leaves, random: &mut Random) {
        self.is_dirty = false;
        if self.now == self.durable {
            return;
        }
        if leaves.keeps(random) {
            self.durable = self.torn(leaves, random);
        }
        self.now = self.durable.clone();
    }

    /// Returns the contents after a failure: of the present length or one in between, each block
    /// new or old at random.
    fn torn(&self, leaves: Leaves, random: &mut Random) -> Vec<u8> {
        let (new, old) = (self.now.len(), self.durable.len());
        let (least, most) = (new.min(old), new.max(old));
        let length = match random.chance(1, 2) {
            true => new,
            false => least + random.index(most - least + 1),
        };
        let mut torn = self.durable.clone();
        torn.resize(length, 0);
        for (at, block) in torn.chunks_mut(BLOCK_BYTES).enumerate() {
            let written = self.now.get(at * BLOCK_BYTES..).unwrap_or_default();
            let bytes = written.len().min(block.len());
            if leaves.keeps(random) {
                block[..bytes].copy_from_slice(&written[..bytes]);
            }
        }
        torn
    }
}
