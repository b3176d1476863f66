// Runs the operator on this machine, without WebAssembly: `ctest` in the build folder.

#include "../src/shout.hpp"

#include <tidegate/testing.h>

TG_TEST(the_records_before_a_failure_are_counted) {
    const tg_export exported = {&shout::calls, nullptr};
    tg_harness *harness;
    TG_CHECK_OK(tg_harness_try(&exported, nullptr, nullptr, &harness));
    TG_CHECK_OK(tg_harness_send(harness, "a", "The tide"));
    TG_CHECK_OK(tg_harness_restart(harness));
    TG_CHECK_OK(tg_harness_send(harness, "b", "gate 2"));
    TG_CHECK_OK(tg_harness_finish(harness));
    TG_CHECK_TEXT(tg_harness_take_text(harness), "a THE TIDE\nb GATE 2\n 2 records in all\n");
    tg_harness_close(harness);
}

TG_TEST_MAIN(the_records_before_a_failure_are_counted)
