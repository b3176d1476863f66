// Write Tidegate operators in C++20: a class with an on_record, over the C headers.
//
// Header-only, without exceptions and RTTI. State and configuration are std types: integers, bool,
// floats, std::string, std::vector, std::optional, std::map, std::tuple, and structs that list
// their members:
//
//     struct visits {
//         std::uint64_t count = 0;
//         std::vector<std::int64_t> recent;
//         static constexpr auto members() {
//             return tidegate::members(TIDEGATE_MEMBER(visits, count),
//                                      TIDEGATE_MEMBER(visits, recent));
//         }
//     };

#ifndef TIDEGATE_HPP
#define TIDEGATE_HPP

#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "tidegate.h"
#include "tidegate/codec.hpp"

namespace tidegate {

/// The result of every function of an operator: `tidegate::ok`, or the result of `tg_fail` or
/// `invalid`.
using status = tg_status;
inline constexpr status ok = TG_OK;

/// Returns the bytes of a text, valid as long as the text is.
inline tg_slice bytes_of(std::string_view text) { return tg_slice_of(text.data(), text.size()); }

/// Returns bytes as text.
inline std::string_view text_of(tg_slice raw) {
    return {reinterpret_cast<const char *>(raw.data), raw.len};
}

/// Writes one message to the job's log.
inline void log(tg_level level, std::string_view message) { tg_log_text(level, bytes_of(message)); }

/// One record, read in place. Its parts are valid during the call.
class record {
  public:
    explicit record(const tg_record &raw) : raw_(&raw) {}

    std::string_view key() const { return text_of(raw_->key); }
    std::string_view value() const { return text_of(raw_->value); }
    std::uint32_t input() const { return raw_->input; }

    /// Returns the event time in milliseconds since the Unix epoch, if the record has a timestamp.
    std::optional<std::int64_t> timestamp() const {
        return raw_->timestamp == TG_NO_TIMESTAMP ? std::nullopt : std::optional(raw_->timestamp);
    }

    /// Reads the value as a number in decimal text. Blames the record if it is not one.
    template <class Number> [[nodiscard]] status value_as(Number &number) const {
#define TIDEGATE_READ(name, c_type)                 \
    if constexpr (std::is_same_v<Number, c_type>) { \
        return tg_value_##name(raw_, &number);      \
    } else
        TG_NUMBERS(TIDEGATE_READ)
#undef TIDEGATE_READ
        static_assert(!sizeof(Number), "a value is read as an integer of fixed width or a double");
    }

    /// Reads the value as eight little-endian bytes. Blames the record if it has another length.
    [[nodiscard]] status value_le64(std::int64_t &number) const {
        return tg_value_le64_i64(raw_, &number);
    }

    /// Reads the value as text. Blames the record if it is not UTF-8.
    [[nodiscard]] status value_text(std::string_view &text) const {
        tg_slice read;
        const status result = tg_value_text(raw_, &read);
        text = result == ok ? text_of(read) : std::string_view();
        return result;
    }

    /// Returns the failure that rejects this record for a reason.
    [[nodiscard]] status invalid(const char *reason) const {
        return tg_fail_row(raw_->row, "%s", reason);
    }

    /// Returns the record of the C headers.
    const tg_record &raw() const { return *raw_; }

  private:
    const tg_record *raw_;
};

/// Makes a key or a value to emit, from text, bytes, an integer, or `tg_le64_i64(number)`.
template <class T> tg_field field(const T &value) {
    if constexpr (std::is_same_v<T, tg_field>) {
        return value;
    } else if constexpr (std::is_same_v<T, tg_slice>) {
        return tg_field_slice(value);
    } else if constexpr (std::is_same_v<T, bytes>) {
        return tg_field_slice(tg_slice_of(value.data(), value.size()));
    } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
        return tg_field_i64(value);
    } else if constexpr (std::is_integral_v<T>) {
        return tg_field_u64(value);
    } else {
        return tg_field_slice(bytes_of(value));
    }
}

/// The output ports to which an operator emits. A record inherits the timestamp of the record that
/// is being processed.
class output {
  public:
    explicit output(tg_output &raw) : raw_(&raw) {}

