// Runs the operator on this machine, without WebAssembly: `ctest` in the build folder.

#include <tidegate/testing.h>

extern const tg_operator minutes_operator;

TG_TEST(seconds_have_two_digits) {
    tg_harness *minutes = tg_harness_open(&minutes_operator, NULL);
    TG_CHECK_OK(tg_harness_send(minutes, "ann", "75"));
    TG_CHECK_OK(tg_harness_send(minutes, "bob", "9"));
    TG_CHECK_OK(tg_harness_send(minutes, "ann", "3600"));
    TG_CHECK_TEXT(tg_harness_take_text(minutes), "ann 1:15\nbob 0:09\nann 60:00\n");
    tg_harness_close(minutes);
}

TG_TEST(a_value_that_is_no_number_is_rejected) {
    tg_harness *minutes = tg_harness_open(&minutes_operator, NULL);
    tg_status status = tg_harness_send(minutes, "ann", "an hour");
    TG_CHECK_FAILS(status, TG_INVALID_RECORD, "not a decimal number");
    tg_harness_close(minutes);
}

TG_TEST_MAIN(seconds_have_two_digits, a_value_that_is_no_number_is_rejected)
