// Turns all values into upper case, a whole column at once, and writes the number of records at the
// end.

#include <inttypes.h>
#include <stdio.h>

#include <tidegate.h>

// The name and the version of the one chunk of state.
#define CHUNK_NAME "records"
enum { CHUNK_VERSION = 1 };

// What an instance owns. The host reads the result of a call until it calls `release`.
typedef struct shout {
    uint64_t records; // so far
    tg_emission emission;
    tg_bytes timestamps, key_offsets, keys, value_offsets, values; // the memory of the emission
    tg_state_chunk chunk;
    uint8_t state[8];
} shout;

static tg_status shout_open(const void *definition, const tg_context *context, void **instance) {
    (void)definition, (void)context;
    *instance = tg_alloc_zeroed(sizeof(shout));
    return TG_OK;
}

static void shout_close(void *instance) {
    shout *self = instance;
    tg_bytes *owned[] = {&self->timestamps, &self->key_offsets, &self->keys, &self->value_offsets,
                         &self->values};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        tg_bytes_free(owned[i]);
    }
    tg_dealloc(self);
}

// Copies a column into memory of the instance: arguments are valid during the call only.
static tg_column copied(const tg_column *column, tg_bytes *offsets, tg_bytes *data) {
    size_t len = column->offset_count * sizeof(uint32_t);
    tg_bytes_set(offsets, tg_slice_of(column->offsets, len));
    tg_bytes_set(data, tg_slice_of(column->data, column->len));
    tg_column copy = {(const uint32_t *)(const void *)offsets->data, column->offset_count,
                      data->data, data->len};
    return copy;
}

// Emits a copy of a batch to port 0.
static void emit(shout *self, const tg_batch *batch, tg_emissions *emitted) {
    size_t len = batch->rows * sizeof(int64_t);
    tg_bytes_set(&self->timestamps, tg_slice_of(batch->timestamps, len));
    self->emission.records = (tg_batch){
        .timestamps = (const int64_t *)(const void *)self->timestamps.data,
        .rows = batch->rows,
        .keys = copied(&batch->keys, &self->key_offsets, &self->keys),
        .values = copied(&batch->values, &self->value_offsets, &self->values),
    };
    emitted->items = &self->emission;
    emitted->count = 1;
}

static tg_status shout_process(void *instance, uint32_t input, const tg_batch *records,
                               tg_emissions *emitted) {
    (void)input;
    shout *self = instance;
    self->records += records->rows;
    emit(self, records, emitted);
    // Upper case is as long as before, so that the offsets of the rows stay as they are.
    for (size_t i = 0; i < self->values.len; i++) {
        uint8_t byte = self->values.data[i];
        self->values.data[i] = 'a' <= byte && byte <= 'z' ? (uint8_t)(byte - 'a' + 'A') : byte;
    }
    return TG_OK;
}

// Equal state must give equal bytes: the number, with its lowest byte first.
static tg_status shout_snapshot(void *instance, uint64_t checkpoint, tg_chunks *chunks) {
    (void)checkpoint;
    shout *self = instance;
    for (unsigned i = 0; i < sizeof self->state; i++) {
        self->state[i] = (uint8_t)(self->records >> (8 * i));
    }
    self->chunk = (tg_state_chunk){
        .name = tg_text(CHUNK_NAME),
        .schema_version = CHUNK_VERSION,
        .bytes = tg_slice_of(self->state, sizeof self->state),
    };
    chunks->items = &self->chunk;
    chunks->count = 1;
    return TG_OK;
}

// After a rescale, a subtask gets the chunks of several subtasks, or none.
static tg_status shout_restore(void *instance, const tg_chunks *chunks) {
    shout *self = instance;
    for (size_t i = 0; i < chunks->count; i++) {
        const tg_state_chunk *chunk = &chunks->items[i];
        bool is_known = tg_slice_equal(chunk->name, tg_text(CHUNK_NAME)) &&
                        chunk->schema_version == CHUNK_VERSION;
        if (!is_known || chunk->bytes.len != sizeof self->state) {
            return tg_incompatible("a chunk of another operator");
        }
        uint64_t records = 0;
        for (unsigned byte = 0; byte < sizeof self->state; byte++) {
            records |= (uint64_t)chunk->bytes.data[byte] << (8 * byte);
        }
        self->records += records;
    }
    return TG_OK;
}

static tg_status shout_finish(void *instance, tg_emissions *emitted) {
    shout *self = instance;
    char sentence[48];
    snprintf(sentence, sizeof sentence, "%" PRIu64 " records in all", self->records);
    const tg_slice value = tg_text(sentence);
    const int64_t timestamps[] = {TG_NO_TIMESTAMP};
    const uint32_t key_offsets[] = {0, 0};
    const uint32_t value_offsets[] = {0, (uint32_t)value.len};
    const tg_batch batch = {
        .timestamps = timestamps,
        .rows = 1,
        .keys = {key_offsets, 2, NULL, 0},
        .values = {value_offsets, 2, value.data, value.len},
    };
    emit(self, &batch, emitted);
    return TG_OK;
}

// Also for the tests.
extern const tg_raw_operator shout_operator;
const tg_raw_operator shout_operator = {
    .open = shout_open,
    .process = shout_process,
    .snapshot = shout_snapshot,
    .restore = shout_restore,
    .finish = shout_finish,
    .close = shout_close,
};

TG_EXPORT_RAW(shout_operator);
