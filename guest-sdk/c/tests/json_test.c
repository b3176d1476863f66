// Configuration and JSON records, with serde's words.

#include "tidegate/testing.h"

typedef TG_LIST_OF(tg_string) names;
typedef TG_OPTION_OF(uint16_t) maybe_port;

typedef struct settings {
    int emit;
    double ratio;
    int8_t small;
    names hosts;
    maybe_port port;
    bool verbose;
} settings;

TG_STRUCT(settings_type, settings, TG_MEMBER_AS(settings, emit, TG_ENUM("updates", "final")),
          TG_MEMBER(settings, ratio), TG_MEMBER(settings, small),
          TG_MEMBER_AS(settings, hosts, TG_LIST(TG_STRING)),
          TG_MEMBER_AS(settings, port, TG_OPTION(maybe_port, TG_U16)),
          TG_MEMBER(settings, verbose));

static tg_status read(const char *json, settings *into) {
    return tg_read_json(&settings_type, tg_text(json), true, into);
}

TG_TEST(what_is_said_is_read_and_the_rest_keeps_its_default) {
    settings read_settings = {.small = 9};
    TG_CHECK_OK(
        read(" {\"emit\":\"final\", \"ratio\": -1.5e1,\n\"hosts\": [\"a\\u00e4\\ud83c\\udf0a\", "
             "\"\\n\"], \"port\": 80, \"verbose\": true} ",
             &read_settings));
    TG_CHECK_EQUAL(read_settings.emit, 1);
    TG_CHECK(read_settings.ratio == -15);
    TG_CHECK_EQUAL(read_settings.small, 9);
    TG_CHECK_EQUAL(read_settings.hosts.len, 2);
    TG_CHECK(tg_slice_equal(tg_string_slice(&read_settings.hosts.items[0]),
                            tg_text("a\xc3\xa4\xf0\x9f\x8c\x8a")));
    TG_CHECK(read_settings.port.some && read_settings.port.value == 80);
    TG_CHECK(read_settings.verbose);
    tg_free(&settings_type, &read_settings);
}

TG_TEST(what_is_wrong_is_said_as_serde_says_it) {
    static const char *const cases[][2] = {
        {"{\"emits\":1}", "unknown field `emits`, expected one of `emit`, `ratio`, `small`"},
        {"{\"emit\":\"x\"}",
         "`emit`: unknown variant `x`, expected `updates` or `final` at line 1"},
        {"{\"small\":128}", "invalid value: `128`, expected i8"},
        {"{\"small\":1.5}", "expected i8"},
        {"{\"small\":\"1\"}", "invalid type, expected a number"},
        {"{\"port\":-1}", "expected u16"},
        {"{\"verbose\":1}", "invalid type, expected a boolean"},
        {"{\"hosts\":[\"a\"", "EOF while parsing"},
        {"{\"hosts\":[\"\\ud83c \\udf0a\"]}", "lone surrogate"},
        {"{\"hosts\":[\"\xff\"]}", "invalid unicode code point"},
        {"{\"hosts\":[\"\\x\"]}", "invalid escape"},
        {"{} x", "trailing characters"},
        {"{\n\"emit\"\n:2}", "line 3 column 1"},
        {"[]", "expected `{`"},
        {"", "EOF while parsing a value"},
    };
    for (size_t index = 0; index < sizeof cases / sizeof cases[0]; index++) {
        settings read_settings = {0};
        TG_CHECK_FAILS(read(cases[index][0], &read_settings), TG_OTHER, cases[index][1]);
        tg_free(&settings_type, &read_settings);
    }
}

TG_TEST(a_nest_without_end_is_refused) {
    char deep[5000];
    memset(deep, '[', sizeof deep);
    settings read_settings = {0};
    tg_record record = {.value = tg_slice_of(deep, sizeof deep)};
    TG_CHECK_FAILS(tg_value_json(&record, TG_LIST(&settings_type), &(names){0}), TG_INVALID_RECORD,
                   "the value: expected `{`");
    char unknown[5020] = "{\"x\":";
    memcpy(unknown + 5, deep, sizeof deep);
    record.value = tg_slice_of(unknown, 5 + sizeof deep);
    TG_CHECK_FAILS(tg_value_json(&record, &settings_type, &read_settings), TG_INVALID_RECORD,
                   "recursion limit exceeded");
}

TG_TEST(a_record_may_have_members_that_nobody_asked_for) {
    tg_record record = {
        .value = tg_text("{\"x\":{\"y\":[1,null,\"a\\\"\",{}]},\"small\":-3,\"z\":false}"),
    };
    settings read_settings = {0};
    TG_CHECK_OK(tg_value_json(&record, &settings_type, &read_settings));
    TG_CHECK_EQUAL(read_settings.small, -3);
    tg_free(&settings_type, &read_settings);
}

TG_TEST_MAIN(what_is_said_is_read_and_the_rest_keeps_its_default,
             what_is_wrong_is_said_as_serde_says_it, a_nest_without_end_is_refused,
             a_record_may_have_members_that_nobody_asked_for)
