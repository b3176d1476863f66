// The state of all keys, as on_watermark and on_finish get it, and the state of no key.

#ifndef TIDEGATE_KEYS_H
#define TIDEGATE_KEYS_H

#include "tidegate/basics.h"
#include "tidegate/raw.h"
#include "tidegate/type.h"

#ifdef __cplusplus
extern "C" {
#endif

/// One state for each key. A state stays at its address until its key is removed.
typedef struct tg_keys tg_keys;

/// Returns the number of keys.
size_t tg_keys_count(const tg_keys *keys);

/// Returns the state of one key, to be read or changed; NULL if the key has none.
void *tg_keys_get(tg_keys *keys, tg_slice key);

/// Forgets one key and frees its state. Returns false if the key is not there.
bool tg_keys_remove(tg_keys *keys, tg_slice key);

/// Forgets all keys.
void tg_keys_clear(tg_keys *keys);

/// Goes through all keys in the order of their bytes. Sorting has a cost: for an operator with many
/// keys that looks at few, `tg_keys_extract` is cheaper. Between `tg_keys_begin` and the end, keys
/// may be removed, but not added.
///
///     tg_key_cursor cursor = tg_keys_begin(keys);
///     while (tg_keys_next(&cursor)) { ... cursor.key, cursor.state ... }
///
/// A loop that is left early calls `tg_keys_end`.
typedef struct tg_key_cursor {
    /// The key, valid until it is removed, and its state.
    tg_slice key;
    void *state;
    tg_keys *keys;
    void *order;
    size_t at, count;
} tg_key_cursor;

/// See tg_key_cursor.
tg_key_cursor tg_keys_begin(tg_keys *keys);
/// Steps to the next key. Returns false after the last, when nothing is left to free.
bool tg_keys_next(tg_key_cursor *cursor);
/// Frees the memory of a cursor; only needed before its end.
void tg_keys_end(tg_key_cursor *cursor);

/// Takes out the keys that `is_due` picks, calls `each` with them in the order of their bytes, and
/// frees their states. `is_due` sees the keys in no particular order, so it must judge each key
/// alone. Ends at the first failure of `each`; the picked keys are forgotten all the same.
tg_status tg_keys_extract(tg_keys *keys,
                          bool (*is_due)(tg_slice key, const void *state, void *argument),
                          tg_status (*each)(tg_slice key, void *state, void *argument),
                          void *argument);

/// The result of `operator_state`: the state that belongs to no key, as items that can move alone.
typedef struct tg_items tg_items;

/// Appends one item.
tg_status tg_items_push(tg_items *items, const tg_type *type, const void *item);

/// The items of operator state that this subtask receives at a restore.
typedef struct tg_restored_items {
    const tg_state_chunk *chunks;
    size_t count;
    /// The state version of the operator that wrote them.
    uint32_t version;
} tg_restored_items;

/// Reads item `index` of `items` into `item`, which is all zeros. Fails with
/// `TG_INCOMPATIBLE_STATE` if the item is not exactly a `type`. Read an item of an older version
/// with the type of that version.
tg_status tg_items_read(const tg_restored_items *items, size_t index, const tg_type *type,
                        void *item) TG_CHECKED;

#ifdef __cplusplus
}
#endif

#endif
