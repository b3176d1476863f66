// An operator whose records decide how it fails, for the tests against the real host.

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <tidegate.h>

static tg_slice wanted;

static bool is_wanted(const char *what) { return tg_slice_equal(wanted, tg_text(what)); }

static void go_wrong(void) {
    volatile int zero = 0;
    if (is_wanted("assert")) {
        assert(zero == 1);
    } else if (is_wanted("panic")) {
        TG_PANIC("the %d panic", 7);
    } else if (is_wanted("abort")) {
        fprintf(stderr, "two lines,\nthe last words\n");
        abort();
    } else if (is_wanted("exit")) {
        exit(3);
    } else if (is_wanted("divide")) {
        printf("%d\n", 7 / zero);
    } else if (is_wanted("memory")) {
        // Without a volatile the compiler would drop memory that no one needs.
        void *volatile memory = tg_alloc((size_t)1 << 30);
        tg_dealloc(memory);
    }
}

static tg_status on_record(void *self, const tg_record *record, void *state, tg_output *out) {
    (void)self, (void)state;
    wanted = record->value;
    if (is_wanted("print")) {
        printf("to standard output, %.2f\n", 1.5);
        fprintf(stderr, "to standard error\n");
        tg_log(TG_DEBUG, "to the log: %s", "here");
        tg_count("printed", 1);
    } else if (is_wanted("clock")) {
        tg_emit(out, "clock", (int64_t)time(NULL));
        return TG_OK;
    } else {
        go_wrong();
    }
    tg_emit(out, record->key, record->value);
    return TG_OK;
}

static const tg_operator misbehaving = {.on_record = on_record};

TG_EXPORT(misbehaving);
