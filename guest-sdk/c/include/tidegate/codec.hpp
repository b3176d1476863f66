// C++ types as types of state and configuration: how each is written, read, and made from JSON.

#ifndef TIDEGATE_CODEC_HPP
#define TIDEGATE_CODEC_HPP

#include <cstdint>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "tidegate/type.h"

namespace tidegate {

/// Bytes, written as such.
using bytes = std::vector<std::uint8_t>;

/// A member of a struct, under its name in configuration.
template <class Struct, class T> struct named_member {
    const char *name;
    T Struct::*at;
};

/// Returns the members of a struct, from TIDEGATE_MEMBER, in the order in which they are written.
template <class... Member> constexpr auto members(Member... member) {
    return std::make_tuple(member...);
}

#define TIDEGATE_MEMBER(struct_type, member)                               \
    ::tidegate::named_member<struct_type, decltype(struct_type::member)> { \
        #member, &struct_type::member                                      \
    }

/// The way in which values of a C++ type are written and read.
template <class T> struct codec;

/// Returns the table of a C++ type, for the C headers. Valid until the program ends.
template <class T> const tg_type *type_of();

namespace detail {

template <class T> constexpr const tg_type *scalar_type() {
    if constexpr (std::is_same_v<T, bool>) {
        return TG_BOOL;
    } else if constexpr (std::is_same_v<T, float>) {
        return TG_F32;
    } else if constexpr (std::is_same_v<T, double>) {
        return TG_F64;
    } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
        return sizeof(T) == 1 ? TG_I8 : sizeof(T) == 2 ? TG_I16 : sizeof(T) == 4 ? TG_I32 : TG_I64;
    } else if constexpr (std::is_integral_v<T>) {
        return sizeof(T) == 1 ? TG_U8 : sizeof(T) == 2 ? TG_U16 : sizeof(T) == 4 ? TG_U32 : TG_U64;
    } else {
        return nullptr;
    }
}

template <class T>
concept scalar = std::is_arithmetic_v<T>;

template <class T>
concept with_members = requires { T::members(); };

// Rejects values that are nested too deep; its destructor leaves the level.
class nesting {
  public:
    explicit nesting(tg_reader *in) : in_(in) { in_->depth += 1; }
    ~nesting() { in_->depth -= 1; }
    nesting(const nesting &) = delete;
    nesting &operator=(const nesting &) = delete;

    tg_status check() const {
        enum { deepest = 100 };
        return in_->depth <= deepest
                   ? TG_OK
                   : tg_incompatible("a value can't be read: it is nested too deep");
    }

  private:
    tg_reader *in_;
};

// Reads the number of items of a list, at most as many as the bytes could hold.
inline tg_status read_count(tg_reader *in, std::size_t least_bytes, std::size_t *count) {
    return tg_read_count(in, least_bytes == 0 ? 1 : least_bytes, count);
}

template <class... T> constexpr std::size_t least_of() { return (codec<T>::least_bytes + ... + 0); }

} // namespace detail

template <detail::scalar T> struct codec<T> {
    static constexpr std::size_t least_bytes = std::is_floating_point_v<T> ? sizeof(T) : 1;
    static tg_status encode(const T &value, tg_bytes *out) {
        return tg_encode(detail::scalar_type<T>(), &value, out);
    }
    static tg_status decode(T &value, tg_reader *in) {
        return tg_decode(detail::scalar_type<T>(), &value, in);
    }
};

template <> struct codec<std::monostate> {
    static constexpr std::size_t least_bytes = 0;
    static tg_status encode(const std::monostate &, tg_bytes *) { return TG_OK; }
    static tg_status decode(std::monostate &, tg_reader *) { return TG_OK; }
};

template <> struct codec<std::string> {
    static constexpr std::size_t least_bytes = 1;
    static tg_status encode(const std::string &value, tg_bytes *out) {
        // Only read, and never freed.
        tg_string text = {const_cast<char *>(value.data()), value.size(), value.size()};
        return tg_encode(TG_STRING, &text, out);
    }
    static tg_status decode(std::string &value, tg_reader *in) {
        tg_string text = {nullptr, 0, 0};
        tg_status status = tg_decode(TG_STRING, &text, in);
        if (status == TG_OK && text.len > 0) {
            value.assign(text.data, text.len);
        }
        tg_string_free(&text);
        return status;
    }
};

