// Chunks that outlive the operator that wrote them.

#include "snapshot.h"

static tg_slice copy(tg_slice bytes) {
    uint8_t *to = tg_alloc(bytes.len);
    if (bytes.len > 0) {
        memcpy(to, bytes.data, bytes.len);
    }
    return tg_slice_of(to, bytes.len);
}

tg_snapshot *tg_snapshot_copy(const tg_chunks *chunks) {
    tg_snapshot *snapshot = tg_alloc_zeroed(sizeof *snapshot);
    snapshot->chunks = tg_alloc_zeroed(chunks->count * sizeof *snapshot->chunks);
    snapshot->count = chunks->count;
    for (size_t index = 0; index < chunks->count; index++) {
        snapshot->chunks[index] = chunks->items[index];
        snapshot->chunks[index].name = copy(chunks->items[index].name);
        snapshot->chunks[index].bytes = copy(chunks->items[index].bytes);
    }
    return snapshot;
}

void tg_snapshot_join(tg_snapshot *snapshot, tg_snapshot *other) {
    size_t count = snapshot->count + other->count;
    snapshot->chunks = tg_realloc(snapshot->chunks, count * sizeof *snapshot->chunks);
    for (size_t index = 0; index < other->count; index++) {
        snapshot->chunks[snapshot->count++] = other->chunks[index];
    }
    tg_dealloc(other->chunks);
    tg_dealloc(other);
}

static bool chunks_equal(const tg_state_chunk *left, const tg_state_chunk *right) {
    return tg_slice_equal(left->name, right->name) &&
           left->schema_version == right->schema_version &&
           left->key_group.some == right->key_group.some &&
           (!left->key_group.some || left->key_group.value == right->key_group.value) &&
           tg_slice_equal(left->bytes, right->bytes);
}

bool tg_snapshot_equal(const tg_snapshot *left, const tg_snapshot *right) {
    if (left->count != right->count) {
        return false;
    }
    for (size_t index = 0; index < left->count; index++) {
        if (!chunks_equal(&left->chunks[index], &right->chunks[index])) {
            return false;
        }
    }
    return true;
}

void tg_snapshot_free(tg_snapshot *snapshot) {
    if (snapshot == NULL) {
        return;
    }
    for (size_t index = 0; index < snapshot->count; index++) {
        tg_dealloc((void *)(uintptr_t)snapshot->chunks[index].name.data);
        tg_dealloc((void *)(uintptr_t)snapshot->chunks[index].bytes.data);
    }
    tg_dealloc(snapshot->chunks);
    tg_dealloc(snapshot);
}
