// Record path: host -> [export] -> operator -> [export] -> host.
//
// The component's exports, by hand: see abi.h. Invariant: an instance has one operator, which
// `open` makes. A call before `open`, or a second `open`, is the host's mistake and fails.

#include "abi.h"

// The symbol that TG_EXPORT refers to.
extern const char tg_exports_of_component;
const char tg_exports_of_component = 0;

// The operator of the component; TG_EXPORT defines it.
const tg_export *tg_exported_by_TG_EXPORT(void);

// A result<list<..>, failure> in memory; a result<_, failure> uses less of it.
typedef struct result {
    uint8_t is_failure;
    union {
        struct {
            const void *items;
            size_t count;
        } list;
        struct {
            uint8_t kind;
            union {
                struct {
                    uint32_t row;
                    const char *reason;
                    size_t len;
                } invalid;
                struct {
                    const char *reason;
                    size_t len;
                } other;
            } of;
        } failure;
    } of;
} result;

// The layouts that the canonical ABI defines for each record and variant of the interface.
_Static_assert(sizeof(tg_batch) == 40 && offsetof(tg_batch, values) == 24, "batch");
_Static_assert(sizeof(tg_emission) == 44 && offsetof(tg_emission, records) == 4, "emission");
_Static_assert(sizeof(tg_state_chunk) == 28, "state-chunk");
_Static_assert(offsetof(tg_state_chunk, schema_version) == 8, "state-chunk");
_Static_assert(offsetof(tg_state_chunk, key_group.value) == 16, "state-chunk");
_Static_assert(offsetof(tg_state_chunk, bytes) == 20, "state-chunk");
_Static_assert(sizeof(result) == 20 && offsetof(result, of.failure.of) == 8, "result");

static void *instance;
static bool is_open;
static result returned;

static result *fail(tg_status status) {
    const char *reason = tg_failure_reason();
    returned.is_failure = 1;
    returned.of.failure.kind = (uint8_t)(status - TG_INVALID_RECORD);
    if (status == TG_INVALID_RECORD) {
        returned.of.failure.of.invalid.row = tg_failure_row();
        returned.of.failure.of.invalid.reason = reason;
        returned.of.failure.of.invalid.len = strlen(reason);
    } else {
        returned.of.failure.of.other.reason = reason;
        returned.of.failure.of.other.len = strlen(reason);
    }
    return &returned;
}

static result *end(tg_status status, const void *items, size_t count) {
    tg_arena_reset();
    if (status != TG_OK) {
        return fail(status);
    }
    returned.is_failure = 0;
    returned.of.list.items = items;
    returned.of.list.count = count;
    return &returned;
}

// Returns the operator's calls, or NULL and a failure if the operator is not open.
static const tg_raw_operator *opened(tg_status *status) {
    *status = is_open ? TG_OK : tg_fail("the operator was called before it was opened");
    return is_open ? tg_exported_by_TG_EXPORT()->calls : NULL;
}

static void release(void) {
    const tg_raw_operator *calls = is_open ? tg_exported_by_TG_EXPORT()->calls : NULL;
    if (calls != NULL && calls->release != NULL) {
        calls->release(instance);
    }
}

static tg_status open(const tg_context *context) {
    const tg_export *exported = tg_exported_by_TG_EXPORT();
    if (is_open) {
        return tg_fail("the operator was opened twice");
    }
    is_open = true;
    if (exported->calls->open == NULL) {
        return TG_OK;
    }
    return exported->calls->open(exported->definition, context, &instance);
}

// The parameters of `open` are the members of the context one by one.
TG_EXPORTED("open")
result *tg_export_open(const uint8_t *job, size_t job_len, const uint8_t *name, size_t name_len,
                       uint32_t subtask, uint32_t parallelism, uint32_t max_parallelism,
                       uint32_t first_key_group, uint32_t last_key_group, const tg_slice *inputs,
                       size_t input_count, const tg_slice *outputs, size_t output_count,
                       const uint8_t *config, size_t config_len, uint64_t hash_seed) {
    tg_context context = {
        .job = tg_slice_of(job, job_len),
        .operator_name = tg_slice_of(name, name_len),
        .subtask = subtask,
        .parallelism = parallelism,
        .max_parallelism = max_parallelism,
        .first_key_group = first_key_group,
        .last_key_group = last_key_group,
        .inputs = inputs,
        .input_count = input_count,
        .outputs = outputs,
        .output_count = output_count,
        .config = tg_slice_of(config, config_len),
        .hash_seed = hash_seed,
    };
    return end(open(&context), NULL, 0);
}

