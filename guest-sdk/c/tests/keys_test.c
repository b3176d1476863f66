// The state of all keys against a plain model, and in order.

#include "keys.h"
#include "random.h"
#include "tidegate/testing.h"

enum { KEYS = 400, STEPS = 60000 };

// Makes keys of many lengths: 0 to 36 bytes.
static tg_slice key_of(size_t number, uint8_t *room) {
    size_t length = number % 10 * 4;
    memset(room, 'x', 40);
    room[0] = (uint8_t)number;
    room[length == 0 ? 0 : length - 1] ^= (uint8_t)(number >> 4);
    room[length / 2] = (uint8_t)(number / 10);
    return tg_slice_of(room, length);
}

static size_t representative(size_t number) { return number % 10 == 0 ? 0 : number; }

static const tg_context CONTEXT = {
    .parallelism = 1,
    .max_parallelism = 8,
    .last_key_group = 7,
};

static void check_against(tg_keys *keys, const uint64_t *model) {
    uint8_t room[40];
    size_t there = 0;
    for (size_t number = 1; number < KEYS; number++) {
        if (representative(number) != number) {
            continue;
        }
        uint64_t *state = tg_keys_get(keys, key_of(number, room));
        TG_CHECK_EQUAL(state == NULL ? 0 : *state, model[number]);
        there += model[number] != 0;
    }
    there += model[0] != 0;
    TG_CHECK_EQUAL(tg_keys_count(keys), there);
    tg_key_cursor cursor = tg_keys_begin(keys);
    uint8_t last[40];
    tg_slice last_key = {last, 0};
    size_t seen = 0;
    while (tg_keys_next(&cursor)) {
        TG_CHECK(seen == 0 || tg_slice_compare(last_key, cursor.key) < 0);
        memcpy(last, cursor.key.data, cursor.key.len);
        last_key.len = cursor.key.len;
        seen += 1;
    }
    TG_CHECK_EQUAL(seen, there);
}

static bool is_many(tg_slice key, const void *state, void *argument) {
    (void)key, (void)argument;
    return *(const uint64_t *)state > 3;
}

static tg_status add_up(tg_slice key, void *state, void *argument) {
    (void)key;
    *(uint64_t *)argument += *(uint64_t *)state;
    return TG_OK;
}

static uint64_t extract_from(uint64_t *model) {
    uint64_t all = 0;
    for (size_t number = 0; number < KEYS; number++) {
        if (model[number] > 3) {
            all += model[number];
            model[number] = 0;
        }
    }
    return all;
}

static void step(tg_keys *keys, uint64_t *model) {
    uint8_t room[40];
    size_t number = representative(random_below(KEYS));
    tg_slice key = key_of(number, room);
    size_t kind = random_below(100);
    if (kind < 60) {
        uint32_t place;
        TG_CHECK_OK(tg_keys_place(keys, key, &place));
        *(uint64_t *)tg_entry_state(tg_table_entry(&keys->table, place)) += 1;
        model[number] += 1;
    } else if (kind < 99) {
        TG_CHECK_EQUAL(tg_keys_remove(keys, key), model[number] != 0);
        model[number] = 0;
    } else {
        uint64_t extracted = 0;
        TG_CHECK_OK(tg_keys_extract(keys, is_many, add_up, &extracted));
        TG_CHECK_EQUAL(extracted, extract_from(model));
    }
}

TG_TEST(it_is_a_map_that_can_be_read_in_order) {
    seed_random(7);
    tg_keys keys;
    tg_keys_init(&keys, TG_U64, &CONTEXT);
    uint64_t model[KEYS] = {0};
    for (size_t count = 0; count < STEPS; count++) {
        step(&keys, model);
        if (count % 1000 == 0) {
            check_against(&keys, model);
        }
    }
    check_against(&keys, model);
    tg_keys_clear(&keys);
    TG_CHECK_EQUAL(tg_keys_count(&keys), 0);
}

// A call for each word that two keys have in common would need more stack than there is.
TG_TEST(long_keys_that_differ_at_the_end_are_brought_in_order) {
    enum { LENGTH = 1 << 20 };
    tg_keys keys;
    tg_keys_init(&keys, TG_U64, &CONTEXT);
    uint8_t *bytes = tg_alloc_zeroed(LENGTH);
    for (uint8_t number = 5; number > 0; number--) {
        uint32_t place;
        bytes[LENGTH - 1] = number / 2;
        TG_CHECK_OK(tg_keys_place(&keys, tg_slice_of(bytes, LENGTH - number % 2), &place));
    }
    TG_CHECK_EQUAL(tg_keys_count(&keys), 3);
    tg_key_cursor cursor = tg_keys_begin(&keys);
    for (uint8_t number = 0; tg_keys_next(&cursor); number++) {
        TG_CHECK_EQUAL(cursor.key.len, number == 0 ? LENGTH - 1 : LENGTH);
        TG_CHECK_EQUAL(cursor.key.data[cursor.key.len - 1], number);
    }
    tg_keys_clear(&keys);
    tg_dealloc(bytes);
}

TG_TEST(a_state_stays_at_its_address) {
    tg_keys keys;
    tg_keys_init(&keys, TG_U64, &CONTEXT);
    uint32_t first;
    TG_CHECK_OK(tg_keys_place(&keys, tg_text("first"), &first));
    const void *address = tg_entry_state(tg_table_entry(&keys.table, first));
    for (uint64_t number = 0; number < 5000; number++) {
        uint32_t place;
        TG_CHECK_OK(tg_keys_place(&keys, tg_slice_of(&number, sizeof number), &place));
    }
    TG_CHECK(tg_keys_get(&keys, tg_text("first")) == address);
    tg_keys_clear(&keys);
}

TG_TEST(a_key_of_another_subtask_is_refused_with_what_helps) {
    tg_context context = CONTEXT;
    context.first_key_group = 8;
    tg_keys keys;
    tg_keys_init(&keys, TG_U64, &context);
    uint32_t place;
    TG_CHECK_FAILS(tg_keys_place(&keys, tg_text("a\"\n"), &place), TG_OTHER,
                   "the key \"a\\\"\\x0a\" belongs to key group");
    TG_CHECK(strstr(tg_failure_reason(), "use state by key needs `partition = \"hash\"`") != NULL);
}

TG_TEST_MAIN(it_is_a_map_that_can_be_read_in_order,
             long_keys_that_differ_at_the_end_are_brought_in_order, a_state_stays_at_its_address,
             a_key_of_another_subtask_is_refused_with_what_helps)