    template <class Key, class Value> void emit(const Key &key, const Value &value) {
        emit_to(0, key, value);
    }

    template <class Key, class Value>
    void emit_to(std::uint32_t port, const Key &key, const Value &value) {
        tg_send_fields(raw_, port, raw_->inherited, field(key), field(value));
    }

    template <class Key, class Value>
    void send(std::uint32_t port, std::optional<std::int64_t> timestamp, const Key &key,
              const Value &value) {
        tg_send_fields(raw_, port, timestamp.value_or(TG_NO_TIMESTAMP), field(key), field(value));
    }

  private:
    tg_output *raw_;
};

/// The state of all keys.
template <class State> class keyed_state {
  public:
    explicit keyed_state(tg_keys &raw) : raw_(&raw) {}

    std::size_t size() const { return tg_keys_count(raw_); }

    /// Returns the state of one key, or nullptr if the key has none.
    State *find(std::string_view key) {
        return static_cast<State *>(tg_keys_get(raw_, bytes_of(key)));
    }

    bool erase(std::string_view key) { return tg_keys_remove(raw_, bytes_of(key)); }
    void clear() { tg_keys_clear(raw_); }

    /// Calls `each(key, state)` for all keys, in the order of their bytes.
    template <class Each> void for_each(Each &&each) {
        tg_key_cursor cursor = tg_keys_begin(raw_);
        while (tg_keys_next(&cursor)) {
            each(text_of(cursor.key), *static_cast<State *>(cursor.state));
        }
    }

    /// Takes out the keys for which `is_due(key, state)` is true, and calls `each(key, state)` with
    /// them in the order of their bytes.
    template <class IsDue, class Each> void extract(IsDue &&is_due, Each &&each) {
        std::pair<IsDue &, Each &> calls{is_due, each};
        using Calls = decltype(calls);
        const auto due = [](tg_slice key, const void *state, void *argument) {
            auto &[pick, ignored] = *static_cast<Calls *>(argument);
            return static_cast<bool>(pick(text_of(key), *static_cast<const State *>(state)));
        };
        const auto take = [](tg_slice key, void *state, void *argument) {
            auto &[ignored, call] = *static_cast<Calls *>(argument);
            call(text_of(key), *static_cast<State *>(state));
            return TG_OK;
        };
        (void)tg_keys_extract(raw_, due, take, &calls);
    }

  private:
    tg_keys *raw_;
};

/// The members that an operator class may have. Only `on_record` is required.
///
///     using state = T;                     what is kept for each key; without it, nothing
///     using config = T;                    a struct with `members`; without it, no configuration
///     static constexpr std::uint32_t state_version = 2;
///     status open(const config &, const tg_context &);      or open(const tg_context &)
///     status on_record(const record &, state &, output &);  or without the state
///     static bool is_vacant(const state &);
///     status on_watermark(std::int64_t, keyed_state<state> &, output &);
///     status on_finish(keyed_state<state> &, output &);
///     status on_checkpoint_complete(std::uint64_t);
///     static status migrate(std::uint32_t version, tg_slice bytes, state &);
///     status operator_state(tg_items &);                    with `push_item`
///     status restore_operator_state(const tg_restored_items &);     with `read_item`
template <class Operator> struct definition;

/// Appends one item of operator state.
template <class T> [[nodiscard]] status push_item(tg_items &items, const T &item) {
    return tg_items_push(&items, type_of<T>(), &item);
}

/// Reads an item of operator state.
template <class T>
[[nodiscard]] status read_item(const tg_restored_items &items, std::size_t index, T &item) {
    return read_into(item,
                     [&](void *to) { return tg_items_read(&items, index, type_of<T>(), to); });
}

/// Reads the state of another version, in `migrate`.
template <class T> [[nodiscard]] status read_state(tg_slice written, T &value) {
    return read_into(value, [&](void *to) { return tg_read_state(type_of<T>(), written, to); });
}

