// Record path: host -> batch -> [typed] -> on_record -> output -> host.
//
// Makes a raw operator of a tg_operator: reads the columns row by row, finds the state of each
// record's key once, and writes and reads the state at checkpoints. Invariant: a key is kept only
// if a record of it was processed and its state is not vacant.

#include "chunk.h"
#include "output.h"

typedef struct typed {
    const tg_operator *definition;
    // NULL if no state is kept by key; a state without bytes is not kept either.
    const tg_type *state;
    void *self;
    void *config;
    tg_keys keys;
    tg_output out;
    tg_emission *emissions;
    tg_items snapshot;
} typed;

static tg_slice config_text(tg_slice config) {
    tg_slice trimmed = config;
    while (trimmed.len > 0 && trimmed.data[trimmed.len - 1] <= ' ') {
        trimmed.len -= 1;
    }
    bool is_none = trimmed.len == 0 || tg_slice_equal(trimmed, tg_text("null"));
    return is_none ? tg_text("{}") : config;
}

static tg_status read_config(typed *instance, tg_slice text) {
    static const tg_type nothing = {.kind = TG_KIND_STRUCT};
    const tg_operator *definition = instance->definition;
    const tg_type *type = definition->config == NULL ? &nothing : definition->config;
    instance->config = tg_alloc_zeroed(type->size);
    if (definition->config_default != NULL) {
        memcpy(instance->config, definition->config_default, type->size);
    }
    tg_init(type, instance->config);
    if (tg_read_json(type, config_text(text), true, instance->config) != TG_OK) {
        // The author of a job file has not seen this JSON.
        const char *place = strstr(tg_failure_reason(), " at line ");
        int length = place == NULL ? TG_MAX_REASON : (int)(place - tg_failure_reason());
        return tg_fail("the operator's config: %.*s", length, tg_failure_reason());
    }
    return TG_OK;
}

static tg_status check_types(const tg_operator *definition) {
    if (definition->config != NULL) {
        TG_TRY(tg_check_type(definition->config));
    }
    return definition->state == NULL ? TG_OK : tg_check_type(definition->state);
}

static tg_status typed_open(const void *definition, const tg_context *context, void **made) {
    const tg_operator *operator_definition = definition;
    TG_TRY(check_types(operator_definition));
    typed *instance = tg_alloc_zeroed(sizeof *instance);
    *made = instance;
    instance->definition = operator_definition;
    instance->self = tg_alloc_zeroed(operator_definition->instance_size);
    const tg_type *state = operator_definition->state;
    instance->state = state != NULL && state->size > 0 ? state : NULL;
    tg_keys_init(&instance->keys, instance->state, context);
    instance->keys.is_vacant = operator_definition->is_vacant;
    tg_output_init(&instance->out, context->output_count);
    instance->emissions = tg_alloc_zeroed(instance->out.port_count * sizeof *instance->emissions);
    TG_TRY(read_config(instance, context->config));
    if (operator_definition->open == NULL) {
        return TG_OK;
    }
    return operator_definition->open(instance->self, instance->config, context);
}

static tg_status process_keyed(typed *instance, const tg_record *record, uint32_t hash) {
    const tg_operator *definition = instance->definition;
    uint32_t place = tg_table_find_hashed(&instance->keys.table, record->key, hash);
    if (place == TG_ABSENT) {
        TG_TRY(tg_keys_place(&instance->keys, record->key, &place));
    }
    void *state = tg_entry_state(tg_table_entry(&instance->keys.table, place));
    tg_status status = definition->on_record(instance->self, record, state, &instance->out);
    if (definition->is_vacant != NULL && definition->is_vacant(state)) {
        tg_table_remove(&instance->keys.table, place);
    }
    return status;
}

TG_INLINE tg_record record_at(uint32_t input, const tg_batch *records, size_t row) {
    tg_record record = {
        .key = tg_column_row(&records->keys, row),
        .value = tg_column_row(&records->values, row),
        .timestamp = records->timestamps[row],
        .input = input,
        .row = (uint32_t)row,
    };
    return record;
}

static tg_status process_stateless(typed *instance, uint32_t input, const tg_batch *records) {
    for (size_t row = 0; row < records->rows; row++) {
        tg_record record = record_at(input, records, row);
        instance->out.inherited = record.timestamp;
        TG_TRY(instance->definition->on_record(instance->self, &record, NULL, &instance->out));
    }
    return TG_OK;
}

