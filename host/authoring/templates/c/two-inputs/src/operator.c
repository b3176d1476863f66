// Adds the customer's city to each order. An order waits until the city is known.

#include <tidegate.h>

// The index of the orders among the `inputs` in the job file. The other input is the customers.
enum { ORDERS = 0 };

typedef TG_OPTION_OF(tg_string) maybe_city;
typedef TG_LIST_OF(tg_string) items;

// The state of a customer, part of every checkpoint.
typedef struct customer {
    maybe_city city;
    items waiting; // ordered before the city was known
} customer;

TG_STRUCT(customer_type, customer, TG_MEMBER_AS(customer, city, TG_OPTION(maybe_city, TG_STRING)),
          TG_MEMBER_AS(customer, waiting, TG_LIST(TG_STRING)));

static void deliver(tg_output *out, tg_slice key, tg_slice item, tg_slice city) {
    tg_string delivery = {0};
    tg_string_append(&delivery, item);
    tg_string_append(&delivery, tg_text(" to "));
    tg_string_append(&delivery, city);
    tg_emit(out, key, delivery);
    tg_string_free(&delivery);
}

static tg_status on_record(void *self, const tg_record *record, void *state, tg_output *out) {
    (void)self;
    customer *known = state;
    tg_slice text;
    TG_TRY(tg_value_text(record, &text));
    if (record->input != ORDERS) {
        for (size_t i = 0; i < known->waiting.len; i++) {
            deliver(out, record->key, tg_string_slice(&known->waiting.items[i]), text);
        }
        tg_free(TG_LIST(TG_STRING), &known->waiting);
        known->city.some = true;
        tg_string_set(&known->city.value, text);
    } else if (known->city.some) {
        deliver(out, record->key, text, tg_string_slice(&known->city.value));
    } else {
        tg_string item = {0};
        tg_string_set(&item, text);
        TG_PUSH(&known->waiting, item);
    }
    return TG_OK;
}

// Also for the tests. A configuration, watermarks and more are members of tg_operator.
extern const tg_operator deliveries_operator;
const tg_operator deliveries_operator = {
    .state = &customer_type,
    .on_record = on_record,
};

TG_EXPORT(deliveries_operator);
