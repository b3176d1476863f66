// The abilities of an operator beyond counting: vacancy, watermarks, items, failures, raw columns.

#include "tidegate/testing.h"

typedef struct window {
    int64_t end;
    uint64_t count;
} window;

TG_STRUCT(window_type, window, TG_MEMBER(window, end), TG_MEMBER(window, count));

typedef struct numbering {
    uint64_t next;
} numbering;

static tg_status count_in_window(void *self, const tg_record *record, void *state, tg_output *out) {
    (void)out;
    ((numbering *)self)->next += 1;
    if (record->timestamp == TG_NO_TIMESTAMP) {
        return tg_invalid(record, "no timestamp, as %d before", 7);
    }
    window *current = state;
    current->end = (record->timestamp / 10 + 1) * 10;
    current->count += 1;
    return TG_OK;
}

static bool has_count(const void *state) { return ((const window *)state)->count == 0; }

typedef struct closing {
    int64_t watermark;
    tg_output *out;
} closing;

static bool is_over(tg_slice key, const void *state, void *argument) {
    (void)key;
    return ((const window *)state)->end <= ((const closing *)argument)->watermark;
}

static tg_status emit_window(tg_slice key, void *state, void *argument) {
    const window *closed = state;
    tg_emit_at(((closing *)argument)->out, closed->end - 1, key, closed->count);
    return TG_OK;
}

static tg_status close_windows(void *self, int64_t watermark, tg_keys *keys, tg_output *out) {
    (void)self;
    closing argument = {watermark, out};
    return tg_keys_extract(keys, is_over, emit_window, &argument);
}

static tg_status reset_all(void *self, tg_keys *keys, tg_output *out) {
    (void)self;
    tg_key_cursor cursor = tg_keys_begin(keys);
    while (tg_keys_next(&cursor)) {
        window *left = cursor.state;
        tg_emit(out, cursor.key, left->count);
        left->count = 0;
    }
    return TG_OK;
}

static tg_status write_next(void *self, tg_items *items) {
    return tg_items_push(items, TG_U64, &((numbering *)self)->next);
}

static tg_status read_next(void *self, const tg_restored_items *items) {
    numbering *instance = self;
    for (size_t index = 0; index < items->count; index++) {
        uint64_t next = 0;
        TG_TRY(tg_items_read(items, index, TG_U64, &next));
        instance->next += next;
    }
    return TG_OK;
}

static tg_status count_checkpoint(void *self, uint64_t checkpoint) {
    (void)self;
    tg_count("checkpoints", checkpoint);
    tg_log(TG_WARN, "checkpoint %d of %s", (int)checkpoint, "the test");
    return TG_OK;
}

static const tg_operator windows = {
    .instance_size = sizeof(numbering),
    .state = &window_type,
    .on_record = count_in_window,
    .is_vacant = has_count,
    .on_watermark = close_windows,
    .on_finish = reset_all,
    .operator_state = write_next,
    .restore_operator_state = read_next,
    .on_checkpoint_complete = count_checkpoint,
};

static void send(tg_harness *harness, int64_t timestamp, const char *key) {
    TG_CHECK_OK(tg_harness_send_at(harness, 0, timestamp, tg_text(key), tg_text("")));
}

TG_TEST(a_watermark_closes_what_is_over_in_the_order_of_the_keys) {
    tg_harness *harness = tg_harness_open(&windows, NULL);
    send(harness, 5, "b");
    send(harness, 7, "a");
    send(harness, 15, "c");
    send(harness, 8, "b");
    TG_CHECK_OK(tg_harness_watermark(harness, 10));
    TG_CHECK_EQUAL(tg_harness_emitted(harness, 0).timestamp, 9);
    TG_CHECK_TEXT(tg_harness_take_text(harness), "a 1\nb 2\n");
    TG_CHECK_OK(tg_harness_watermark(harness, 20));
    TG_CHECK_TEXT(tg_harness_take_text(harness), "c 1\n");
    tg_harness_close(harness);
}

