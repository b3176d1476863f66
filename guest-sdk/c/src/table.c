// The hash table of keys: open addressing with linear probing and deletion by backward shift
// (Knuth, The Art of Computer Programming 3, 6.4, algorithms L and R). A slot is one word, so that
// a lookup reads one place in memory. At least a quarter of the slots is free.

#include "table.h"

#define FREE_SLOT UINT64_MAX

// The fewest slots, and the size, in keys, from which a table no longer fits in a near cache.
enum { FEWEST_SLOTS = 16, LARGE = 4096 };

TG_INLINE bool is_key(const tg_entry *entry, tg_slice key) {
    if (entry->key_length != key.len) {
        return false;
    }
    if (key.len <= 8) {
        return entry->key.words[0] == tg_short_word(key);
    }
    return memcmp(tg_entry_key(entry).data, key.data, key.len) == 0;
}

static uint32_t slot_hash(uint64_t slot) { return (uint32_t)(slot >> 32); }

static uint32_t slot_place(uint64_t slot) { return (uint32_t)slot; }

void tg_table_init(tg_table *table, const tg_type *state, uint64_t seed) {
    memset(table, 0, sizeof *table);
    tg_hasher_init(&table->hasher, seed);
    table->state = state;
    size_t state_size = state == NULL ? 0 : state->size;
    table->entry_size = sizeof(tg_entry) + (state_size + 7) / 8 * 8;
    table->first_free = TG_ABSENT;
}

uint32_t tg_table_find(const tg_table *table, tg_slice key) {
    return tg_table_find_hashed(table, key, tg_hash(&table->hasher, key));
}

void tg_table_bring_near(const tg_table *table, const uint32_t *hashes, size_t count) {
    if (table->count < LARGE) {
        return;
    }
    size_t mask = table->slot_count - 1;
    uint32_t places[TG_AHEAD];
    for (size_t index = 0; index < count; index++) {
        places[index] = slot_place(table->slots[hashes[index] & mask]);
    }
    uint32_t all = 0;
    for (size_t index = 0; index < count; index++) {
        // A free slot has no place that is in use.
        if (places[index] < table->places) {
            all ^= tg_table_entry(table, places[index])->key_length;
        }
    }
    TG_KEEP(all);
}

uint32_t tg_table_find_hashed(const tg_table *table, tg_slice key, uint32_t hash) {
    if (table->slot_count == 0) {
        return TG_ABSENT;
    }
    size_t mask = table->slot_count - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        uint64_t slot = table->slots[at];
        if (slot == FREE_SLOT) {
            return TG_ABSENT;
        }
        if (slot_hash(slot) == hash && is_key(tg_table_entry(table, slot_place(slot)), key)) {
            return slot_place(slot);
        }
    }
}

static void put_slot(tg_table *table, uint64_t slot) {
    size_t mask = table->slot_count - 1;
    size_t at = slot_hash(slot) & mask;
    while (table->slots[at] != FREE_SLOT) {
        at = (at + 1) & mask;
    }
    table->slots[at] = slot;
}

void tg_table_reserve(tg_table *table, size_t more) {
    size_t needed = table->count + more;
    size_t slots = table->slot_count == 0 ? FEWEST_SLOTS : table->slot_count;
    while (slots / 4 * 3 < needed) {
        slots *= 2;
    }
    if (slots == table->slot_count) {
        return;
    }
    uint64_t *old = table->slots;
    size_t old_count = table->slot_count;
    table->slots = tg_alloc(slots * sizeof *table->slots);
    memset(table->slots, 0xff, slots * sizeof *table->slots);
    table->slot_count = slots;
    for (size_t at = 0; at < old_count; at++) {
        if (old[at] != FREE_SLOT) {
            put_slot(table, old[at]);
        }
    }
    tg_dealloc(old);
}

