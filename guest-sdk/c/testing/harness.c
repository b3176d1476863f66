// The harness: an operator with a host around it that is as strict as the real one.

#include <stdio.h>
#include <stdlib.h>

#include "../src/native/recorder.h"
#include "snapshot.h"

enum { DEFAULT_MAX_PARALLELISM = 128 };

// A seed other than zero, which an operator may take for no seed.
#define DEFAULT_HASH_SEED 0x7469646567617465u

// The start of an emitted record in the harness's bytes.
typedef struct kept {
    uint32_t port;
    int64_t timestamp;
    size_t key_at, key_length, value_length;
} kept;

struct tg_harness {
    const tg_export exported;
    tg_context context;
    void *instance;
    uint64_t checkpoint;
    // The watermark that a new instance receives again; none before the first and after the end.
    bool has_watermark;
    int64_t watermark;
    tg_bytes emitted_bytes;
    kept *emitted;
    size_t emitted_count, emitted_capacity;
    tg_bytes text, log;
    // The names of the context.
    tg_slice *names;
};

static size_t length_of(const char *const *names) {
    size_t length = 0;
    while (names != NULL && names[length] != NULL) {
        length += 1;
    }
    return length;
}

// Computes the first and the last key group of a subtask, as the host deals them out.
static void deal_key_groups(tg_context *context) {
    uint64_t total = context->max_parallelism;
    uint64_t subtask = context->subtask;
    uint64_t parallelism = context->parallelism;
    if (subtask >= parallelism || parallelism > total) {
        TG_PANIC("there is no subtask %u of %u with %u key groups", (unsigned)subtask,
                 (unsigned)parallelism, (unsigned)total);
    }
    context->first_key_group = (uint32_t)((subtask * total + parallelism - 1) / parallelism);
    context->last_key_group = (uint32_t)(((subtask + 1) * total - 1) / parallelism);
}

static void set_names(tg_harness *harness, const tg_harness_options *options) {
    static const char *const one_input[] = {"input", NULL};
    static const char *const one_output[] = {"output", NULL};
    const char *const *inputs = options->inputs == NULL ? one_input : options->inputs;
    const char *const *outputs = options->outputs == NULL ? one_output : options->outputs;
    tg_context *context = &harness->context;
    context->input_count = length_of(inputs);
    context->output_count = length_of(outputs);
    size_t count = context->input_count + context->output_count;
    harness->names = tg_alloc(count * sizeof *harness->names);
    for (size_t index = 0; index < context->input_count; index++) {
        harness->names[index] = tg_text(inputs[index]);
    }
    for (size_t index = 0; index < context->output_count; index++) {
        harness->names[context->input_count + index] = tg_text(outputs[index]);
    }
    context->inputs = harness->names;
    context->outputs = harness->names + context->input_count;
}

static void set_context(tg_harness *harness, const tg_harness_options *options) {
    tg_context *context = &harness->context;
    context->job = tg_text("test");
    context->operator_name = tg_text("operator");
    context->subtask = options->subtask;
    context->parallelism = options->parallelism == 0 ? 1 : options->parallelism;
    context->max_parallelism =
        options->max_parallelism == 0 ? DEFAULT_MAX_PARALLELISM : options->max_parallelism;
    context->config = tg_text(options->config == NULL ? "{}" : options->config);
    context->hash_seed = options->hash_seed == 0 ? DEFAULT_HASH_SEED : options->hash_seed;
    deal_key_groups(context);
    set_names(harness, options);
}

static void release(tg_harness *harness) {
    if (harness->exported.calls->release != NULL) {
        harness->exported.calls->release(harness->instance);
    }
}

// Restores this subtask's own part: the chunks of its key groups, and its share of the items.
static tg_status restore(tg_harness *harness, const tg_snapshot *snapshot) {
    const tg_context *context = &harness->context;
    tg_state_chunk *own = tg_alloc(snapshot->count * sizeof *own);
    tg_chunks chunks = {own, 0};
    uint32_t items = 0;
    for (size_t index = 0; index < snapshot->count; index++) {
        const tg_state_chunk *chunk = &snapshot->chunks[index];
        bool is_own = chunk->key_group.some ? chunk->key_group.value >= context->first_key_group &&
                                                  chunk->key_group.value <= context->last_key_group
                                            : items++ % context->parallelism == context->subtask;
        if (is_own) {
            own[chunks.count++] = *chunk;
        }
    }
    tg_status status = harness->exported.calls->restore(harness->instance, &chunks);
    tg_dealloc(own);
    return status;
}

static tg_status open_instance(tg_harness *harness) {
    const tg_export *exported = &harness->exported;
    if (exported->calls->open == NULL) {
        return TG_OK;
    }
    return exported->calls->open(exported->definition, &harness->context, &harness->instance);
}

