// Keys that an attacker has chosen cost as much as any keys, and nothing that is observed depends
// on the seed that ensures this.

#include "keys.h"
#include "random.h"
#include "tidegate/testing.h"

enum { MANY_KEYS = 200000, LONG_KEYS = 1 << 16, PAIRS = 16, LONG_KEY = PAIRS * 16 };

typedef size_t (*make_key)(uint64_t number, uint64_t *words);

static uint64_t inverse(uint64_t odd) {
    uint64_t x = odd;
    for (int round = 0; round < 6; round++) {
        x *= 2 - odd * x;
    }
    return x;
}

// Makes one of many keys that have the same hash in a SplitMix64 with a known seed.
static size_t same_in_split_mix(uint64_t number, uint64_t *words) {
    uint64_t mixed = (uint64_t)0x12345678 << 32 | number;
    mixed *= inverse(0x94d049bb133111eb);
    mixed ^= mixed >> 27 ^ mixed >> 54;
    mixed *= inverse(0xbf58476d1ce4e5b9);
    mixed ^= mixed >> 30 ^ mixed >> 60;
    words[0] = mixed ^ (uint64_t)8 * 0x9e3779b97f4a7c15;
    return 8;
}

static size_t counting(uint64_t number, uint64_t *words) {
    words[0] = number;
    return 8;
}

static size_t high(uint64_t number, uint64_t *words) {
    words[0] = number << 44;
    return 8;
}

// Makes a key that no one chose.
static size_t spread(uint64_t number, uint64_t *words) {
    random_state = number << 20;
    words[0] = random_word();
    return 8;
}

static size_t long_spread(uint64_t number, uint64_t *words) {
    random_state = number << 20;
    for (size_t word = 0; word < LONG_KEY / 8; word++) {
        words[word] = random_word();
    }
    return LONG_KEY;
}

// Makes a key whose pairs of words differ from those of other keys in the uppermost bit, and in the
// result of an odd factor and a shift, so that the second word cancels the change of the first.
static size_t taken_back(uint64_t number, uint64_t *words) {
    for (size_t pair = 0; pair < PAIRS; pair++) {
        uint64_t bit = number >> pair & 1;
        words[2 * pair] = bit << 63;
        words[2 * pair + 1] = bit << 63 | bit << 31;
    }
    return LONG_KEY;
}

// Returns the number of slots read to find every key.
static uint64_t probes_of(uint64_t seed, size_t count, make_key key_of) {
    tg_table table;
    tg_table_init(&table, NULL, seed);
    uint64_t words[LONG_KEY / 8];
    for (uint64_t number = 0; number < count; number++) {
        size_t length = key_of(number, words);
        tg_table_insert(&table, tg_slice_of(words, length), 0);
    }
    size_t length = key_of(count / 2, words);
    TG_CHECK_EQUAL(tg_table_find(&table, tg_slice_of(words, length)), count / 2);
    uint64_t probes = 0;
    for (size_t at = 0; at < table.slot_count; at++) {
        uint64_t slot = table.slots[at];
        if (slot != UINT64_MAX) {
            probes += ((at - (size_t)(slot >> 32)) & (table.slot_count - 1)) + 1;
        }
    }
    tg_table_clear(&table);
    return probes;
}

TG_TEST(keys_that_are_chosen_take_at_most_twice_as_many_probes) {
    static const uint64_t seeds[] = {1, 2, 0x7469646567617465};
    static const make_key chosen[] = {same_in_split_mix, counting, high};
    for (size_t index = 0; index < sizeof seeds / sizeof *seeds; index++) {
        uint64_t good = probes_of(seeds[index], MANY_KEYS, spread);
        for (size_t kind = 0; kind < sizeof chosen / sizeof *chosen; kind++) {
            uint64_t bad = probes_of(seeds[index], MANY_KEYS, chosen[kind]);
            TG_CHECK_EQUAL(bad > 2 * good ? (long long)bad : 0, 0);
        }
        good = probes_of(seeds[index], LONG_KEYS, long_spread);
        uint64_t bad = probes_of(seeds[index], LONG_KEYS, taken_back);
        TG_CHECK_EQUAL(bad > 2 * good ? (long long)bad : 0, 0);
    }
}

static tg_status count(void *self, const tg_record *record, void *state, tg_output *out) {
    (void)self;
    *(uint64_t *)state += 1;
    tg_emit(out, record->key, *(uint64_t *)state);
    return TG_OK;
}

static tg_status emit_and_forget(tg_slice key, void *state, void *argument) {
    tg_output *out = argument;
    tg_emit(out, key, *(uint64_t *)state);
    return TG_OK;
}

static bool is_once(tg_slice key, const void *state, void *out) {
    (void)key;
    (void)out;
    return *(const uint64_t *)state == 1;
}

static tg_status extract_some(void *self, int64_t watermark, tg_keys *keys, tg_output *out) {
    (void)self;
    (void)watermark;
    return tg_keys_extract(keys, is_once, emit_and_forget, out);
}

static const tg_operator counter = {
    .state = TG_U64,
    .on_record = count,
    .on_watermark = extract_some,
};

static tg_harness *run(uint64_t seed) {
    const tg_harness_options options = {.hash_seed = seed};
    tg_harness *harness = tg_harness_open(&counter, &options);
    random_state = 5;
    for (size_t round = 0; round < 5000; round++) {
        uint8_t key[40];
        memset(key, 'k', sizeof key);
        uint64_t number = random_below(2000);
        memcpy(key, &number, sizeof number);
        tg_slice slice = tg_slice_of(key, number % sizeof key);
        TG_CHECK_OK(tg_harness_send_at(harness, 0, TG_NO_TIMESTAMP, slice, tg_text("v")));
        if (round == 2500) {
            TG_CHECK_OK(tg_harness_watermark(harness, 1));
        }
    }
    return harness;
}

TG_TEST(nothing_that_is_observed_depends_on_the_hash_seed) {
    tg_harness *first = run(1);
    tg_harness *second = run(2);
    size_t count = tg_harness_emitted_count(first);
    TG_CHECK_EQUAL(tg_harness_emitted_count(second), count);
    for (size_t index = 0; index < count; index++) {
        tg_emitted left = tg_harness_emitted(first, index);
        tg_emitted right = tg_harness_emitted(second, index);
        TG_CHECK(tg_slice_equal(left.key, right.key) && tg_slice_equal(left.value, right.value));
    }
    tg_snapshot *one = tg_harness_snapshot(first);
    tg_snapshot *other = tg_harness_snapshot(second);
    TG_CHECK(tg_snapshot_equal(one, other));
    const tg_harness_options third = {.hash_seed = 3};
    tg_harness *restored = tg_harness_restore(&counter, &third, one);
    tg_snapshot *again = tg_harness_snapshot(restored);
    TG_CHECK(tg_snapshot_equal(one, again));
    tg_snapshot_free(one);
    tg_snapshot_free(other);
    tg_snapshot_free(again);
    tg_harness_close(first);
    tg_harness_close(second);
    tg_harness_close(restored);
}

TG_TEST_MAIN(keys_that_are_chosen_take_at_most_twice_as_many_probes,
             nothing_that_is_observed_depends_on_the_hash_seed)