// Passes on records in time. Its watermark is no state: a restored instance receives it again.
typedef struct on_time {
    bool has_watermark;
    int64_t watermark;
} on_time;

static tg_status pass_on_time(void *self, const tg_record *record, void *state, tg_output *out) {
    const on_time *instance = self;
    uint64_t *passed = state;
    if (instance->has_watermark && record->timestamp < instance->watermark) {
        return TG_OK;
    }
    *passed += 1;
    tg_emit(out, record->key, *passed);
    return TG_OK;
}

static tg_status keep_watermark(void *self, int64_t watermark, tg_keys *keys, tg_output *out) {
    (void)keys;
    (void)out;
    *(on_time *)self = (on_time){true, watermark};
    return TG_OK;
}

static const tg_operator passes_on_time = {
    .instance_size = sizeof(on_time),
    .state = TG_U64,
    .on_record = pass_on_time,
    .on_watermark = keep_watermark,
};

TG_TEST(a_record_that_is_late_before_a_restart_is_late_after_it) {
    tg_harness *harness = tg_harness_open(&passes_on_time, NULL);
    TG_CHECK_OK(tg_harness_restart(harness));
    send(harness, 5, "a");
    TG_CHECK_OK(tg_harness_watermark(harness, 10));
    TG_CHECK_OK(tg_harness_restart(harness));
    send(harness, 9, "a");
    send(harness, 10, "a");
    TG_CHECK_TEXT(tg_harness_take_text(harness), "a 1\na 2\n");
    tg_harness_close(harness);
}

TG_TEST(an_instance_of_another_parallelism_is_told_the_watermark_after_its_state) {
    tg_harness *one = tg_harness_open(&passes_on_time, NULL);
    send(one, 5, "a");
    tg_snapshot *snapshot = tg_harness_snapshot(one);
    tg_harness_close(one);
    const int64_t watermark = 10;
    for (uint32_t subtask = 0; subtask < 2; subtask++) {
        const tg_harness_options options = {
            .subtask = subtask, .parallelism = 2, .watermark = &watermark};
        tg_harness *two = tg_harness_restore(&passes_on_time, &options, snapshot);
        if (tg_harness_owns(two, tg_text("a"))) {
            send(two, 9, "a");
            send(two, 10, "a");
            TG_CHECK_TEXT(tg_harness_take_text(two), "a 2\n");
        }
        tg_harness_close(two);
    }
    tg_snapshot_free(snapshot);
}

TG_TEST(what_is_vacant_is_forgotten) {
    tg_harness *harness = tg_harness_open(&windows, NULL);
    send(harness, 5, "b");
    send(harness, 5, "a");
    TG_CHECK_OK(tg_harness_finish(harness));
    TG_CHECK_TEXT(tg_harness_take_text(harness), "a 1\nb 1\n");
    tg_snapshot *snapshot = tg_harness_snapshot(harness);
    TG_CHECK_EQUAL(snapshot->count, 1);
    TG_CHECK(tg_slice_equal(snapshot->chunks[0].name, tg_text("items")));
    tg_snapshot_free(snapshot);
    tg_harness_close(harness);
}

TG_TEST(a_record_is_blamed_with_its_row) {
    tg_harness *harness = tg_harness_open(&windows, NULL);
    const int64_t timestamps[] = {1, TG_NO_TIMESTAMP};
    const uint32_t offsets[] = {0, 1, 2};
    const uint32_t no_offsets[] = {0, 0, 0};
    const tg_batch batch = {
        .timestamps = timestamps,
        .rows = 2,
        .keys = {offsets, 3, (const uint8_t *)"ab", 2},
        .values = {no_offsets, 3, NULL, 0},
    };
    TG_CHECK_FAILS(tg_harness_send_batch(harness, 0, &batch), TG_INVALID_RECORD,
                   "no timestamp, as 7 before");
    TG_CHECK_EQUAL(tg_failure_row(), 1);
    tg_harness_close(harness);
}

