// The state of all keys: finding, adding, forgetting, and going through them in order.

#include "keys.h"

#include <stdio.h>

#include "sort.h"
#include "tidegate/host.h"

void tg_keys_init(tg_keys *keys, const tg_type *state, const tg_context *context) {
    memset(keys, 0, sizeof *keys);
    tg_table_init(&keys->table, state, context->hash_seed);
    keys->first_key_group = context->first_key_group;
    keys->last_key_group = context->last_key_group;
    keys->max_parallelism = context->max_parallelism == 0 ? 1 : context->max_parallelism;
}

// Writes the key as text for a message, and cuts a long one.
static void escape(tg_slice key, char *text, size_t size) {
    size_t length = 0;
    for (size_t at = 0; at < key.len && length + 8 < size; at++) {
        uint8_t byte = key.data[at];
        bool is_plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
        const char *format = is_plain ? "%c" : byte == '"' || byte == '\\' ? "\\%c" : "\\x%02x";
        length += (size_t)snprintf(text + length, size - length, format, byte);
    }
    text[length] = '\0';
}

static tg_status not_owned(const tg_keys *keys, tg_slice key, uint32_t key_group) TG_COLD;

static tg_status not_owned(const tg_keys *keys, tg_slice key, uint32_t key_group) {
    char text[256];
    escape(key, text, sizeof text);
    return tg_fail("the key \"%s\" belongs to key group %u, and this subtask owns %u..=%u; "
                   "every input whose records use state by key needs `partition = \"hash\"`",
                   text, (unsigned)key_group, (unsigned)keys->first_key_group,
                   (unsigned)keys->last_key_group);
}

tg_status tg_keys_place(tg_keys *keys, tg_slice key, uint32_t *place) {
    *place = tg_table_find(&keys->table, key);
    if (*place != TG_ABSENT) {
        return TG_OK;
    }
    uint32_t key_group = tg_key_group(key, keys->max_parallelism);
    if (key_group < keys->first_key_group || key_group > keys->last_key_group) {
        return not_owned(keys, key, key_group);
    }
    *place = tg_table_insert(&keys->table, key, key_group);
    return TG_OK;
}

size_t tg_keys_count(const tg_keys *keys) { return keys->table.count; }

void *tg_keys_get(tg_keys *keys, tg_slice key) {
    uint32_t place = tg_table_find(&keys->table, key);
    if (place == TG_ABSENT) {
        return NULL;
    }
    keys->lent = true;
    return tg_entry_state(tg_table_entry(&keys->table, place));
}

bool tg_keys_remove(tg_keys *keys, tg_slice key) {
    uint32_t place = tg_table_find(&keys->table, key);
    if (place == TG_ABSENT) {
        return false;
    }
    tg_table_remove(&keys->table, place);
    return true;
}

void tg_keys_clear(tg_keys *keys) { tg_table_clear(&keys->table); }

void tg_keys_forget_vacant(tg_keys *keys) {
    tg_table *table = &keys->table;
    bool lent = keys->lent;
    keys->lent = false;
    if (!lent || keys->is_vacant == NULL) {
        return;
    }
    for (uint32_t place = 0; place < table->places; place++) {
        tg_entry *entry = tg_table_entry(table, place);
        if (!tg_entry_is_free(entry) && keys->is_vacant(tg_entry_state(entry))) {
            tg_table_remove(table, place);
        }
    }
}

static int compare_prefixes(const void *left_item, const void *right_item, const void *argument) {
    (void)argument;
    const tg_ranked *left = left_item;
    const tg_ranked *right = right_item;
    if (left->prefix != right->prefix) {
        return left->prefix < right->prefix ? -1 : 1;
    }
    return (left->rest > right->rest) - (left->rest < right->rest);
}

// Ranks a key by the eight bytes from `depth` on, as a number that orders like them, and by how
// many of them there are; nine if the key continues. A key that ends comes before a key with a zero
// there.
static void rank(const tg_table *table, tg_ranked *item, size_t depth) {
    tg_slice key = tg_entry_key(tg_table_entry(table, item->place));
    size_t length = key.len - depth;
    if (length >= 8) {
        memcpy(&item->prefix, key.data + depth, 8);
    } else {
        uint8_t padded[8] = {0};
        for (size_t at = 0; at < length; at++) {
            padded[at] = key.data[depth + at];
        }
        memcpy(&item->prefix, padded, 8);
    }
    item->prefix = __builtin_bswap64(item->prefix);
    item->rest = (uint32_t)(length > 8 ? 9 : length);
}

// Items that come one after the other.
typedef struct run {
    tg_ranked *items;
    size_t count;
} run;

// Takes the items with the same prefix off the start of `rest`.
static run take_run(run *rest) {
    run taken = {rest->items, 1};
    while (taken.count < rest->count &&
           compare_prefixes(taken.items, taken.items + taken.count, NULL) == 0) {
        taken.count += 1;
    }
    rest->items += taken.count;
    rest->count -= taken.count;
    return taken;
}

static run longest_run(run rest) {
    run longest = {rest.items, 0};
    while (rest.count > 0) {
        run taken = take_run(&rest);
        if (taken.count > longest.count) {
            longest = taken;
        }
    }
    return longest;
}

