// The state of all keys: finding, adding, forgetting, and going through them in order.

#include "keys.h"

#include <stdio.h>

#include "sort.h"
#include "tidegate/host.h"

void tg_keys_init(tg_keys *keys, const tg_type *state, const tg_context *context) {
    memset(keys, 0, sizeof *keys);
    tg_table_init(&keys->table, state);
    keys->first_key_group = context->first_key_group;
    keys->last_key_group = context->last_key_group;
    keys->max_parallelism = context->max_parallelism == 0 ? 1 : context->max_parallelism;
}

// The key as text for a message, cut where it is long.
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
    return tg_fail("the key \"%s\" belongs to key group %u, and this subtask owns %u..=%u; an "
                   "operator that keeps state by key needs an input with `partition = \"hash\"`",
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

static tg_ranked ranked(tg_entry *entry, uint32_t place, bool by_group) {
    tg_slice key = tg_entry_key(entry);
    uint64_t prefix = 0;
    for (size_t at = 0; at < 8; at++) {
        prefix = prefix << 8 | (at < key.len ? key.data[at] : 0);
    }
    tg_ranked item = {prefix, by_group ? entry->key_group : 0, place};
    return item;
}

static int compare(const void *left_item, const void *right_item, const void *argument) {
    const tg_ranked *left = left_item;
    const tg_ranked *right = right_item;
    if (left->key_group != right->key_group) {
        return left->key_group < right->key_group ? -1 : 1;
    }
    if (left->prefix != right->prefix) {
        return left->prefix < right->prefix ? -1 : 1;
    }
    const tg_table *table = argument;
    return tg_slice_compare(tg_entry_key(tg_table_entry(table, left->place)),
                            tg_entry_key(tg_table_entry(table, right->place)));
}

static void sort(const tg_table *table, tg_ranked *items, size_t count) {
    tg_ranked *spare = tg_alloc(count * sizeof *spare);
    tg_sort(items, count, sizeof *items, spare, compare, table);
    tg_dealloc(spare);
}

static tg_ranked *in_order(const tg_keys *keys, bool by_group) {
    const tg_table *table = &keys->table;
    tg_ranked *items = tg_alloc(table->count * sizeof *items);
    size_t count = 0;
    for (uint32_t place = 0; place < table->places; place++) {
        tg_entry *entry = tg_table_entry(table, place);
        if (!tg_entry_is_free(entry)) {
            items[count++] = ranked(entry, place, by_group);
        }
    }
    sort(table, items, count);
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
        // It may have been removed meanwhile.
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

// The keys that are due, in the order of their bytes.
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
        due[(*count)++] = ranked(entry, place, false);
    }
    sort(table, due, *count);
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
        // `each` may have removed it.
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
