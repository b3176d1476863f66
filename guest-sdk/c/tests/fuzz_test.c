// Any bytes as a chunk of state, a value or JSON, under the sanitizers: no read goes beyond their
// end, nothing leaks, and accepted bytes are written again as they were.

#include "chunk.h"
#include "random.h"
#include "tidegate/testing.h"

enum { RUNS = 60000, LONGEST = 200 };

typedef TG_LIST_OF(tg_string) texts;
typedef TG_OPTION_OF(float) maybe;
typedef TG_MAP_OF(tg_bytes, int32_t) numbers;

typedef struct everything {
    bool flag;
    uint16_t small;
    int64_t wide;
    double real;
    texts names;
    maybe rate;
    numbers counts;
} everything;

TG_STRUCT(everything_type, everything, TG_MEMBER(everything, flag), TG_MEMBER(everything, small),
          TG_MEMBER(everything, wide), TG_MEMBER(everything, real),
          TG_MEMBER_AS(everything, names, TG_LIST(TG_STRING)),
          TG_MEMBER_AS(everything, rate, TG_OPTION(maybe, TG_F32)),
          TG_MEMBER_AS(everything, counts, TG_MAP(tg_bytes, TG_BYTES, int32_t, TG_I32)));

#define SEED(text) {text, sizeof text - 1}

static const struct {
    const char *bytes;
    size_t length;
} SEEDS[] = {
    SEED("TGK\1\2\0\1\x07\4tide\1\x09"),
    SEED("TGK\1\3\1a\1\1\1b\1\2\x0a"
         "a long one\1\3"),
    SEED("\1\x83\1\x7f"
         "12345678\2\1a\2bc\1"
         "1234\1\1k\5"),
    SEED("{\"names\":[\"a\\u00e4\"],\"rate\":1.5e3,\"flag\":true,\"x\":{\"y\":[null,\"\\n\"]}}"),
};

// Returns a seed that was cut, flipped, repeated or overwritten, or only noise. Its length is
// exact.
static uint8_t *random_input(size_t *length) {
    size_t seed = random_below(5);
    uint8_t bytes[LONGEST];
    *length = seed == 4 ? random_below(40) : SEEDS[seed].length;
    for (size_t at = 0; at < *length; at++) {
        bytes[at] = seed == 4 ? (uint8_t)random_word() : (uint8_t)SEEDS[seed].bytes[at];
    }
    for (size_t changes = random_below(5); changes > 0 && *length > 0; changes--) {
        size_t at = random_below(*length);
        switch (random_below(5)) {
        case 0:
            *length = at;
            break;
        case 1:
            bytes[at] ^= (uint8_t)(1u << random_below(8));
            break;
        case 2:
            bytes[at] = 0xff;
            break;
        case 3:
            bytes[at] = (uint8_t)random_below(8);
            break;
        default:
            if (*length * 2 <= LONGEST) {
                memcpy(bytes + *length, bytes, *length);
                *length *= 2;
            }
        }
    }
    uint8_t *exact = tg_alloc(*length);
    if (*length > 0) {
        memcpy(exact, bytes, *length);
    }
    return exact;
}

static tg_status nothing(void *self, const tg_record *record, void *state, tg_output *out) {
    (void)self, (void)record, (void)state, (void)out;
    return TG_OK;
}

// Returns true if the chunk was accepted.
static bool restore(const tg_type *type, tg_slice bytes) {
    const tg_operator definition = {.state = type, .on_record = nothing};
    const tg_export exported = {&tg_typed_operator, &definition};
    const tg_harness_options options = {.max_parallelism = 1};
    tg_state_chunk chunk = {tg_text("keyed"), 1, {true, 0}, bytes};
    const tg_snapshot given = {&chunk, 1};
    tg_harness *harness;
    tg_status status = tg_harness_try(&exported, &options, &given, &harness);
    if (status == TG_OK) {
        tg_snapshot *written = tg_harness_snapshot(harness);
        TG_CHECK(tg_snapshot_equal(written, &given));
        tg_snapshot_free(written);
    } else {
        TG_CHECK_EQUAL(status, TG_INCOMPATIBLE_STATE);
    }
    tg_harness_close(harness);
    return status == TG_OK;
}

TG_TEST(any_bytes_as_a_chunk_of_state) {
    seed_random(11);
    size_t accepted = 0;
    for (size_t run = 0; run < RUNS; run++) {
        size_t length;
        uint8_t *input = random_input(&length);
        // A u8 has one form, so that accepted bytes are the bytes that are written.
        accepted += restore(TG_U8, tg_slice_of(input, length));
        tg_dealloc(input);
    }
    TG_CHECK(accepted > 100 && accepted < RUNS);
}

TG_TEST(any_bytes_as_a_value) {
    seed_random(12);
    size_t accepted = 0;
    for (size_t run = 0; run < RUNS; run++) {
        size_t length;
        uint8_t *input = random_input(&length);
        everything value = {0};
        if (tg_read_state(&everything_type, tg_slice_of(input, length), &value) == TG_OK) {
            tg_bytes once = {0};
            tg_bytes twice = {0};
            everything again = {0};
            TG_CHECK_OK(tg_encode(&everything_type, &value, &once));
            TG_CHECK_OK(tg_read_state(&everything_type, tg_bytes_slice(&once), &again));
            TG_CHECK_OK(tg_encode(&everything_type, &again, &twice));
            TG_CHECK(tg_slice_equal(tg_bytes_slice(&once), tg_bytes_slice(&twice)));
            tg_free(&everything_type, &again);
            tg_bytes_free(&once);
            tg_bytes_free(&twice);
            accepted += 1;
        }
        tg_free(&everything_type, &value);
        tg_dealloc(input);
    }
    TG_CHECK(accepted > 100 && accepted < RUNS);
}

TG_TEST(any_bytes_as_json) {
    seed_random(13);
    size_t accepted = 0;
    for (size_t run = 0; run < RUNS; run++) {
        size_t length;
        uint8_t *input = random_input(&length);
        everything value = {0};
        tg_slice json = tg_slice_of(input, length);
        accepted += tg_read_json(&everything_type, json, false, &value) == TG_OK;
        tg_free(&everything_type, &value);
        tg_dealloc(input);
    }
    TG_CHECK(accepted > 100 && accepted < RUNS);
}

TG_TEST_MAIN(any_bytes_as_a_chunk_of_state, any_bytes_as_a_value, any_bytes_as_json)
