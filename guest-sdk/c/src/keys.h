// The keys of an instance: the table, and the key groups that the instance owns.

#ifndef TIDEGATE_SRC_KEYS_H
#define TIDEGATE_SRC_KEYS_H

#include "table.h"
#include "tidegate/keys.h"

struct tg_keys {
    tg_table table;
    uint32_t first_key_group, last_key_group, max_parallelism;
    bool (*is_vacant)(const void *state);
    // True if states were lent out to be changed, and may have become vacant.
    bool lent;
};

// The place of a key, in the order of its bytes. The other members are for sorting only.
typedef struct tg_ranked {
    uint64_t prefix;
    uint32_t rest, place;
} tg_ranked;

void tg_keys_init(tg_keys *keys, const tg_type *state, const tg_context *context);

// Finds the place of a key, which is added if it is new. Fails if another subtask owns the key.
tg_status tg_keys_place(tg_keys *keys, tg_slice key, uint32_t *place);

// Forgets every key whose state is vacant, if any state was lent out.
void tg_keys_forget_vacant(tg_keys *keys);

// Returns all keys, by key group and then by their bytes. The caller frees the result.
tg_ranked *tg_keys_in_order(const tg_keys *keys);

#endif
