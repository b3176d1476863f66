// Record path: batch -> record -> [state of its key] -> on_record.
//
// One state for each key: entries in blocks that never move, and a hash index of their places.
// Invariants: the index has the place of every existing entry, and no other; an entry keeps its
// place until its key is removed. Nothing that can be observed depends on the index's order.

#ifndef TIDEGATE_SRC_TABLE_H
#define TIDEGATE_SRC_TABLE_H

#include "hash.h"
#include "type.h"

enum { TG_NEAR_KEY = 16, TG_BLOCK_BITS = 9, TG_BLOCK = 1 << TG_BLOCK_BITS };

// The number of keys that are looked up ahead.
enum { TG_AHEAD = 64 };

// The place that stands for no entry.
#define TG_ABSENT UINT32_MAX

// A key; its state lies behind it.
typedef struct tg_entry {
    // TG_ABSENT if the entry is free.
    uint32_t key_length;
    uint32_t key_group;
    union {
        // The bytes of a short key, padded with zeros.
        uint8_t near[TG_NEAR_KEY];
        uint64_t words[TG_NEAR_KEY / 8];
        uint8_t *far;
        // The place of the next free entry, in a free entry.
        uint32_t next_free;
    } key;
} tg_entry;

typedef struct tg_table {
    tg_hasher hasher;
    const tg_type *state;
    size_t entry_size;
    uint8_t **blocks;
    // The number of places ever used, and the first place that is free again.
    uint32_t places, first_free;
    // Hash and place of each entry, or TG_FREE_SLOT; a power of two of them.
    uint64_t *slots;
    size_t slot_count;
    size_t count;
} tg_table;

TG_INLINE tg_entry *tg_table_entry(const tg_table *table, uint32_t place) {
    uint8_t *block = table->blocks[place >> TG_BLOCK_BITS];
    return (tg_entry *)(void *)(block + (place & (TG_BLOCK - 1)) * table->entry_size);
}

TG_INLINE void *tg_entry_state(tg_entry *entry) { return entry + 1; }

TG_INLINE bool tg_entry_is_free(const tg_entry *entry) { return entry->key_length == TG_ABSENT; }

TG_INLINE tg_slice tg_entry_key(const tg_entry *entry) {
    bool is_near = entry->key_length <= TG_NEAR_KEY;
    return tg_slice_of(is_near ? entry->key.near : entry->key.far, entry->key_length);
}

// Makes a table of a type, or of keys alone if NULL. Only the hashes depend on the seed.
void tg_table_init(tg_table *table, const tg_type *state, uint64_t seed);

// Keeps the compiler from dropping the computation of an unused value.
#define TG_KEEP(value) __asm__ volatile("" : : "r"(value))

// Returns the place of a key with its hash, or TG_ABSENT.
uint32_t tg_table_find_hashed(const tg_table *table, tg_slice key, uint32_t hash);

// Returns the place of a key, or TG_ABSENT.
uint32_t tg_table_find(const tg_table *table, tg_slice key);

// Touches the memory in which keys with these hashes are looked up. In a large table that memory is
// in no cache. The waits overlap here; they would add up in single lookups.
void tg_table_bring_near(const tg_table *table, const uint32_t *hashes, size_t count);

// Adds a new key, with a state that `tg_init` made.
uint32_t tg_table_insert(tg_table *table, tg_slice key, uint32_t key_group);

// Makes room in the index for `more` more keys.
void tg_table_reserve(tg_table *table, size_t more);

// Forgets the key at a place, and frees its state.
void tg_table_remove(tg_table *table, uint32_t place);

void tg_table_clear(tg_table *table);

#endif
