// Keys and values as numbers and text, in both directions, with the words of the Rust SDK.

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "tidegate/testing.h"

static tg_record record_of(const char *value) {
    tg_record record = {.key = tg_text("7"), .value = tg_text(value), .row = 3};
    return record;
}

TG_TEST(numbers_are_read_within_their_types) {
    tg_record record = record_of("-9223372036854775808");
    int64_t wide;
    TG_CHECK_OK(tg_value_as(&record, &wide));
    TG_CHECK(wide == INT64_MIN);
    record = record_of("18446744073709551615");
    uint64_t most;
    TG_CHECK_OK(tg_value_as(&record, &most));
    TG_CHECK(most == UINT64_MAX);
    record = record_of("-128");
    int8_t small;
    TG_CHECK_OK(tg_value_as(&record, &small));
    TG_CHECK_EQUAL(small, -128);
    uint8_t key;
    TG_CHECK_OK(tg_key_as(&record, &key));
    TG_CHECK_EQUAL(key, 7);
    record = record_of("-0");
    TG_CHECK_OK(tg_value_as(&record, &wide));
    TG_CHECK_EQUAL(wide, 0);
}

TG_TEST(what_is_no_number_blames_its_row_in_the_words_of_rust) {
    static const char *const refused[] = {
        "", "-", "+1", " 1", "1 ", "1.0", "--1", "99999999999999999999", "9223372036854775808",
        "x"};
    for (size_t index = 0; index < sizeof refused / sizeof refused[0]; index++) {
        tg_record record = record_of(refused[index]);
        int64_t number;
        TG_CHECK_FAILS(tg_value_as(&record, &number), TG_INVALID_RECORD,
                       "the value is not a decimal number of type i64");
        TG_CHECK_EQUAL(tg_failure_row(), 3);
    }
    tg_record record = record_of("256");
    uint8_t byte;
    TG_CHECK_FAILS(tg_value_as(&record, &byte), TG_INVALID_RECORD, "of type u8");
    record = record_of("18446744073709551616");
    uint64_t wide;
    TG_CHECK_FAILS(tg_value_as(&record, &wide), TG_INVALID_RECORD, "of type u64");
}

TG_TEST(floats_are_read_in_the_grammar_of_rust) {
    static const char *const fine[] = {"1",    "-1.5", "+.5",       "5.",   "1e3",
                                       "1E-3", "inf",  "-Infinity", "1e999"};
    static const double expected[] = {1, -1.5, .5, 5, 1000, .001, INFINITY, -INFINITY, INFINITY};
    double number;
    for (size_t index = 0; index < sizeof fine / sizeof fine[0]; index++) {
        tg_record record = record_of(fine[index]);
        TG_CHECK_OK(tg_value_as(&record, &number));
        TG_CHECK(number == expected[index]);
    }
    static const char *const refused[] = {"", ".", "e5", "1e", "0x1", " 1", "1 ", "nano", "1.0.0"};
    for (size_t index = 0; index < sizeof refused / sizeof refused[0]; index++) {
        tg_record record = record_of(refused[index]);
        TG_CHECK_FAILS(tg_value_as(&record, &number), TG_INVALID_RECORD, "of type f64");
    }
    tg_record record = record_of("NaN");
    TG_CHECK_OK(tg_value_as(&record, &number));
    TG_CHECK(isnan(number));
}

TG_TEST(eight_bytes_are_read_as_the_lowest_first) {
    tg_record record = {.value = tg_slice_of("\1\0\0\0\0\0\0\200", 8)};
    int64_t number;
    TG_CHECK_OK(tg_value_le64(&record, &number));
    TG_CHECK(number == INT64_MIN + 1);
    record.value.len = 7;
    TG_CHECK_FAILS(tg_value_le64(&record, &number), TG_INVALID_RECORD,
                   "the value is not eight little-endian bytes but 7");
}