static tg_status process_rows(typed *instance, uint32_t input, const tg_batch *records) {
    if (instance->state == NULL) {
        return process_stateless(instance, input, records);
    }
    uint32_t hashes[TG_AHEAD];
    for (size_t start = 0; start < records->rows; start += TG_AHEAD) {
        size_t rest = records->rows - start;
        size_t count = rest < TG_AHEAD ? rest : TG_AHEAD;
        for (size_t index = 0; index < count; index++) {
            tg_slice key = tg_column_row(&records->keys, start + index);
            hashes[index] = tg_hash(&instance->keys.table.hasher, key);
        }
        tg_table_bring_near(&instance->keys.table, hashes, count);
        for (size_t index = 0; index < count; index++) {
            tg_record record = record_at(input, records, start + index);
            instance->out.inherited = record.timestamp;
            TG_TRY(process_keyed(instance, &record, hashes[index]));
        }
    }
    return TG_OK;
}

static tg_status emitted_by(typed *instance, tg_emissions *emitted) {
    return tg_output_take(&instance->out, instance->emissions, emitted);
}

static tg_status typed_process(void *self, uint32_t input, const tg_batch *records,
                               tg_emissions *emitted) {
    typed *instance = self;
    TG_TRY(process_rows(instance, input, records));
    return emitted_by(instance, emitted);
}

static tg_status typed_watermark(void *self, int64_t watermark, tg_emissions *emitted) {
    typed *instance = self;
    const tg_operator *definition = instance->definition;
    if (definition->on_watermark != NULL) {
        TG_TRY(
            definition->on_watermark(instance->self, watermark, &instance->keys, &instance->out));
    }
    tg_keys_forget_vacant(&instance->keys);
    return emitted_by(instance, emitted);
}

static tg_status typed_finish(void *self, tg_emissions *emitted) {
    typed *instance = self;
    const tg_operator *definition = instance->definition;
    if (definition->on_finish != NULL) {
        TG_TRY(definition->on_finish(instance->self, &instance->keys, &instance->out));
    }
    tg_keys_forget_vacant(&instance->keys);
    return emitted_by(instance, emitted);
}

static tg_status typed_snapshot(void *self, uint64_t checkpoint, tg_chunks *chunks) {
    (void)checkpoint;
    typed *instance = self;
    const tg_operator *definition = instance->definition;
    instance->snapshot.version = tg_version_of(definition);
    if (instance->state != NULL) {
        TG_TRY(tg_write_keyed(&instance->keys, &instance->snapshot));
    }
    if (definition->operator_state != NULL) {
        TG_TRY(definition->operator_state(instance->self, &instance->snapshot));
    }
    chunks->items = instance->snapshot.chunks;
    chunks->count = instance->snapshot.count;
    return TG_OK;
}

static tg_status restore_items(typed *instance, const tg_restored_items *items) {
    const tg_operator *definition = instance->definition;
    if (items->count == 0) {
        return TG_OK;
    }
    if (definition->restore_operator_state == NULL) {
        return tg_incompatible("it has %zu items of operator state, and this operator keeps none",
                               items->count);
    }
    return definition->restore_operator_state(instance->self, items);
}

static tg_status restore_sorted(typed *instance, const tg_chunks *chunks, tg_state_chunk *sorted) {
    size_t keyed;
    tg_restored_items items;
    TG_TRY(tg_sort_out(chunks, sorted, &keyed, &items));
    if (keyed > 0 && instance->state == NULL) {
        return tg_incompatible("it has keyed state, and this operator keeps none");
    }
    TG_TRY(tg_read_keyed(&instance->keys, instance->definition, sorted, keyed));
    return restore_items(instance, &items);
}

static tg_status typed_restore(void *self, const tg_chunks *chunks) {
    tg_state_chunk *sorted = tg_alloc(chunks->count * sizeof *sorted);
    tg_status status = restore_sorted(self, chunks, sorted);
    tg_dealloc(sorted);
    return status;
}

static tg_status typed_checkpoint_complete(void *self, uint64_t checkpoint) {
    typed *instance = self;
    const tg_operator *definition = instance->definition;
    return definition->on_checkpoint_complete == NULL
               ? TG_OK
               : definition->on_checkpoint_complete(instance->self, checkpoint);
}

static void typed_release(void *self) {
    typed *instance = self;
    tg_output_clear(&instance->out);
    tg_items_free(&instance->snapshot);
}

static void typed_close(void *self) {
    typed *instance = self;
    if (instance->definition->close != NULL) {
        instance->definition->close(instance->self);
    }
    tg_table_clear(&instance->keys.table);
    tg_output_free(&instance->out);
    tg_items_free(&instance->snapshot);
    if (instance->definition->config != NULL) {
        tg_free(instance->definition->config, instance->config);
    }
    tg_dealloc(instance->config);
    tg_dealloc(instance->emissions);
    tg_dealloc(instance->self);
    tg_dealloc(instance);
}

const tg_raw_operator tg_typed_operator = {
    .open = typed_open,
    .process = typed_process,
    .advance_watermark = typed_watermark,
    .snapshot = typed_snapshot,
    .restore = typed_restore,
    .checkpoint_complete = typed_checkpoint_complete,
    .finish = typed_finish,
    .release = typed_release,
    .close = typed_close,
};