template <> struct codec<bytes> {
    static constexpr std::size_t least_bytes = 1;
    static tg_status encode(const bytes &value, tg_bytes *out) {
        tg_write_varint(out, value.size());
        tg_bytes_append(out, tg_slice_of(value.data(), value.size()));
        return TG_OK;
    }
    static tg_status decode(bytes &value, tg_reader *in) {
        std::size_t count = 0;
        TG_TRY(detail::read_count(in, 1, &count));
        value.assign(in->at, in->at + count);
        in->at += count;
        return TG_OK;
    }
};

template <class T> struct codec<std::optional<T>> {
    static constexpr std::size_t least_bytes = 1;
    static tg_status encode(const std::optional<T> &value, tg_bytes *out) {
        tg_bytes_push(out, value.has_value());
        return value ? codec<T>::encode(*value, out) : TG_OK;
    }
    static tg_status decode(std::optional<T> &value, tg_reader *in) {
        bool some = false;
        TG_TRY(tg_decode(TG_BOOL, &some, in));
        return some ? codec<T>::decode(value.emplace(), in) : TG_OK;
    }
};

template <class T> struct codec<std::vector<T>> {
    static constexpr std::size_t least_bytes = 1;
    static tg_status encode(const std::vector<T> &value, tg_bytes *out) {
        tg_write_varint(out, value.size());
        for (const T &item : value) {
            TG_TRY(codec<T>::encode(item, out));
        }
        return TG_OK;
    }
    static tg_status decode(std::vector<T> &value, tg_reader *in) {
        detail::nesting nesting(in);
        TG_TRY(nesting.check());
        std::size_t count = 0;
        TG_TRY(detail::read_count(in, codec<T>::least_bytes, &count));
        for (; count > 0; count--) {
            T item{};
            TG_TRY(codec<T>::decode(item, in));
            value.push_back(std::move(item));
        }
        return TG_OK;
    }
};

template <class Key, class T> struct codec<std::map<Key, T>> {
    static constexpr std::size_t least_bytes = 1;
    static tg_status encode(const std::map<Key, T> &value, tg_bytes *out) {
        tg_write_varint(out, value.size());
        for (const auto &[key, item] : value) {
            TG_TRY(codec<Key>::encode(key, out));
            TG_TRY(codec<T>::encode(item, out));
        }
        return TG_OK;
    }
    static tg_status decode(std::map<Key, T> &value, tg_reader *in) {
        detail::nesting nesting(in);
        TG_TRY(nesting.check());
        std::size_t count = 0;
        TG_TRY(detail::read_count(in, detail::least_of<Key, T>(), &count));
        for (; count > 0; count--) {
            Key key{};
            T item{};
            TG_TRY(codec<Key>::decode(key, in));
            TG_TRY(codec<T>::decode(item, in));
            value.insert_or_assign(std::move(key), std::move(item));
        }
        return TG_OK;
    }
};

template <class... T> struct codec<std::tuple<T...>> {
    static constexpr std::size_t least_bytes = detail::least_of<T...>();
    static tg_status encode(const std::tuple<T...> &value, tg_bytes *out) {
        tg_status status = TG_OK;
        const auto one = [&](const auto &item) {
            status = codec<std::remove_cvref_t<decltype(item)>>::encode(item, out);
            return status == TG_OK;
        };
        std::apply([&](const auto &...item) { (void)(one(item) && ...); }, value);
        return status;
    }
    static tg_status decode(std::tuple<T...> &value, tg_reader *in) {
        tg_status status = TG_OK;
        const auto one = [&](auto &item) {
            status = codec<std::remove_cvref_t<decltype(item)>>::decode(item, in);
            return status == TG_OK;
        };
        std::apply([&](auto &...item) { (void)(one(item) && ...); }, value);
        return status;
    }
};

