// Stands in for the host while an operator runs natively: a recorder of the log and the counters.
// Each thread has its own recorder, since each test may run on its own thread.

#include "recorder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tidegate/host.h"

typedef struct counter {
    char *metric;
    uint64_t value;
} counter;

typedef struct recorder {
    tg_bytes log;
    counter *counters;
    size_t count;
} recorder;

static _Thread_local recorder recorded;

static const char *const LEVELS[] = {"trace", "debug", "info", "warn", "error"};

void tg_log_text(tg_level level, tg_slice message) {
    tg_bytes_append(&recorded.log, tg_text(LEVELS[level]));
    tg_bytes_append(&recorded.log, tg_text(": "));
    tg_bytes_append(&recorded.log, message);
    tg_bytes_push(&recorded.log, '\n');
}

static counter *counter_of(const char *metric) {
    for (size_t index = 0; index < recorded.count; index++) {
        if (strcmp(recorded.counters[index].metric, metric) == 0) {
            return &recorded.counters[index];
        }
    }
    return NULL;
}

void tg_count(const char *metric, uint64_t delta) {
    counter *found = counter_of(metric);
    if (found == NULL) {
        recorded.counters =
            tg_realloc(recorded.counters, (recorded.count + 1) * sizeof *recorded.counters);
        found = &recorded.counters[recorded.count++];
        found->value = 0;
        found->metric = tg_alloc(strlen(metric) + 1);
        memcpy(found->metric, metric, strlen(metric) + 1);
    }
    bool overflows = found->value > UINT64_MAX - delta;
    found->value = overflows ? UINT64_MAX : found->value + delta;
}

void tg_recorder_take_log(tg_bytes *log) {
    tg_bytes_free(log);
    *log = recorded.log;
    memset(&recorded.log, 0, sizeof recorded.log);
    tg_bytes_push(log, '\0');
}

uint64_t tg_recorder_counter(const char *metric) {
    const counter *found = counter_of(metric);
    return found == NULL ? 0 : found->value;
}

void tg_recorder_reset(void) {
    tg_bytes_free(&recorded.log);
    for (size_t index = 0; index < recorded.count; index++) {
        tg_dealloc(recorded.counters[index].metric);
    }
    tg_dealloc(recorded.counters);
    recorded.counters = NULL;
    recorded.count = 0;
}

void tg_panic(const char *file, int line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    abort();
}
