// Keeps a running total of the values of each key, and emits it with every record.

#include <tidegate.h>

// `state` is the total of the record's key, part of every checkpoint; it begins at 0.
static tg_status on_record(void *self, const tg_record *record, void *state, tg_output *out) {
    (void)self;
    int64_t *total = state;
    int64_t amount;
    TG_TRY(tg_value_as(record, &amount)); // a value that is no number blames this record
    if (__builtin_add_overflow(*total, amount, total)) {
        *total = amount < 0 ? INT64_MIN : INT64_MAX;
    }
    tg_emit(out, record->key, *total);
    return TG_OK;
}

// Also for the tests. A configuration, watermarks and more are members of tg_operator.
extern const tg_operator total_operator;
const tg_operator total_operator = {
    .state = TG_I64,
    .on_record = on_record,
};

TG_EXPORT(total_operator);
