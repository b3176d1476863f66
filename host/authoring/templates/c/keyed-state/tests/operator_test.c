// Runs the operator on this machine, without WebAssembly: `ctest` in the build folder.

#include <tidegate/testing.h>

extern const tg_operator total_operator;

TG_TEST(each_key_has_a_total_of_its_own) {
    tg_harness *total = tg_harness_open(&total_operator, NULL);
    TG_CHECK_OK(tg_harness_send(total, "apples", "3"));
    TG_CHECK_OK(tg_harness_send(total, "pears", "5"));
    TG_CHECK_OK(tg_harness_send(total, "apples", "4"));
    TG_CHECK_TEXT(tg_harness_take_text(total), "apples 3\npears 5\napples 7\n");
    tg_harness_close(total);
}

TG_TEST(a_total_goes_on_after_a_failure) {
    tg_harness *total = tg_harness_open(&total_operator, NULL);
    TG_CHECK_OK(tg_harness_send(total, "apples", "3"));
    tg_snapshot *snapshot = tg_harness_snapshot(total);
    tg_harness_close(total);

    tg_harness *restored = tg_harness_restore(&total_operator, NULL, snapshot);
    TG_CHECK_OK(tg_harness_send(restored, "apples", "4"));
    TG_CHECK_TEXT(tg_harness_take_text(restored), "apples 7\n");
    tg_harness_close(restored);
    tg_snapshot_free(snapshot);
}

TG_TEST_MAIN(each_key_has_a_total_of_its_own, a_total_goes_on_after_a_failure)
