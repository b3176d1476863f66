// Turns the seconds of each record into minutes and seconds.

#include <inttypes.h>
#include <stdio.h>

#include <tidegate.h>

static tg_status on_record(void *self, const tg_record *record, void *state, tg_output *out) {
    (void)self, (void)state; // this operator remembers nothing
    uint32_t seconds;
    TG_TRY(tg_value_as(record, &seconds)); // a value that is no number blames this record
    char text[16];
    snprintf(text, sizeof text, "%" PRIu32 ":%02" PRIu32, seconds / 60, seconds % 60);
    tg_emit(out, record->key, text);
    return TG_OK;
}

// Also for the tests. State, a configuration and more are members of tg_operator.
extern const tg_operator minutes_operator;
const tg_operator minutes_operator = {
    .on_record = on_record,
};

TG_EXPORT(minutes_operator);
