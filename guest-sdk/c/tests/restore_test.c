// State through failures, other parallelisms and other versions of the operator.

#include <stdio.h>

#include "tidegate/testing.h"

static tg_status count(void *self, const tg_record *record, void *state, tg_output *out) {
    (void)self;
    *(uint64_t *)state += 1;
    tg_emit(out, record->key, *(uint64_t *)state);
    return TG_OK;
}

static const tg_operator counter = {.state = TG_U64, .on_record = count};

static tg_snapshot *count_keys(uint32_t keys, uint32_t step) {
    tg_harness *harness = tg_harness_open(&counter, NULL);
    for (uint32_t number = 0; number < keys; number++) {
        char key[16];
        snprintf(key, sizeof key, "key-%u", (unsigned)(number * step % keys));
        TG_CHECK_OK(tg_harness_send(harness, key, ""));
    }
    tg_snapshot *snapshot = tg_harness_snapshot(harness);
    tg_harness_close(harness);
    return snapshot;
}

TG_TEST(equal_state_gives_equal_bytes_whatever_order_its_keys_came_in) {
    tg_snapshot *left = count_keys(1000, 1);
    tg_snapshot *right = count_keys(1000, 7);
    TG_CHECK(tg_snapshot_equal(left, right));
    tg_snapshot_free(left);
    tg_snapshot_free(right);
}

// Returns the state of all subtasks of a parallelism together, after a restore.
static tg_snapshot *rescale(const tg_snapshot *from, uint32_t parallelism) {
    tg_snapshot *all = NULL;
    for (uint32_t subtask = 0; subtask < parallelism; subtask++) {
        const tg_harness_options options = {.subtask = subtask, .parallelism = parallelism};
        tg_harness *harness = tg_harness_restore(&counter, &options, from);
        tg_snapshot *part = tg_harness_snapshot(harness);
        tg_harness_close(harness);
        if (all == NULL) {
            all = part;
        } else {
            tg_snapshot_join(all, part);
        }
    }
    return all;
}

TG_TEST(every_parallelism_has_the_same_state) {
    tg_snapshot *one = count_keys(1000, 1);
    tg_snapshot *three = rescale(one, 3);
    tg_snapshot *five = rescale(three, 5);
    tg_snapshot *back = rescale(five, 1);
    TG_CHECK(tg_snapshot_equal(one, three));
    TG_CHECK(tg_snapshot_equal(one, five));
    TG_CHECK(tg_snapshot_equal(one, back));
    tg_snapshot_free(one);
    tg_snapshot_free(three);
    tg_snapshot_free(five);
    tg_snapshot_free(back);
}

typedef struct stats {
    uint64_t count;
    tg_string note;
} stats;

TG_STRUCT(stats_type, stats, TG_MEMBER(stats, count), TG_MEMBER(stats, note));

static tg_status count_with_note(void *self, const tg_record *record, void *state, tg_output *out) {
    (void)self;
    stats *current = state;
    current->count += 1;
    tg_string_append(&current->note, tg_text("!"));
    tg_emit(out, record->key, current->count);
    tg_emit(out, record->key, current->note);
    return TG_OK;
}

// Reads version 1, which kept a bare count.
static tg_status migrate(uint32_t version, tg_slice bytes, void *state) {
    stats *current = state;
    if (version != 1) {
        return tg_unknown_version(version);
    }
    tg_string_set(&current->note, tg_text("migrated"));
    return tg_read_state(TG_U64, bytes, &current->count);
}

static const tg_operator second = {
    .state = &stats_type,
    .state_version = 2,
    .on_record = count_with_note,
    .migrate = migrate,
};

TG_TEST(a_new_version_reads_the_old_state) {
    tg_snapshot *first = count_keys(3, 1);
    tg_harness *harness = tg_harness_restore(&second, NULL, first);
    TG_CHECK_OK(tg_harness_send(harness, "key-1", ""));
    TG_CHECK_TEXT(tg_harness_take_text(harness), "key-1 2\nkey-1 migrated!\n");
    tg_harness_close(harness);
    tg_snapshot_free(first);
}

static void check_refused(const tg_operator *definition, const tg_snapshot *snapshot,
                          const char *says) {
    const tg_export exported = {&tg_typed_operator, definition};
    tg_harness *harness;
    TG_CHECK_FAILS(tg_harness_try(&exported, NULL, snapshot, &harness), TG_INCOMPATIBLE_STATE,
                   says);
    tg_harness_close(harness);
}

TG_TEST(another_version_is_refused_unless_the_operator_reads_it) {
    tg_harness *harness = tg_harness_open(&second, NULL);
    TG_CHECK_OK(tg_harness_send(harness, "a", ""));
    tg_snapshot *newer = tg_harness_snapshot(harness);
    tg_harness_close(harness);
    check_refused(&counter, newer, "it has version 2, and this operator reads version 1");
    newer->chunks[0].schema_version = 3;
    check_refused(&second, newer, "this operator does not read version 3");
    tg_snapshot_free(newer);
}

TG_TEST(what_does_not_belong_together_is_refused) {
    tg_snapshot *snapshot = count_keys(200, 1);
    snapshot->chunks[1].key_group = snapshot->chunks[0].key_group;
    check_refused(&counter, snapshot, "it is there twice");
    snapshot->chunks[1].key_group.some = false;
    check_refused(&counter, snapshot, "it has a chunk `keyed`, which this operator did not write");
    tg_snapshot_free(snapshot);

    tg_snapshot *other = count_keys(1, 1);
    const tg_operator stateless = {.on_record = count_with_note};
    check_refused(&stateless, other, "it has keyed state, and this operator keeps none");
    const tg_operator unit = {.state = TG_UNIT, .on_record = count_with_note};
    check_refused(&unit, other, "it has keyed state, and this operator keeps none");
    tg_slice name = other->chunks[0].name;
    other->chunks[0].name = tg_text("items");
    other->chunks[0].key_group.some = false;
    check_refused(&counter, other,
                  "it has 1 items of operator state, and this operator keeps none");
    other->chunks[0].name = name;
    tg_snapshot_free(other);
}

TG_TEST_MAIN(equal_state_gives_equal_bytes_whatever_order_its_keys_came_in,
             every_parallelism_has_the_same_state, a_new_version_reads_the_old_state,
             another_version_is_refused_unless_the_operator_reads_it,
             what_does_not_belong_together_is_refused)
