// Runs the operator on this machine, without WebAssembly: `ctest` in the build folder.

#include <tidegate/testing.h>

extern const tg_operator deliveries_operator;

enum { ORDERS, CUSTOMERS };

static tg_status send(tg_harness *deliveries, uint32_t input, const char *value) {
    tg_slice ann = tg_text("ann");
    return tg_harness_send_at(deliveries, input, TG_NO_TIMESTAMP, ann, tg_text(value));
}

TG_TEST(an_order_waits_for_the_city_also_over_a_failure) {
    const char *const inputs[] = {"orders", "customers", NULL};
    tg_harness_options options = {.inputs = inputs};
    tg_harness *deliveries = tg_harness_open(&deliveries_operator, &options);
    TG_CHECK_OK(send(deliveries, ORDERS, "lamp"));
    TG_CHECK_TEXT(tg_harness_take_text(deliveries), "");
    TG_CHECK_OK(tg_harness_restart(deliveries));
    TG_CHECK_OK(send(deliveries, CUSTOMERS, "Oslo"));
    TG_CHECK_OK(send(deliveries, ORDERS, "rug"));
    TG_CHECK_TEXT(tg_harness_take_text(deliveries), "ann lamp to Oslo\nann rug to Oslo\n");
    tg_harness_close(deliveries);
}

TG_TEST_MAIN(an_order_waits_for_the_city_also_over_a_failure)
