// Operators in C++: state of std types, configuration, and the same bytes as in C.

#include <tidegate.hpp>

#include "tidegate/testing.h"

namespace {

struct visits {
    std::uint64_t count = 0;
    std::string name;
    std::vector<std::int64_t> recent;
    std::optional<double> rate;
    std::map<std::string, std::uint32_t> words;
    std::tuple<bool, tidegate::bytes> rest;

    static constexpr auto members() {
        return tidegate::members(TIDEGATE_MEMBER(visits, count), TIDEGATE_MEMBER(visits, name),
                                 TIDEGATE_MEMBER(visits, recent), TIDEGATE_MEMBER(visits, rate),
                                 TIDEGATE_MEMBER(visits, words), TIDEGATE_MEMBER(visits, rest));
    }
};

struct limits {
    std::int64_t most = 2;
    std::string label = "none";

    static constexpr auto members() {
        return tidegate::members(TIDEGATE_MEMBER(limits, most), TIDEGATE_MEMBER(limits, label));
    }
};

class visitor {
  public:
    using state = visits;
    using config = limits;

    tidegate::status open(const config &given, const tg_context &) {
        given_ = given;
        return tidegate::ok;
    }

    tidegate::status on_record(const tidegate::record &record, state &seen, tidegate::output &out) {
        std::int64_t at = 0;
        TG_TRY(record.value_as(at));
        if (at > given_.most) {
            return record.invalid("too many");
        }
        seen.count += 1;
        seen.name = record.key();
        seen.recent.push_back(at);
        seen.rate = 0.5;
        seen.words[seen.name] += 1;
        seen.rest = {true, {1, 2}};
        out.emit(record.key(), seen.count);
        out.emit(given_.label, -1);
        return tidegate::ok;
    }

    static bool is_vacant(const state &seen) { return seen.count == 0; }

    tidegate::status on_finish(tidegate::keyed_state<state> &keys, tidegate::output &out) {
        keys.extract([](std::string_view key, const state &) { return key != "kept"; },
                     [&](std::string_view key, state &seen) { out.emit(key, seen.recent.size()); });
        keys.for_each([&](std::string_view key, state &seen) { out.emit(key, seen.count); });
        return tidegate::ok;
    }

    tidegate::status operator_state(tg_items &items) {
        return tidegate::push_item(items, given_.label);
    }

    tidegate::status restore_operator_state(const tg_restored_items &items) {
        std::string label;
        TG_TRY(tidegate::read_item(items, 0, label));
        given_.label = label + "!";
        return tidegate::ok;
    }

  private:
    config given_;
};

class plain {
  public:
    tidegate::status on_record(const tidegate::record &record, tidegate::output &out) {
        out.send(0, record.timestamp(), record.value(), record.key());
        return tidegate::ok;
    }
};

} // namespace

TG_TEST(a_class_is_an_operator) {
    tg_harness_options options{};
    options.config = R"({"most":3,"label":"l"})";
    tg_harness *harness = tg_harness_open(&tidegate::table_of<visitor>(), &options);
    TG_CHECK_OK(tg_harness_send(harness, "a", "3"));
    TG_CHECK_FAILS(tg_harness_send(harness, "a", "4"), TG_INVALID_RECORD, "too many");
    TG_CHECK_OK(tg_harness_send(harness, "kept", "1"));
    TG_CHECK_TEXT(tg_harness_take_text(harness), "a 1\nl -1\nkept 1\nl -1\n");
    TG_CHECK_OK(tg_harness_finish(harness));
    TG_CHECK_TEXT(tg_harness_take_text(harness), "a 1\nkept 1\n");
    tg_harness_close(harness);
}

TG_TEST(state_of_std_types_comes_back) {
    tg_harness *harness = tg_harness_open(&tidegate::table_of<visitor>(), nullptr);
    TG_CHECK_OK(tg_harness_send(harness, "a", "1"));
    tg_snapshot *snapshot = tg_harness_snapshot(harness);
    tg_harness_close(harness);
    // count, name, recent, rate, words, rest, as the format says.
    const char expected[] = "TGK\1\1\1a\x16\1\1a\1\2\1\0\0\0\0\0\0\xe0\x3f\1\1a\1\1\2\1\2";
    TG_CHECK(tg_slice_equal(snapshot->chunks[0].bytes, tg_slice_of(expected, sizeof expected - 1)));
    tg_harness *restored = tg_harness_restore(&tidegate::table_of<visitor>(), nullptr, snapshot);
    TG_CHECK_OK(tg_harness_send(restored, "a", "2"));
    TG_CHECK_TEXT(tg_harness_take_text(restored), "a 2\nnone! -1\n");
    tg_harness_close(restored);
    tg_snapshot_free(snapshot);
}

TG_TEST(truncated_state_is_refused) {
    visits value;
    value.words["a"] = 1;
    value.recent = {1, 2, 3};
    tg_bytes bytes{};
    TG_CHECK_OK(tg_encode(tidegate::type_of<visits>(), &value, &bytes));
    for (std::size_t length = 0; length < bytes.len; length++) {
        visits read;
        TG_CHECK_FAILS(tidegate::read_state(tg_slice_of(bytes.data, length), read),
                       TG_INCOMPATIBLE_STATE, "it ends too early");
    }
    tg_bytes_free(&bytes);
}

TG_TEST(a_class_without_state_and_configuration_is_one_too) {
    tg_harness *harness = tg_harness_open(&tidegate::table_of<plain>(), nullptr);
    TG_CHECK_OK(tg_harness_send(harness, "k", "v"));
    TG_CHECK_TEXT(tg_harness_take_text(harness), "v k\n");
    tg_harness_close(harness);
}

TG_TEST(a_misspelt_setting_is_refused) {
    const tg_export exported = {&tg_typed_operator, &tidegate::table_of<visitor>()};
    tg_harness_options options{};
    options.config = R"({"mots":3})";
    tg_harness *harness;
    TG_CHECK_FAILS(tg_harness_try(&exported, &options, nullptr, &harness), TG_OTHER,
                   "unknown field `mots`, expected `most` or `label`");
    tg_harness_close(harness);
}

TG_TEST_MAIN(a_class_is_an_operator, state_of_std_types_comes_back, truncated_state_is_refused,
             a_class_without_state_and_configuration_is_one_too, a_misspelt_setting_is_refused)
