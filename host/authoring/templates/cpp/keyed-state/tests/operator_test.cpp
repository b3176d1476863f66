// Runs the operator on this machine, without WebAssembly: `ctest` in the build folder.

#include "../src/total.hpp"

#include <tidegate/testing.h>

TG_TEST(each_key_has_a_total_of_its_own) {
    tg_harness *harness = tg_harness_open(&tidegate::table_of<total>(), nullptr);
    TG_CHECK_OK(tg_harness_send(harness, "apples", "3"));
    TG_CHECK_OK(tg_harness_send(harness, "pears", "5"));
    TG_CHECK_OK(tg_harness_send(harness, "apples", "4"));
    TG_CHECK_TEXT(tg_harness_take_text(harness), "apples 3\npears 5\napples 7\n");
    tg_harness_close(harness);
}

TG_TEST(a_total_goes_on_after_a_failure) {
    tg_harness *harness = tg_harness_open(&tidegate::table_of<total>(), nullptr);
    TG_CHECK_OK(tg_harness_send(harness, "apples", "3"));
    TG_CHECK_OK(tg_harness_restart(harness));
    TG_CHECK_OK(tg_harness_send(harness, "apples", "4"));
    TG_CHECK_TEXT(tg_harness_take_text(harness), "apples 3\napples 7\n");
    tg_harness_close(harness);
}

TG_TEST_MAIN(each_key_has_a_total_of_its_own, a_total_goes_on_after_a_failure)
