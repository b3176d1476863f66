// Counts how often each key was seen.
//
// Config `emit`: "updates" (the default) sends the new count with each record, "final" sends one
// count for each key when the input has ended.

#include <tidegate.h>

enum { EMIT_UPDATES, EMIT_FINAL };

typedef struct config {
    int emit;
} config;

TG_STRUCT(config_type, config, TG_MEMBER_AS(config, emit, TG_ENUM("updates", "final")));

typedef struct count {
    int emit;
} count;

static tg_status on_open(void *self, const void *config_read, const tg_context *context) {
    (void)context;
    ((count *)self)->emit = ((const config *)config_read)->emit;
    return TG_OK;
}

static tg_status on_record(void *self, const tg_record *record, void *state, tg_output *out) {
    const count *instance = self;
    uint64_t *seen = state;
    *seen += 1;
    if (instance->emit == EMIT_UPDATES) {
        tg_emit(out, record->key, *seen);
    }
    return TG_OK;
}

static tg_status on_finish(void *self, tg_keys *keys, tg_output *out) {
    const count *instance = self;
    if (instance->emit != EMIT_FINAL) {
        return TG_OK;
    }
    tg_key_cursor cursor = tg_keys_begin(keys);
    while (tg_keys_next(&cursor)) {
        tg_emit(out, cursor.key, *(const uint64_t *)cursor.state);
    }
    return TG_OK;
}

// The tests in count_test.c open this table, too.
extern const tg_operator count_operator;
const tg_operator count_operator = {
    .instance_size = sizeof(count),
    .config = &config_type,
    .state = TG_U64,
    .open = on_open,
    .on_record = on_record,
    .on_finish = on_finish,
};

TG_EXPORT(count_operator);