static void close_instance(tg_harness *harness) {
    if (harness->exported.calls->close != NULL && harness->instance != NULL) {
        harness->exported.calls->close(harness->instance);
    }
    harness->instance = NULL;
}

tg_status tg_harness_try(const tg_export *exported, const tg_harness_options *options,
                         const tg_snapshot *snapshot, tg_harness **made) {
    static const tg_harness_options defaults = {0};
    tg_harness *harness = tg_alloc_zeroed(sizeof *harness);
    *made = harness;
    memcpy((void *)(uintptr_t)&harness->exported, exported, sizeof *exported);
    tg_recorder_reset();
    set_context(harness, options == NULL ? &defaults : options);
    TG_TRY(open_instance(harness));
    if (snapshot == NULL) {
        return TG_OK;
    }
    TG_TRY(restore(harness, snapshot));
    const int64_t *watermark = options == NULL ? NULL : options->watermark;
    return watermark == NULL ? TG_OK : tg_harness_watermark(harness, *watermark);
}

static tg_harness *open_or_exit(const tg_operator *definition, const tg_harness_options *options,
                                const tg_snapshot *snapshot) {
    const tg_export exported = {&tg_typed_operator, definition};
    tg_harness *harness;
    if (tg_harness_try(&exported, options, snapshot, &harness) != TG_OK) {
        fprintf(stderr, "the operator could not be opened: %s\n", tg_failure_reason());
        exit(EXIT_FAILURE);
    }
    return harness;
}

tg_harness *tg_harness_open(const tg_operator *definition, const tg_harness_options *options) {
    return open_or_exit(definition, options, NULL);
}

tg_harness *tg_harness_restore(const tg_operator *definition, const tg_harness_options *options,
                               const tg_snapshot *snapshot) {
    return open_or_exit(definition, options, snapshot);
}

void tg_harness_close(tg_harness *harness) {
    if (harness == NULL) {
        return;
    }
    close_instance(harness);
    tg_bytes_free(&harness->emitted_bytes);
    tg_bytes_free(&harness->text);
    tg_bytes_free(&harness->log);
    tg_dealloc(harness->emitted);
    tg_dealloc(harness->names);
    tg_dealloc(harness);
}

bool tg_harness_owns(const tg_harness *harness, tg_slice key) {
    const tg_context *context = &harness->context;
    uint32_t key_group = tg_key_group(key, context->max_parallelism);
    return key_group >= context->first_key_group && key_group <= context->last_key_group;
}

static void keep(tg_harness *harness, uint32_t port, const tg_batch *records, size_t row) {
    if (harness->emitted_count == harness->emitted_capacity) {
        size_t capacity = harness->emitted_capacity == 0 ? 16 : harness->emitted_capacity * 2;
        harness->emitted = tg_realloc(harness->emitted, capacity * sizeof *harness->emitted);
        harness->emitted_capacity = capacity;
    }
    tg_slice key = tg_column_row(&records->keys, row);
    tg_slice value = tg_column_row(&records->values, row);
    kept record = {port, records->timestamps[row], harness->emitted_bytes.len, key.len, value.len};
    harness->emitted[harness->emitted_count++] = record;
    tg_bytes_append(&harness->emitted_bytes, key);
    tg_bytes_append(&harness->emitted_bytes, value);
}

// Makes the host's checks of a column.
static bool is_whole(const tg_column *column, size_t rows) {
    if (column->offset_count != rows + 1 || column->offsets[0] != 0) {
        return false;
    }
    for (size_t row = 0; row < rows; row++) {
        if (column->offsets[row] > column->offsets[row + 1]) {
            return false;
        }
    }
    return column->offsets[rows] == column->len;
}

static tg_status collect(tg_harness *harness, tg_status status, const tg_emissions *emitted) {
    for (size_t index = 0; status == TG_OK && index < emitted->count; index++) {
        const tg_emission *emission = &emitted->items[index];
        const tg_batch *records = &emission->records;
        if (emission->port >= harness->context.output_count ||
            !is_whole(&records->keys, records->rows) ||
            !is_whole(&records->values, records->rows)) {
            TG_PANIC("an emission breaks the rules of the interface");
        }
        for (size_t row = 0; row < records->rows; row++) {
            keep(harness, emission->port, records, row);
        }
    }
    release(harness);
    return status;
}

tg_status tg_harness_send_batch(tg_harness *harness, uint32_t input, const tg_batch *batch) {
    tg_emissions emitted = {NULL, 0};
    tg_status status = harness->exported.calls->process(harness->instance, input, batch, &emitted);
    return collect(harness, status, &emitted);
}

