// Turns the state of an operator into the chunks of a checkpoint, and back.
//
// Barrier path: host -> snapshot -> [write chunks] -> host; recovery: host -> restore -> [read].
// Invariant: equal state gives equal chunks, whatever order its keys came in, and reading accepts
// everything or rejects everything.

#ifndef TIDEGATE_SRC_CHUNK_H
#define TIDEGATE_SRC_CHUNK_H

#include "keys.h"
#include "tidegate/operator.h"

// The first bytes of a chunk of keyed state and of an item, format version 1.
#define TG_KEYED_MAGIC "TGK\1"
#define TG_ITEM_MAGIC "TGI\1"

enum { TG_MAGIC_LENGTH = 4 };

// Chunks that are being written. They own their bytes.
struct tg_items {
    tg_state_chunk *chunks;
    size_t count, capacity;
    uint32_t version;
};

// Writes one chunk for each key group that has keys, by rising key group.
tg_status tg_write_keyed(const tg_keys *keys, tg_items *out);

// Returns the version of the state that an operator writes; 1 if the operator names none.
static inline uint32_t tg_version_of(const tg_operator *definition) {
    return definition->state_version == 0 ? 1 : definition->state_version;
}

void tg_items_free(tg_items *items);

// Sorts the chunks of a restore: keyed ones in front, and items. Fails for any other chunk.
tg_status tg_sort_out(const tg_chunks *chunks, tg_state_chunk *sorted, size_t *keyed,
                      tg_restored_items *items);

// Reads keyed chunks into `keys`, which has none.
tg_status tg_read_keyed(tg_keys *keys, const tg_operator *definition, tg_state_chunk *chunks,
                        size_t count);

#endif
