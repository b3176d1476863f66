// Tests of the counter, on this machine.

#include <tidegate/testing.h>

extern const tg_operator count_operator;

static const tg_harness_options FINAL = {.config = "{\"emit\":\"final\"}"};

static void send_three(tg_harness *count) {
    TG_CHECK_OK(tg_harness_send(count, "tide", ""));
    TG_CHECK_OK(tg_harness_send(count, "gate", ""));
    TG_CHECK_OK(tg_harness_send(count, "tide", ""));
}

TG_TEST(updates_carry_the_count_so_far) {
    tg_harness *count = tg_harness_open(&count_operator, NULL);
    send_three(count);
    TG_CHECK_OK(tg_harness_finish(count));
    TG_CHECK_TEXT(tg_harness_take_text(count), "tide 1\ngate 1\ntide 2\n");
    tg_harness_close(count);
}

TG_TEST(final_counts_come_once_and_sorted) {
    tg_harness *count = tg_harness_open(&count_operator, &FINAL);
    send_three(count);
    TG_CHECK_TEXT(tg_harness_take_text(count), "");
    TG_CHECK_OK(tg_harness_finish(count));
    TG_CHECK_TEXT(tg_harness_take_text(count), "gate 1\ntide 2\n");
    tg_harness_close(count);
}

TG_TEST(a_count_goes_on_after_a_failure) {
    tg_harness *count = tg_harness_open(&count_operator, NULL);
    send_three(count);
    tg_snapshot *snapshot = tg_harness_snapshot(count);
    tg_harness_close(count);
    tg_harness *restored = tg_harness_restore(&count_operator, NULL, snapshot);
    TG_CHECK_OK(tg_harness_send(restored, "tide", ""));
    TG_CHECK_TEXT(tg_harness_take_text(restored), "tide 3\n");
    tg_harness_close(restored);
    tg_snapshot_free(snapshot);
}

TG_TEST(a_misspelt_setting_is_refused) {
    const tg_export exported = {&tg_typed_operator, &count_operator};
    const tg_harness_options misspelt = {.config = "{\"emits\":\"final\"}"};
    tg_harness *count;
    TG_CHECK_FAILS(tg_harness_try(&exported, &misspelt, NULL, &count), TG_OTHER,
                   "unknown field `emits`, expected `emit`");
    tg_harness_close(count);
}

TG_TEST_MAIN(updates_carry_the_count_so_far, final_counts_come_once_and_sorted,
             a_count_goes_on_after_a_failure, a_misspelt_setting_is_refused)
