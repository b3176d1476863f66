// Barrier path: keyed state -> [chunks] -> host, as guest-sdk/FORMAT.md draws them.

#include "chunk.h"

// Entries that are brought near at once.
enum { FIRST_CHUNKS = 16, MOST_HEAD = 16, NEAR = 64 };

static void push_chunk(tg_items *out, const char *name, tg_maybe_group key_group, tg_bytes bytes) {
    if (out->count == out->capacity) {
        out->capacity = out->capacity == 0 ? FIRST_CHUNKS : out->capacity * 2;
        out->chunks = tg_realloc(out->chunks, out->capacity * sizeof *out->chunks);
    }
    tg_state_chunk chunk = {tg_text(name), out->version, key_group, tg_bytes_slice(&bytes)};
    out->chunks[out->count++] = chunk;
}

// Puts the length of a value of `length` bytes, which ends `bytes`, in front of the value, where
// one byte is left for it.
static void put_length(tg_bytes *bytes, size_t length_at, size_t length) {
    if (length < 0x80) {
        bytes->data[length_at] = (uint8_t)length;
        return;
    }
    tg_bytes prefix = {0};
    tg_write_varint(&prefix, length);
    tg_bytes_reserve(bytes, prefix.len);
    uint8_t *value = bytes->data + length_at + 1;
    memmove(value + prefix.len - 1, value, length);
    memcpy(bytes->data + length_at, prefix.data, prefix.len);
    bytes->len += prefix.len - 1;
    tg_bytes_free(&prefix);
}

static tg_status write_entry(const tg_table *table, uint32_t place, tg_bytes *out) {
    tg_entry *entry = tg_table_entry(table, place);
    tg_slice key = tg_entry_key(entry);
    tg_write_varint(out, key.len);
    tg_bytes_append(out, key);
    size_t length_at = out->len;
    tg_bytes_push(out, 0);
    TG_TRY(tg_encode(table->state, tg_entry_state(entry), out));
    put_length(out, length_at, out->len - length_at - 1);
    return TG_OK;
}

// Touches entries, scattered in memory, in a loop of its own, so that the waits overlap.
static void bring_near(const tg_table *table, const tg_ranked *order, size_t count) {
    uint32_t all = 0;
    for (size_t index = 0; index < count; index++) {
        all ^= tg_table_entry(table, order[index].place)->key_length;
    }
    TG_KEEP(all);
}

static tg_status write_group(const tg_table *table, const tg_ranked *order, size_t count,
                             tg_bytes *out) {
    size_t key_length = tg_entry_key(tg_table_entry(table, order[0].place)).len;
    // A guess: the keys of an operator are mostly of about one length.
    tg_bytes_reserve(out, MOST_HEAD + count * (2 + key_length + table->state->size));
    tg_bytes_append(out, tg_slice_of(TG_KEYED_MAGIC, TG_MAGIC_LENGTH));
    tg_write_varint(out, count);
    for (size_t start = 0; start < count; start += NEAR) {
        size_t end = count - start < NEAR ? count : start + NEAR;
        bring_near(table, order + start, end - start);
        for (size_t index = start; index < end; index++) {
            TG_TRY(write_entry(table, order[index].place, out));
        }
    }
    return TG_OK;
}

static uint32_t group_of(const tg_table *table, const tg_ranked *item) {
    return tg_table_entry(table, item->place)->key_group;
}

// Returns the end of the run of keys of one key group that begins at `start`.
static size_t end_of_group(const tg_table *table, const tg_ranked *order, size_t start) {
    uint32_t key_group = group_of(table, &order[start]);
    size_t end = start + 1;
    while (end < table->count && group_of(table, &order[end]) == key_group) {
        end += 1;
    }
    return end;
}

tg_status tg_write_keyed(const tg_keys *keys, tg_items *out) {
    const tg_table *table = &keys->table;
    tg_ranked *order = tg_keys_in_order(keys);
    tg_status status = TG_OK;
    for (size_t start = 0; start < table->count && status == TG_OK;) {
        size_t end = end_of_group(table, order, start);
        tg_bytes bytes = {0};
        status = write_group(table, order + start, end - start, &bytes);
        tg_maybe_group key_group = {true, group_of(table, &order[start])};
        push_chunk(out, "keyed", key_group, bytes);
        start = end;
    }
    tg_dealloc(order);
    return status;
}

tg_status tg_items_push(tg_items *items, const tg_type *type, const void *item) {
    tg_bytes bytes = {0};
    tg_bytes_append(&bytes, tg_slice_of(TG_ITEM_MAGIC, TG_MAGIC_LENGTH));
    tg_status status = tg_encode(type, item, &bytes);
    tg_maybe_group none = {false, 0};
    push_chunk(items, "items", none, bytes);
    return status;
}

void tg_items_free(tg_items *items) {
    for (size_t index = 0; index < items->count; index++) {
        tg_dealloc((void *)(uintptr_t)items->chunks[index].bytes.data);
    }
    tg_dealloc(items->chunks);
    memset(items, 0, sizeof *items);
}
