// Recovery: host -> [chunks] -> keyed state. Trusts no length, and accepts all or rejects all.

#include "chunk.h"
#include "sort.h"
#include "tidegate/host.h"

enum { LEAST_ENTRY = 2, MOST_LENGTH_BYTES = 5 };

// The entries of a chunk that are not read yet.
typedef struct entries {
    tg_slice rest;
    size_t count;
    bool has_last;
    tg_slice last_key;
} entries;

static const char *const ENDS_EARLY = "it ends too early";

static bool is_named(tg_slice name, const char *text) {
    return tg_slice_equal(name, tg_text(text));
}

tg_status tg_sort_out(const tg_chunks *chunks, tg_state_chunk *sorted, size_t *keyed,
                      tg_restored_items *items) {
    size_t front = 0;
    size_t back = chunks->count;
    for (size_t index = 0; index < chunks->count; index++) {
        const tg_state_chunk *chunk = &chunks->items[index];
        if (is_named(chunk->name, "keyed") && chunk->key_group.some) {
            sorted[front++] = *chunk;
        } else if (!is_named(chunk->name, "items") || chunk->key_group.some) {
            return tg_incompatible("it has a chunk `%.*s`, which this operator did not write",
                                   (int)(chunk->name.len > 200 ? 200 : chunk->name.len),
                                   chunk->name.len == 0 ? "" : (const char *)chunk->name.data);
        }
    }
    *keyed = front;
    for (size_t index = 0; index < chunks->count; index++) {
        const tg_state_chunk *chunk = &chunks->items[index];
        if (chunk->key_group.some) {
            continue;
        }
        if (front > *keyed && chunk->schema_version != sorted[*keyed].schema_version) {
            return tg_incompatible("its items of operator state have different versions");
        }
        sorted[front++] = *chunk;
    }
    items->chunks = sorted + *keyed;
    items->count = back - *keyed;
    items->version = items->count == 0 ? 0 : items->chunks[0].schema_version;
    return TG_OK;
}

static tg_status in_group(uint32_t key_group, const char *reason) {
    return tg_incompatible("the chunk of key group %u: %s", (unsigned)key_group, reason);
}

// Returns NULL, or why the length can't be read. A length is only accepted in its shortest form.
static const char *read_length(tg_slice *rest, size_t *length) {
    uint64_t number = 0;
    for (size_t at = 0; at < MOST_LENGTH_BYTES; at++) {
        if (at == rest->len) {
            return ENDS_EARLY;
        }
        uint8_t byte = rest->data[at];
        number |= (uint64_t)(byte & 0x7f) << (7 * at);
        if (byte < 0x80) {
            bool is_shortest = at == 0 || byte != 0;
            if (!is_shortest || number > UINT32_MAX) {
                break;
            }
            *rest = tg_slice_of(rest->data + at + 1, rest->len - at - 1);
            *length = (size_t)number;
            return NULL;
        }
    }
    return "a length is not written in its shortest form";
}

static const char *read_bytes(tg_slice *rest, tg_slice *bytes) {
    size_t length;
    const char *refusal = read_length(rest, &length);
    if (refusal != NULL) {
        return refusal;
    }
    if (length > rest->len) {
        return ENDS_EARLY;
    }
    *bytes = tg_slice_of(rest->data, length);
    *rest = tg_slice_of(rest->data + length, rest->len - length);
    return NULL;
}

static const char *begin(tg_slice bytes, entries *in) {
    memset(in, 0, sizeof *in);
    bool is_ours =
        bytes.len >= TG_MAGIC_LENGTH && memcmp(bytes.data, TG_KEYED_MAGIC, TG_MAGIC_LENGTH) == 0;
    if (!is_ours) {
        return "it does not begin as a chunk of this format does";
    }
    in->rest = tg_slice_of(bytes.data + TG_MAGIC_LENGTH, bytes.len - TG_MAGIC_LENGTH);
    const char *refusal = read_length(&in->rest, &in->count);
    if (refusal != NULL) {
        return refusal;
    }
    if (in->count == 0) {
        return "it has no entries";
    }
    return in->count > in->rest.len / LEAST_ENTRY ? ENDS_EARLY : NULL;
}