// Sorts keys that have the same `depth` bytes at their start; then keys that are still the same, by
// the bytes that follow. So most keys are read once, and not with each comparison. The loop sorts
// the largest part: each call has at most half as many keys as its caller, and few calls are open
// at a time, however long the keys are.
// NOLINTNEXTLINE(misc-no-recursion)
static void sort(const tg_table *table, run items, size_t depth, tg_ranked *spare) {
    for (; items.count > 1; depth += 8) {
        for (size_t index = 0; index < items.count; index++) {
            rank(table, &items.items[index], depth);
        }
        tg_sort(items.items, items.count, sizeof *items.items, spare, compare_prefixes, NULL);
        run longest = longest_run(items);
        while (items.count > 0) {
            run taken = take_run(&items);
            if (taken.items != longest.items) {
                sort(table, taken, depth + 8, spare);
            }
        }
        items = longest;
    }
}

// Returns the start of each group of keys: a group is a key group, or all keys are one group.
static size_t *begin_groups(const tg_keys *keys, bool by_group) {
    const tg_table *table = &keys->table;
    size_t groups = by_group ? (size_t)keys->last_key_group - keys->first_key_group + 1 : 1;
    size_t *begins = tg_alloc_zeroed((groups + 1) * sizeof *begins);
    for (uint32_t place = 0; by_group && place < table->places; place++) {
        const tg_entry *entry = tg_table_entry(table, place);
        if (!tg_entry_is_free(entry)) {
            begins[entry->key_group - keys->first_key_group + 1] += 1;
        }
    }
    for (size_t group = 1; group <= groups; group++) {
        begins[group] += begins[group - 1];
    }
    begins[groups] = table->count;
    return begins;
}

static tg_ranked *in_order(const tg_keys *keys, bool by_group) {
    const tg_table *table = &keys->table;
    tg_ranked *items = tg_alloc(table->count * sizeof *items);
    tg_ranked *spare = tg_alloc(table->count * sizeof *spare);
    size_t *ends = begin_groups(keys, by_group);
    for (uint32_t place = 0; place < table->places; place++) {
        const tg_entry *entry = tg_table_entry(table, place);
        if (!tg_entry_is_free(entry)) {
            size_t group = by_group ? entry->key_group - keys->first_key_group : 0;
            items[ends[group]++].place = place;
        }
    }
    size_t groups = by_group ? (size_t)keys->last_key_group - keys->first_key_group + 1 : 1;
    for (size_t group = 0, begin = 0; group < groups; group++) {
        sort(table, (run){items + begin, ends[group] - begin}, 0, spare);
        begin = ends[group];
    }
    tg_dealloc(ends);
    tg_dealloc(spare);
    return items;
}

tg_ranked *tg_keys_in_order(const tg_keys *keys) { return in_order(keys, true); }

tg_key_cursor tg_keys_begin(tg_keys *keys) {
    keys->lent = true;
    tg_key_cursor cursor = {{NULL, 0}, NULL, keys, in_order(keys, false), 0, keys->table.count};
    return cursor;
}

bool tg_keys_next(tg_key_cursor *cursor) {
    const tg_table *table = &cursor->keys->table;
    const tg_ranked *order = cursor->order;
    while (cursor->at < cursor->count) {
        tg_entry *entry = tg_table_entry(table, order[cursor->at++].place);
        // The key may have been removed meanwhile.
        if (!tg_entry_is_free(entry)) {
            cursor->key = tg_entry_key(entry);
            cursor->state = tg_entry_state(entry);
            return true;
        }
    }
    tg_keys_end(cursor);
    return false;
}

void tg_keys_end(tg_key_cursor *cursor) {
    tg_dealloc(cursor->order);
    cursor->order = NULL;
    cursor->count = 0;
}

// Returns the keys that are due, in the order of their bytes.
static tg_ranked *due_keys(tg_keys *keys, bool (*is_due)(tg_slice, const void *, void *),
                           void *argument, size_t *count) {
    tg_table *table = &keys->table;
    tg_ranked *due = NULL;
    size_t capacity = 0;
    *count = 0;
    for (uint32_t place = 0; place < table->places; place++) {
        tg_entry *entry = tg_table_entry(table, place);
        if (tg_entry_is_free(entry) ||
            !is_due(tg_entry_key(entry), tg_entry_state(entry), argument)) {
            continue;
        }
        if (*count == capacity) {
            capacity = capacity == 0 ? 16 : capacity * 2;
            due = tg_realloc(due, capacity * sizeof *due);
        }
        due[(*count)++].place = place;
    }
    tg_ranked *spare = tg_alloc(*count * sizeof *spare);
    sort(table, (run){due, *count}, 0, spare);
    tg_dealloc(spare);
    return due;
}

tg_status tg_keys_extract(tg_keys *keys,
                          bool (*is_due)(tg_slice key, const void *state, void *argument),
                          tg_status (*each)(tg_slice key, void *state, void *argument),
                          void *argument) {
    size_t count;
    tg_ranked *due = due_keys(keys, is_due, argument, &count);
    tg_status status = TG_OK;
    for (size_t index = 0; index < count; index++) {
        uint32_t place = due[index].place;
        tg_entry *entry = tg_table_entry(&keys->table, place);
        // `each` may have removed the key.
        if (status == TG_OK && !tg_entry_is_free(entry)) {
            status = each(tg_entry_key(entry), tg_entry_state(entry), argument);
        }
        if (!tg_entry_is_free(entry)) {
            tg_table_remove(&keys->table, place);
        }
    }
    tg_dealloc(due);
    return status;
}