TG_TEST(text_is_utf8) {
    static const char *const fine[] = {"",
                                       "a",
                                       "\xc3\xa4",
                                       "\xe6\xbd\xae",
                                       "\xf0\x9f\x8c\x8a",
                                       "\xed\x9f\xbf",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const refused[] = {"\xff",         "\xc3",         "\xc0\x80",
                                          "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                          "\xf0\x9f\x8c", "a\x80"};
    tg_slice text;
    for (size_t index = 0; index < sizeof fine / sizeof fine[0]; index++) {
        tg_record record = record_of(fine[index]);
        TG_CHECK_OK(tg_value_text(&record, &text));
    }
    for (size_t index = 0; index < sizeof refused / sizeof refused[0]; index++) {
        tg_record record = record_of(refused[index]);
        TG_CHECK_FAILS(tg_value_text(&record, &text), TG_INVALID_RECORD,
                       "the value is not UTF-8 text");
    }
}

static void check_written(int64_t number) {
    char expected[32];
    snprintf(expected, sizeof expected, "%" PRId64, number);
    tg_bytes written = {0};
    tg_append_i64(&written, number);
    TG_CHECK(tg_slice_equal(tg_bytes_slice(&written), tg_text(expected)));
    tg_bytes_free(&written);
}

TG_TEST(numbers_are_written_as_printf_writes_them) {
    int64_t power = 1;
    for (int digits = 0; digits < 19; digits++, power *= digits < 19 ? 10 : 1) {
        check_written(power - 1);
        check_written(power);
        check_written(-power);
    }
    check_written(INT64_MIN);
    check_written(INT64_MAX);
    tg_bytes written = {0};
    tg_append_u64(&written, UINT64_MAX);
    TG_CHECK(tg_slice_equal(tg_bytes_slice(&written), tg_text("18446744073709551615")));
    tg_bytes_free(&written);
}

static tg_status emit_all(void *self, const tg_record *record, void *state, tg_output *out) {
    (void)self, (void)state;
    tg_string text = {0};
    tg_string_set(&text, tg_text("owned"));
    tg_emit(out, record->key, record->value);
    tg_emit(out, "text", text);
    tg_emit(out, -1, (uint8_t)255);
    tg_emit_to(out, 1, "side", 2ull);
    tg_emit_at(out, 9, "at", "a text that is longer than two words of eight bytes");
    tg_send(out, 0, TG_NO_TIMESTAMP, "le", tg_le64((int64_t)0x4142434445464748));
    tg_string_free(&text);
    return TG_OK;
}

TG_TEST(everything_that_can_be_emitted_is) {
    static const char *const outputs[] = {"main", "side", NULL};
    const tg_operator definition = {.on_record = emit_all};
    const tg_harness_options options = {.outputs = outputs};
    tg_harness *harness = tg_harness_open(&definition, &options);
    TG_CHECK_OK(tg_harness_send_at(harness, 0, 5, tg_text("k"), tg_text("v")));
    TG_CHECK_EQUAL(tg_harness_emitted(harness, 0).timestamp, 5);
    TG_CHECK_EQUAL(tg_harness_emitted(harness, 3).timestamp, 9);
    TG_CHECK(tg_harness_emitted(harness, 4).timestamp == TG_NO_TIMESTAMP);
    TG_CHECK_TEXT(tg_harness_take_text(harness),
                  "k v\ntext owned\n-1 255\nat a text that is longer than two words of eight "
                  "bytes\nle HGFEDCBA\n1: side 2\n");
    tg_harness_close(harness);
}

static tg_status emit_elsewhere(void *self, const tg_record *record, void *state, tg_output *out) {
    (void)self, (void)record, (void)state;
    tg_emit_to(out, UINT32_MAX, "a", 1);
    return TG_OK;
}

TG_TEST(a_port_that_is_not_there_fails_the_call_and_is_named) {
    const tg_operator definition = {.on_record = emit_elsewhere};
    tg_harness *harness = tg_harness_open(&definition, NULL);
    TG_CHECK_FAILS(tg_harness_send(harness, "a", ""), TG_OTHER,
                   "a record was emitted to output port 4294967295, but the operator has 1");
    tg_harness_close(harness);
}

TG_TEST_MAIN(numbers_are_read_within_their_types,
             what_is_no_number_blames_its_row_in_the_words_of_rust,
             floats_are_read_in_the_grammar_of_rust, eight_bytes_are_read_as_the_lowest_first,
             text_is_utf8, numbers_are_written_as_printf_writes_them,
             everything_that_can_be_emitted_is,
             a_port_that_is_not_there_fails_the_call_and_is_named)