static const char *next(entries *in, tg_slice *key, tg_slice *value) {
    const char *refusal = read_bytes(&in->rest, key);
    if (refusal == NULL) {
        refusal = read_bytes(&in->rest, value);
    }
    if (refusal == NULL && in->has_last && tg_slice_compare(in->last_key, *key) >= 0) {
        refusal = "its keys do not strictly rise";
    }
    in->has_last = true;
    in->last_key = *key;
    return refusal;
}

static tg_status read_value(const tg_operator *definition, uint32_t version, tg_slice bytes,
                            void *state) {
    uint32_t own = tg_version_of(definition);
    if (version == own) {
        return tg_read_state(definition->state, bytes, state);
    }
    if (definition->migrate == NULL) {
        return tg_incompatible("it has version %u, and this operator reads version %u",
                               (unsigned)version, (unsigned)own);
    }
    return definition->migrate(version, bytes, state);
}

static tg_status read_entry(tg_keys *keys, const tg_operator *definition,
                            const tg_state_chunk *chunk, entries *in) {
    uint32_t key_group = chunk->key_group.value;
    tg_slice key, value;
    const char *refusal = next(in, &key, &value);
    if (refusal != NULL) {
        return in_group(key_group, refusal);
    }
    if (tg_key_group(key, keys->max_parallelism) != key_group) {
        return in_group(key_group, "it has a key of another key group");
    }
    uint32_t place = tg_table_insert(&keys->table, key, key_group);
    tg_entry *entry = tg_table_entry(&keys->table, place);
    return read_value(definition, chunk->schema_version, value, tg_entry_state(entry));
}

static tg_status read_chunk(tg_keys *keys, const tg_operator *definition,
                            const tg_state_chunk *chunk) {
    uint32_t key_group = chunk->key_group.value;
    if (key_group < keys->first_key_group || key_group > keys->last_key_group) {
        return in_group(key_group, "this subtask does not own it");
    }
    entries in;
    const char *refusal = begin(chunk->bytes, &in);
    if (refusal != NULL) {
        return in_group(key_group, refusal);
    }
    for (size_t index = 0; index < in.count; index++) {
        TG_TRY(read_entry(keys, definition, chunk, &in));
    }
    if (in.rest.len > 0) {
        return tg_incompatible("the chunk of key group %u: %zu bytes are left over",
                               (unsigned)key_group, in.rest.len);
    }
    return TG_OK;
}

static int compare_groups(const void *left, const void *right, const void *argument) {
    (void)argument;
    uint32_t left_group = ((const tg_state_chunk *)left)->key_group.value;
    uint32_t right_group = ((const tg_state_chunk *)right)->key_group.value;
    return (left_group > right_group) - (left_group < right_group);
}

tg_status tg_read_keyed(tg_keys *keys, const tg_operator *definition, tg_state_chunk *chunks,
                        size_t count) {
    tg_state_chunk *spare = tg_alloc(count * sizeof *spare);
    tg_sort(chunks, count, sizeof *chunks, spare, compare_groups, NULL);
    tg_dealloc(spare);
    size_t all = 0;
    for (size_t index = 0; index < count; index++) {
        uint32_t key_group = chunks[index].key_group.value;
        if (index > 0 && chunks[index - 1].key_group.value == key_group) {
            return in_group(key_group, "it is there twice");
        }
        entries in;
        const char *refusal = begin(chunks[index].bytes, &in);
        if (refusal != NULL) {
            return in_group(key_group, refusal);
        }
        all += in.count;
    }
    // Growing the index step by step would take most of the time of a restore.
    tg_table_reserve(&keys->table, all);
    for (size_t index = 0; index < count; index++) {
        TG_TRY(read_chunk(keys, definition, &chunks[index]));
    }
    return TG_OK;
}

tg_status tg_items_read(const tg_restored_items *items, size_t index, const tg_type *type,
                        void *item) {
    tg_slice bytes = items->chunks[index].bytes;
    bool is_ours =
        bytes.len >= TG_MAGIC_LENGTH && memcmp(bytes.data, TG_ITEM_MAGIC, TG_MAGIC_LENGTH) == 0;
    if (!is_ours) {
        return tg_incompatible("an item: it does not begin as a chunk of this format does");
    }
    tg_slice value = tg_slice_of(bytes.data + TG_MAGIC_LENGTH, bytes.len - TG_MAGIC_LENGTH);
    return tg_read_state(type, value, item);
}