// The parameters of `process` are the input, and the lists of the batch one by one.
TG_EXPORTED("process")
result *tg_export_process(uint32_t input, const int64_t *timestamps, size_t rows,
                          const uint32_t *key_offsets, size_t key_offset_count, const uint8_t *keys,
                          size_t keys_len, const uint32_t *value_offsets, size_t value_offset_count,
                          const uint8_t *values, size_t values_len) {
    tg_batch batch = {
        .timestamps = timestamps,
        .rows = rows,
        .keys = {key_offsets, key_offset_count, keys, keys_len},
        .values = {value_offsets, value_offset_count, values, values_len},
    };
    tg_emissions emitted = {NULL, 0};
    tg_status status;
    const tg_raw_operator *calls = opened(&status);
    if (calls != NULL) {
        status = calls->process(instance, input, &batch, &emitted);
    }
    return end(status, emitted.items, emitted.count);
}

TG_EXPORTED("advance-watermark")
result *tg_export_advance_watermark(int64_t watermark) {
    tg_emissions emitted = {NULL, 0};
    tg_status status;
    const tg_raw_operator *calls = opened(&status);
    if (calls != NULL && calls->advance_watermark != NULL) {
        status = calls->advance_watermark(instance, watermark, &emitted);
    }
    return end(status, emitted.items, emitted.count);
}

TG_EXPORTED("snapshot")
result *tg_export_snapshot(uint64_t checkpoint) {
    tg_chunks chunks = {NULL, 0};
    tg_status status;
    const tg_raw_operator *calls = opened(&status);
    if (calls != NULL && calls->snapshot != NULL) {
        status = calls->snapshot(instance, checkpoint, &chunks);
    }
    return end(status, chunks.items, chunks.count);
}

static tg_status restore(const tg_raw_operator *calls, const tg_chunks *chunks) {
    if (calls->restore != NULL) {
        return calls->restore(instance, chunks);
    }
    return chunks->count == 0 ? TG_OK : tg_incompatible("this operator keeps no state");
}

TG_EXPORTED("restore")
result *tg_export_restore(const tg_state_chunk *items, size_t count) {
    tg_chunks chunks = {items, count};
    tg_status status;
    const tg_raw_operator *calls = opened(&status);
    if (calls != NULL) {
        status = restore(calls, &chunks);
    }
    return end(status, NULL, 0);
}

TG_EXPORTED("checkpoint-complete")
result *tg_export_checkpoint_complete(uint64_t checkpoint) {
    tg_status status;
    const tg_raw_operator *calls = opened(&status);
    if (calls != NULL && calls->checkpoint_complete != NULL) {
        status = calls->checkpoint_complete(instance, checkpoint);
    }
    return end(status, NULL, 0);
}

TG_EXPORTED("finish")
result *tg_export_finish(void) {
    tg_emissions emitted = {NULL, 0};
    tg_status status;
    const tg_raw_operator *calls = opened(&status);
    if (calls != NULL && calls->finish != NULL) {
        status = calls->finish(instance, &emitted);
    }
    return end(status, emitted.items, emitted.count);
}

// Called when the host has lifted the result of a call.
TG_AFTER("process") void tg_after_process(result *given) {
    (void)given;
    release();
}

TG_AFTER("advance-watermark") void tg_after_advance_watermark(result *given) {
    (void)given;
    release();
}

TG_AFTER("snapshot") void tg_after_snapshot(result *given) {
    (void)given;
    release();
}

TG_AFTER("finish") void tg_after_finish(result *given) {
    (void)given;
    release();
}
