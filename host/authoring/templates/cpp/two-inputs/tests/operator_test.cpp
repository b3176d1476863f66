// Runs the operator on this machine, without WebAssembly: `ctest` in the build folder.

#include "../src/deliveries.hpp"

#include <tidegate/testing.h>

static constexpr std::uint32_t customers = 1;

static tg_status send(tg_harness *harness, std::uint32_t input, const char *value) {
    return tg_harness_send_at(harness, input, TG_NO_TIMESTAMP, tg_text("ann"), tg_text(value));
}

TG_TEST(an_order_waits_for_the_city_also_over_a_failure) {
    const char *const inputs[] = {"orders", "customers", nullptr};
    tg_harness_options options{};
    options.inputs = inputs;
    tg_harness *harness = tg_harness_open(&tidegate::table_of<deliveries>(), &options);
    TG_CHECK_OK(send(harness, deliveries::orders, "lamp"));
    TG_CHECK_TEXT(tg_harness_take_text(harness), "");
    TG_CHECK_OK(tg_harness_restart(harness));
    TG_CHECK_OK(send(harness, customers, "Oslo"));
    TG_CHECK_OK(send(harness, deliveries::orders, "rug"));
    TG_CHECK_TEXT(tg_harness_take_text(harness), "ann lamp to Oslo\nann rug to Oslo\n");
    tg_harness_close(harness);
}

TG_TEST_MAIN(an_order_waits_for_the_city_also_over_a_failure)