template <detail::with_members T> struct codec<T> {
    static constexpr std::size_t least_bytes = std::apply(
        [](auto... member) {
            return (
                codec<
                    std::remove_cvref_t<decltype(std::declval<T &>().*(member.at))>>::least_bytes +
                ... + std::size_t{0});
        },
        T::members());
    static tg_status encode(const T &value, tg_bytes *out) {
        tg_status status = TG_OK;
        const auto one = [&](const auto &item) {
            status = codec<std::remove_cvref_t<decltype(item)>>::encode(item, out);
            return status == TG_OK;
        };
        std::apply([&](auto... member) { (void)(one(value.*(member.at)) && ...); }, T::members());
        return status;
    }
    static tg_status decode(T &value, tg_reader *in) {
        tg_status status = TG_OK;
        const auto one = [&](auto &item) {
            status = codec<std::remove_cvref_t<decltype(item)>>::decode(item, in);
            return status == TG_OK;
        };
        std::apply([&](auto... member) { (void)(one(value.*(member.at)) && ...); }, T::members());
        return status;
    }
};

namespace detail {

// Returns a struct as JSON sees it: its members' names, places and types.
template <with_members T> const tg_type *json_type(const T &sample) {
    static std::vector<tg_member> list;
    static tg_type type{};
    if (list.empty()) {
        const char *base = reinterpret_cast<const char *>(&sample);
        const auto one = [&](const char *name, const auto &item) {
            const auto place = reinterpret_cast<const char *>(&item) - base;
            using Item = std::remove_cvref_t<decltype(item)>;
            list.push_back({name, static_cast<std::size_t>(place), sizeof(item), type_of<Item>()});
        };
        std::apply([&](auto... member) { (one(member.name, sample.*(member.at)), ...); },
                   T::members());
        type.kind = TG_KIND_STRUCT;
        type.size = sizeof(T);
        type.members = list.data();
        type.member_count = list.size();
    }
    return &type;
}

template <class T> struct hooks {
    static void init(void *value) { ::new (value) T{}; }
    static void free(void *value) { static_cast<T *>(value)->~T(); }
    static tg_status encode(const void *value, tg_bytes *out) {
        return codec<T>::encode(*static_cast<const T *>(value), out);
    }
    static tg_status decode(void *value, tg_reader *in) {
        return codec<T>::decode(*static_cast<T *>(value), in);
    }
    static tg_status read_json(void *value, tg_slice json) {
        if constexpr (with_members<T>) {
            return tg_read_json(json_type(*static_cast<T *>(value)), json, true, value);
        } else if constexpr (std::is_same_v<T, std::string>) {
            tg_string text = {nullptr, 0, 0};
            tg_status status = tg_read_json(TG_STRING, json, true, &text);
            if (status == TG_OK) {
                static_cast<T *>(value)->assign(text.len == 0 ? "" : text.data, text.len);
            }
            tg_string_free(&text);
            return status;
        } else {
            return tg_fail("this type can't be read from JSON");
        }
    }
};

} // namespace detail

template <class T> const tg_type *type_of() {
    if constexpr (detail::scalar<T>) {
        return detail::scalar_type<T>();
    } else {
        static_assert(alignof(T) <= 8, "a state is aligned to at most eight bytes");
        using Hooks = detail::hooks<T>;
        static const tg_codec calls = {Hooks::init,   Hooks::free,           Hooks::encode,
                                       Hooks::decode, codec<T>::least_bytes, Hooks::read_json};
        static const tg_type type = {TG_KIND_CUSTOM, sizeof(T), 0,       nullptr, nullptr, 0,
                                     nullptr,        0,         nullptr, &calls};
        return &type;
    }
}

/// Lets a function of the C headers make a value, and moves it into `value`.
template <class T, class Read> tg_status read_into(T &value, Read &&read) {
    alignas(T) unsigned char room[sizeof(T)] = {};
    TG_TRY(read(static_cast<void *>(room)));
    T *made = std::launder(reinterpret_cast<T *>(room));
    value = std::move(*made);
    made->~T();
    return TG_OK;
}

} // namespace tidegate

#endif
