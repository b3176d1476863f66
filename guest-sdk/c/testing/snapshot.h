// The harness's own operations on snapshots.

#ifndef TIDEGATE_TESTING_SNAPSHOT_H
#define TIDEGATE_TESTING_SNAPSHOT_H

#include "tidegate/testing.h"

// Returns a copy of an operator's chunks.
tg_snapshot *tg_snapshot_copy(const tg_chunks *chunks);

#endif