static uint32_t new_place(tg_table *table) {
    if (table->first_free != TG_ABSENT) {
        uint32_t place = table->first_free;
        table->first_free = tg_table_entry(table, place)->key.next_free;
        return place;
    }
    uint32_t place = table->places;
    if (place == TG_ABSENT) {
        TG_PANIC("out of memory: an operator keeps less than 2^32 keys");
    }
    size_t block = place >> TG_BLOCK_BITS;
    if ((place & (TG_BLOCK - 1)) == 0) {
        // The list of blocks grows when their number reaches a power of two.
        if ((block & (block - 1)) == 0) {
            size_t capacity = block == 0 ? 1 : block * 2;
            table->blocks = tg_realloc(table->blocks, capacity * sizeof *table->blocks);
        }
        table->blocks[block] = tg_alloc(TG_BLOCK * table->entry_size);
    }
    table->places += 1;
    return place;
}

static void set_key(tg_entry *entry, tg_slice key) {
    entry->key_length = (uint32_t)key.len;
    uint8_t *to = entry->key.near;
    if (key.len > TG_NEAR_KEY) {
        to = tg_alloc(key.len);
        entry->key.far = to;
    }
    if (key.len > 0) {
        memcpy(to, key.data, key.len);
    }
}

uint32_t tg_table_insert(tg_table *table, tg_slice key, uint32_t key_group) {
    tg_table_reserve(table, 1);
    uint32_t place = new_place(table);
    tg_entry *entry = tg_table_entry(table, place);
    memset(entry, 0, table->entry_size);
    set_key(entry, key);
    entry->key_group = key_group;
    if (table->state != NULL) {
        tg_init(table->state, tg_entry_state(entry));
    }
    put_slot(table, (uint64_t)tg_hash(&table->hasher, key) << 32 | place);
    table->count += 1;
    return place;
}

static void free_entry(tg_table *table, tg_entry *entry) {
    if (table->state != NULL) {
        tg_free(table->state, tg_entry_state(entry));
    }
    if (entry->key_length > TG_NEAR_KEY) {
        tg_dealloc(entry->key.far);
    }
    entry->key_length = TG_ABSENT;
}

// Frees the slot at `hole`, and moves up the slots behind it whose hashes begin to look before it.
static void remove_slot(tg_table *table, size_t hole) {
    size_t mask = table->slot_count - 1;
    for (size_t at = (hole + 1) & mask; table->slots[at] != FREE_SLOT; at = (at + 1) & mask) {
        size_t home = slot_hash(table->slots[at]) & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            table->slots[hole] = table->slots[at];
            hole = at;
        }
    }
    table->slots[hole] = FREE_SLOT;
}

void tg_table_remove(tg_table *table, uint32_t place) {
    tg_entry *entry = tg_table_entry(table, place);
    uint32_t hash = tg_hash(&table->hasher, tg_entry_key(entry));
    size_t mask = table->slot_count - 1;
    size_t at = hash & mask;
    while (slot_place(table->slots[at]) != place) {
        at = (at + 1) & mask;
    }
    remove_slot(table, at);
    free_entry(table, entry);
    entry->key.next_free = table->first_free;
    table->first_free = place;
    table->count -= 1;
}

void tg_table_clear(tg_table *table) {
    for (uint32_t place = 0; place < table->places; place++) {
        tg_entry *entry = tg_table_entry(table, place);
        if (!tg_entry_is_free(entry)) {
            free_entry(table, entry);
        }
    }
    size_t blocks = ((size_t)table->places + TG_BLOCK - 1) / TG_BLOCK;
    for (size_t block = 0; block < blocks; block++) {
        tg_dealloc(table->blocks[block]);
    }
    tg_dealloc(table->blocks);
    tg_dealloc(table->slots);
    table->blocks = NULL;
    table->slots = NULL;
    table->slot_count = 0;
    table->places = 0;
    table->count = 0;
    table->first_free = TG_ABSENT;
}