tg_status tg_harness_send_at(tg_harness *harness, uint32_t input, int64_t timestamp, tg_slice key,
                             tg_slice value) {
    // The copies have exactly their length, so that the sanitizers find a read beyond their ends.
    uint8_t *key_copy = tg_alloc(key.len);
    uint8_t *value_copy = tg_alloc(value.len);
    if (key.len > 0) {
        memcpy(key_copy, key.data, key.len);
    }
    if (value.len > 0) {
        memcpy(value_copy, value.data, value.len);
    }
    uint32_t key_offsets[2] = {0, (uint32_t)key.len};
    uint32_t value_offsets[2] = {0, (uint32_t)value.len};
    tg_batch batch = {
        .timestamps = &timestamp,
        .rows = 1,
        .keys = {key_offsets, 2, key_copy, key.len},
        .values = {value_offsets, 2, value_copy, value.len},
    };
    tg_status status = tg_harness_send_batch(harness, input, &batch);
    tg_dealloc(key_copy);
    tg_dealloc(value_copy);
    return status;
}

tg_status tg_harness_send(tg_harness *harness, const char *key, const char *value) {
    return tg_harness_send_at(harness, 0, TG_NO_TIMESTAMP, tg_text(key), tg_text(value));
}

tg_status tg_harness_watermark(tg_harness *harness, int64_t watermark) {
    tg_emissions emitted = {NULL, 0};
    harness->has_watermark = true;
    harness->watermark = watermark;
    tg_status status =
        harness->exported.calls->advance_watermark(harness->instance, watermark, &emitted);
    return collect(harness, status, &emitted);
}

tg_status tg_harness_finish(tg_harness *harness) {
    tg_emissions emitted = {NULL, 0};
    harness->has_watermark = false;
    tg_status status = harness->exported.calls->finish(harness->instance, &emitted);
    return collect(harness, status, &emitted);
}

tg_status tg_harness_try_snapshot(tg_harness *harness, tg_snapshot **snapshot) {
    tg_chunks chunks = {NULL, 0};
    harness->checkpoint += 1;
    tg_status status =
        harness->exported.calls->snapshot(harness->instance, harness->checkpoint, &chunks);
    *snapshot = status == TG_OK ? tg_snapshot_copy(&chunks) : NULL;
    release(harness);
    return status;
}

tg_snapshot *tg_harness_snapshot(tg_harness *harness) {
    tg_snapshot *snapshot;
    if (tg_harness_try_snapshot(harness, &snapshot) != TG_OK) {
        fprintf(stderr, "the snapshot failed: %s\n", tg_failure_reason());
        exit(EXIT_FAILURE);
    }
    return snapshot;
}

tg_status tg_harness_restart(tg_harness *harness) {
    tg_snapshot *snapshot;
    TG_TRY(tg_harness_try_snapshot(harness, &snapshot));
    close_instance(harness);
    const tg_chunks chunks = {snapshot->chunks, snapshot->count};
    tg_status status = open_instance(harness);
    if (status == TG_OK) {
        status = harness->exported.calls->restore(harness->instance, &chunks);
    }
    tg_snapshot_free(snapshot);
    TG_TRY(status);
    return harness->has_watermark ? tg_harness_watermark(harness, harness->watermark) : TG_OK;
}

tg_status tg_harness_checkpoint_complete(tg_harness *harness) {
    return harness->exported.calls->checkpoint_complete(harness->instance, harness->checkpoint);
}

size_t tg_harness_emitted_count(const tg_harness *harness) { return harness->emitted_count; }

tg_emitted tg_harness_emitted(const tg_harness *harness, size_t index) {
    const kept *record = &harness->emitted[index];
    const uint8_t *key = harness->emitted_bytes.data + record->key_at;
    tg_emitted emitted = {
        .port = record->port,
        .timestamp = record->timestamp,
        .key = tg_slice_of(key, record->key_length),
        .value = tg_slice_of(key + record->key_length, record->value_length),
    };
    return emitted;
}

void tg_harness_clear(tg_harness *harness) {
    harness->emitted_count = 0;
    harness->emitted_bytes.len = 0;
}

const char *tg_harness_take_text(tg_harness *harness) {
    tg_bytes *text = &harness->text;
    text->len = 0;
    for (size_t index = 0; index < harness->emitted_count; index++) {
        tg_emitted emitted = tg_harness_emitted(harness, index);
        if (emitted.port != 0) {
            tg_append_u64(text, emitted.port);
            tg_bytes_append(text, tg_text(": "));
        }
        tg_bytes_append(text, emitted.key);
        tg_bytes_push(text, ' ');
        tg_bytes_append(text, emitted.value);
        tg_bytes_push(text, '\n');
    }
    tg_bytes_push(text, '\0');
    tg_harness_clear(harness);
    return (const char *)text->data;
}

const char *tg_harness_take_log(tg_harness *harness) {
    tg_recorder_take_log(&harness->log);
    return (const char *)harness->log.data;
}

uint64_t tg_harness_counter(const tg_harness *harness, const char *metric) {
    (void)harness;
    return tg_recorder_counter(metric);
}
