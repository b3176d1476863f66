// Values by the tables of their types: maps, lists, options, enums, and rejected values.

#include "tidegate/testing.h"

typedef TG_LIST_OF(int64_t) numbers;
typedef TG_OPTION_OF(double) maybe_float;
typedef TG_MAP_OF(tg_string, uint64_t) counts;

typedef struct profile {
    tg_string name;
    numbers recent;
    maybe_float rate;
    counts words;
    int mood;
    bool active;
} profile;

#define COUNTS TG_MAP(tg_string, TG_STRING, uint64_t, TG_U64)

TG_STRUCT(profile_type, profile, TG_MEMBER(profile, name),
          TG_MEMBER_AS(profile, recent, TG_LIST(TG_I64)),
          TG_MEMBER_AS(profile, rate, TG_OPTION(maybe_float, TG_F64)),
          TG_MEMBER_AS(profile, words, COUNTS),
          TG_MEMBER_AS(profile, mood, TG_ENUM("calm", "wild")), TG_MEMBER(profile, active));

static const tg_type *const counts_type = COUNTS;

static void add_word(counts *words, const char *word, uint64_t count) {
    tg_string key = {0};
    tg_string_set(&key, tg_text(word));
    bool inserted;
    uint64_t *value = tg_map_insert(counts_type, words, &key, &inserted);
    *value += count;
    if (!inserted) {
        tg_string_free(&key);
    }
}

static profile sample(void) {
    profile made = {.rate = {true, 1.5}, .mood = 1, .active = true};
    tg_string_set(&made.name, tg_text("ann"));
    TG_PUSH(&made.recent, 7);
    TG_PUSH(&made.recent, -7);
    add_word(&made.words, "tide", 2);
    add_word(&made.words, "gate", 1);
    add_word(&made.words, "tide", 1);
    return made;
}

TG_TEST(a_struct_of_everything_comes_back) {
    profile before = sample();
    tg_bytes bytes = {0};
    TG_CHECK_OK(tg_encode(&profile_type, &before, &bytes));
    profile after = {0};
    TG_CHECK_OK(tg_read_state(&profile_type, tg_bytes_slice(&bytes), &after));
    TG_CHECK(tg_slice_equal(tg_string_slice(&after.name), tg_text("ann")));
    TG_CHECK_EQUAL(after.recent.len, 2);
    TG_CHECK_EQUAL(after.recent.items[1], -7);
    TG_CHECK(after.rate.some && after.rate.value == 1.5);
    TG_CHECK_EQUAL(after.words.len, 2);
    TG_CHECK(tg_slice_equal(tg_string_slice(&after.words.items[0].key), tg_text("gate")));
    TG_CHECK_EQUAL(after.words.items[1].value, 3);
    TG_CHECK_EQUAL(after.mood, 1);
    TG_CHECK(after.active);
    tg_free(&profile_type, &before);
    tg_free(&profile_type, &after);
    tg_bytes_free(&bytes);
}

TG_TEST(every_truncation_is_refused_and_frees_what_was_read) {
    profile before = sample();
    tg_bytes bytes = {0};
    TG_CHECK_OK(tg_encode(&profile_type, &before, &bytes));
    for (size_t length = 0; length < bytes.len; length++) {
        profile after = {0};
        TG_CHECK_FAILS(tg_read_state(&profile_type, tg_slice_of(bytes.data, length), &after),
                       TG_INCOMPATIBLE_STATE, "a value can't be read: it ends too early");
    }
    tg_free(&profile_type, &before);
    tg_bytes_free(&bytes);
}

TG_TEST(a_map_finds_and_removes) {
    counts words = {0};
    add_word(&words, "b", 1);
    add_word(&words, "a", 2);
    tg_string key = {0};
    tg_string_set(&key, tg_text("a"));
    TG_CHECK_EQUAL(*(uint64_t *)tg_map_get(counts_type, &words, &key), 2);
    TG_CHECK(tg_map_remove(counts_type, &words, &key));
    TG_CHECK(!tg_map_remove(counts_type, &words, &key));
    TG_CHECK(tg_map_get(counts_type, &words, &key) == NULL);
    TG_CHECK_EQUAL(words.len, 1);
    tg_string_free(&key);
    tg_free(counts_type, &words);
}

TG_TEST(what_could_not_be_read_again_is_not_written) {
    tg_bytes bytes = {0};
    tg_string text = {0};
    tg_string_set(&text, tg_text("\xff"));
    TG_CHECK_FAILS(tg_encode(TG_STRING, &text, &bytes), TG_OTHER, "a string is not UTF-8");
    int mood = 2;
    TG_CHECK_FAILS(tg_encode(TG_ENUM("calm", "wild"), &mood, &bytes), TG_OTHER,
                   "2 is no value of an enum with 2");
    counts words = {0};
    add_word(&words, "a", 1);
    add_word(&words, "b", 1);
    words.items[0].key.data[0] = 'c';
    TG_CHECK_FAILS(tg_encode(counts_type, &words, &bytes), TG_OTHER, "do not strictly rise");
    tg_free(counts_type, &words);
    tg_string_free(&text);
    tg_bytes_free(&bytes);
}

typedef struct tree {
    TG_LIST_OF(struct tree) children;
} tree;

static const tg_type tree_type;
static const tg_type tree_list = {
    .kind = TG_KIND_LIST,
    .size = sizeof(tree),
    .item = &tree_type,
};
static const tg_member tree_members[] = {{"children", 0, sizeof(tree), &tree_list}};
static const tg_type tree_type = {
    .kind = TG_KIND_STRUCT,
    .size = sizeof(tree),
    .members = tree_members,
    .member_count = 1,
};

TG_TEST(a_nest_without_end_is_refused_before_the_stack_is) {
    uint8_t ones[100000];
    memset(ones, 1, sizeof ones);
    tree read = {0};
    TG_CHECK_FAILS(tg_read_state(&tree_type, tg_slice_of(ones, sizeof ones), &read),
                   TG_INCOMPATIBLE_STATE, "it is nested too deep");
    ones[50] = 0;
    TG_CHECK_OK(tg_read_state(&tree_type, tg_slice_of(ones, 51), &read));
    tg_free(&tree_type, &read);
}

TG_TEST(a_count_that_the_bytes_could_not_hold_reserves_nothing) {
    const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff, 0x0f, 1};
    numbers read = {0};
    TG_CHECK_FAILS(tg_read_state(TG_LIST(TG_I64), tg_slice_of(huge, sizeof huge), &read),
                   TG_INCOMPATIBLE_STATE, "it ends too early");
}

TG_TEST_MAIN(a_struct_of_everything_comes_back, every_truncation_is_refused_and_frees_what_was_read,
             a_map_finds_and_removes, what_could_not_be_read_again_is_not_written,
             a_nest_without_end_is_refused_before_the_stack_is,
             a_count_that_the_bytes_could_not_hold_reserves_nothing)