namespace detail {

template <class Operator> struct state_of {
    using type = std::monostate;
};
template <class Operator>
    requires requires { typename Operator::state; }
struct state_of<Operator> {
    using type = typename Operator::state;
};

template <class Operator> struct calls {
    using State = typename state_of<Operator>::type;
    static constexpr bool keeps_state = !std::is_same_v<State, std::monostate>;

    static Operator &at(void *self) { return *static_cast<Operator *>(self); }

    static tg_status open(void *self, const void *config, const tg_context *context) {
        Operator *made = ::new (self) Operator();
        if constexpr (requires { typename Operator::config; }) {
            return made->open(*static_cast<const typename Operator::config *>(config), *context);
        } else if constexpr (requires { made->open(*context); }) {
            return made->open(*context);
        } else {
            return TG_OK;
        }
    }

    static void close(void *self) { at(self).~Operator(); }

    static tg_status on_record(void *self, const tg_record *raw, void *state, tg_output *raw_out) {
        record given(*raw);
        output out(*raw_out);
        if constexpr (keeps_state) {
            return at(self).on_record(given, *static_cast<State *>(state), out);
        } else {
            return at(self).on_record(given, out);
        }
    }

    static bool is_vacant(const void *state) {
        return Operator::is_vacant(*static_cast<const State *>(state));
    }

    static tg_status on_watermark(void *self, int64_t watermark, tg_keys *raw, tg_output *raw_out) {
        keyed_state<State> keys(*raw);
        output out(*raw_out);
        return at(self).on_watermark(watermark, keys, out);
    }

    static tg_status on_finish(void *self, tg_keys *raw, tg_output *raw_out) {
        keyed_state<State> keys(*raw);
        output out(*raw_out);
        return at(self).on_finish(keys, out);
    }

    static tg_status on_checkpoint_complete(void *self, uint64_t checkpoint) {
        return at(self).on_checkpoint_complete(checkpoint);
    }

    static tg_status migrate(uint32_t version, tg_slice written, void *state) {
        return Operator::migrate(version, written, *static_cast<State *>(state));
    }

    static tg_status operator_state(void *self, tg_items *items) {
        return at(self).operator_state(*items);
    }

    static tg_status restore_operator_state(void *self, const tg_restored_items *items) {
        return at(self).restore_operator_state(*items);
    }
};

template <class Operator> tg_operator table() {
    using Calls = calls<Operator>;
    tg_operator made{};
    made.instance_size = sizeof(Operator);
    made.open = Calls::open;
    made.close = Calls::close;
    made.on_record = Calls::on_record;
    if constexpr (Calls::keeps_state) {
        made.state = type_of<typename Calls::State>();
    }
    if constexpr (requires { typename Operator::config; }) {
        made.config = type_of<typename Operator::config>();
    }
    if constexpr (requires { Operator::state_version; }) {
        made.state_version = Operator::state_version;
    }
#define TIDEGATE_OPTIONAL(name)                    \
    if constexpr (requires { &Operator::name; }) { \
        made.name = Calls::name;                   \
    }
    TIDEGATE_OPTIONAL(is_vacant)
    TIDEGATE_OPTIONAL(on_watermark)
    TIDEGATE_OPTIONAL(on_finish)
    TIDEGATE_OPTIONAL(on_checkpoint_complete)
    TIDEGATE_OPTIONAL(migrate)
    TIDEGATE_OPTIONAL(operator_state)
    TIDEGATE_OPTIONAL(restore_operator_state)
#undef TIDEGATE_OPTIONAL
    return made;
}

} // namespace detail

/// Returns the table of an operator class, for the C headers: the harness of testing.h takes it.
template <class Operator> const tg_operator &table_of() {
    static const tg_operator table = detail::table<Operator>();
    return table;
}

} // namespace tidegate

#ifdef __wasm__
/// Exports an operator class as the operator of the component. Once, at file level.
#define TIDEGATE_EXPORT(operator_class)                                            \
    extern "C" const tg_export *tg_exported_by_TG_EXPORT(void);                    \
    extern "C" const tg_export *tg_exported_by_TG_EXPORT(void) {                   \
        static const tg_export exported = {&tg_typed_operator,                     \
                                           &tidegate::table_of<operator_class>()}; \
        return &exported;                                                          \
    }                                                                              \
    TG_REQUIRE_SEMICOLON
#else
#define TIDEGATE_EXPORT(operator_class) TG_REQUIRE_SEMICOLON
#endif

#endif
