// Runs the operator on this machine, without WebAssembly: `ctest` in the build folder.

#include <tidegate/testing.h>

extern const tg_raw_operator shout_operator;

TG_TEST(the_records_before_a_failure_are_counted) {
    const tg_export exported = {&shout_operator, NULL};
    tg_harness *shout;
    TG_CHECK_OK(tg_harness_try(&exported, NULL, NULL, &shout));
    TG_CHECK_OK(tg_harness_send(shout, "a", "The tide"));
    TG_CHECK_OK(tg_harness_restart(shout));
    TG_CHECK_OK(tg_harness_send(shout, "b", "gate 2"));
    TG_CHECK_OK(tg_harness_finish(shout));
    TG_CHECK_TEXT(tg_harness_take_text(shout), "a THE TIDE\nb GATE 2\n 2 records in all\n");
    tg_harness_close(shout);
}

TG_TEST_MAIN(the_records_before_a_failure_are_counted)
