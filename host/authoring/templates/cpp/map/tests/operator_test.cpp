// Runs the operator on this machine, without WebAssembly: `ctest` in the build folder.

#include "../src/minutes.hpp"

#include <tidegate/testing.h>

TG_TEST(seconds_have_two_digits) {
    tg_harness *harness = tg_harness_open(&tidegate::table_of<minutes>(), nullptr);
    TG_CHECK_OK(tg_harness_send(harness, "ann", "75"));
    TG_CHECK_OK(tg_harness_send(harness, "bob", "9"));
    TG_CHECK_OK(tg_harness_send(harness, "ann", "3600"));
    TG_CHECK_TEXT(tg_harness_take_text(harness), "ann 1:15\nbob 0:09\nann 60:00\n");
    tg_harness_close(harness);
}

TG_TEST(a_value_that_is_no_number_is_rejected) {
    tg_harness *harness = tg_harness_open(&tidegate::table_of<minutes>(), nullptr);
    const tg_status status = tg_harness_send(harness, "ann", "an hour");
    TG_CHECK_FAILS(status, TG_INVALID_RECORD, "not a decimal number");
    tg_harness_close(harness);
}

TG_TEST_MAIN(seconds_have_two_digits, a_value_that_is_no_number_is_rejected)