TG_TEST(items_of_operator_state_are_dealt_out_among_subtasks) {
    tg_harness *harness = tg_harness_open(&windows, NULL);
    send(harness, 5, "a");
    send(harness, 5, "b");
    tg_snapshot *snapshot = tg_harness_snapshot(harness);
    tg_harness_close(harness);
    uint64_t total = 0;
    for (uint32_t subtask = 0; subtask < 3; subtask++) {
        const tg_harness_options options = {.subtask = subtask, .parallelism = 3};
        tg_harness *restored = tg_harness_restore(&windows, &options, snapshot);
        tg_snapshot *again = tg_harness_snapshot(restored);
        const tg_restored_items items = {&again->chunks[again->count - 1], 1, 1};
        uint64_t next = 0;
        TG_CHECK_OK(tg_items_read(&items, 0, TG_U64, &next));
        total += next;
        tg_snapshot_free(again);
        tg_harness_close(restored);
    }
    TG_CHECK_EQUAL(total, 2);
    tg_snapshot_free(snapshot);
}

TG_TEST(the_log_and_the_counters_are_recorded) {
    tg_harness *harness = tg_harness_open(&windows, NULL);
    tg_snapshot_free(tg_harness_snapshot(harness));
    TG_CHECK_OK(tg_harness_checkpoint_complete(harness));
    TG_CHECK_TEXT(tg_harness_take_log(harness), "warn: checkpoint 1 of the test\n");
    TG_CHECK_EQUAL(tg_harness_counter(harness, "checkpoints"), 1);
    TG_CHECK_EQUAL(tg_harness_counter(harness, "none"), 0);
    tg_harness_close(harness);
}

// Passes every batch on as it is.
static tg_status pass_on(void *self, uint32_t input, const tg_batch *records,
                         tg_emissions *emitted) {
    (void)self, (void)input;
    static tg_emission emission;
    emission.port = 0;
    emission.records = *records;
    emitted->items = &emission;
    emitted->count = 1;
    return TG_OK;
}

TG_TEST(a_raw_operator_sees_columns) {
    static const tg_raw_operator raw = {.process = pass_on};
    const tg_export exported = {&raw, NULL};
    tg_harness *harness;
    TG_CHECK_OK(tg_harness_try(&exported, NULL, NULL, &harness));
    TG_CHECK_OK(tg_harness_send(harness, "k", "v"));
    TG_CHECK_TEXT(tg_harness_take_text(harness), "k v\n");
    tg_harness_close(harness);
}

TG_TEST(a_table_that_does_not_fit_its_struct_is_found_when_the_operator_opens) {
    static const tg_member members[] = {{"count", 0, sizeof(uint64_t), TG_U32}};
    static const tg_type wrong = {
        .kind = TG_KIND_STRUCT,
        .size = sizeof(uint64_t),
        .members = members,
        .member_count = 1,
    };
    const tg_operator definition = {.state = &wrong, .on_record = count_in_window};
    const tg_export exported = {&tg_typed_operator, &definition};
    tg_harness *harness;
    TG_CHECK_FAILS(tg_harness_try(&exported, NULL, NULL, &harness), TG_OTHER,
                   "the type of member `count` has 4 bytes, and the member 8");
    tg_harness_close(harness);
}

TG_TEST_MAIN(a_watermark_closes_what_is_over_in_the_order_of_the_keys,
             a_record_that_is_late_before_a_restart_is_late_after_it,
             an_instance_of_another_parallelism_is_told_the_watermark_after_its_state,
             what_is_vacant_is_forgotten, a_record_is_blamed_with_its_row,
             items_of_operator_state_are_dealt_out_among_subtasks,
             the_log_and_the_counters_are_recorded, a_raw_operator_sees_columns,
             a_table_that_does_not_fit_its_struct_is_found_when_the_operator_opens)
