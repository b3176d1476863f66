// Types of state and of configuration, as tables that describe the layout of a C value.
//
// With such a table the SDK writes and reads state (guest-sdk/FORMAT.md), reads JSON, and frees.
// For every type all zeros is a valid, empty value: 0, no text, no items, no value.

#ifndef TIDEGATE_TYPE_H
#define TIDEGATE_TYPE_H

#include "tidegate/basics.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The kind of a type. The comment names the C type of a value.
typedef enum tg_kind {
    TG_KIND_UNIT,   ///< no memory at all
    TG_KIND_BOOL,   ///< bool
    TG_KIND_U8,     ///< uint8_t
    TG_KIND_U16,    ///< uint16_t
    TG_KIND_U32,    ///< uint32_t
    TG_KIND_U64,    ///< uint64_t
    TG_KIND_I8,     ///< int8_t
    TG_KIND_I16,    ///< int16_t
    TG_KIND_I32,    ///< int32_t
    TG_KIND_I64,    ///< int64_t
    TG_KIND_F32,    ///< float
    TG_KIND_F64,    ///< double
    TG_KIND_STRING, ///< tg_string
    TG_KIND_BYTES,  ///< tg_bytes
    TG_KIND_ENUM,   ///< int, the index of a name
    TG_KIND_OPTION, ///< TG_OPTION_OF(T)
    TG_KIND_LIST,   ///< TG_LIST_OF(T)
    TG_KIND_MAP,    ///< TG_MAP_OF(K, V)
    TG_KIND_STRUCT, ///< a struct, also for a tuple
    TG_KIND_CUSTOM, ///< whatever the functions of its `codec` know
} tg_kind;

typedef struct tg_type tg_type;
typedef struct tg_reader tg_reader;

/// A member of a struct. Its name is its name in configuration and JSON; state has no names.
typedef struct tg_member {
    const char *name;
    /// The member's place in the struct, and its size.
    size_t offset, size;
    const tg_type *type;
} tg_member;

/// Functions for values of a type that the SDK does not know. `tidegate.hpp` uses them.
typedef struct tg_codec {
    /// Makes a default value in zeroed memory.
    void (*init)(void *value);
    /// Frees the memory that the value owns.
    void (*free)(void *value);
    /// Appends the bytes of the value.
    tg_status (*encode)(const void *value, tg_bytes *out);
    /// Reads a value into one that `init` made.
    tg_status (*decode)(void *value, tg_reader *in);
    /// The fewest bytes that a value takes.
    size_t least_bytes;
    /// Reads JSON into a value that `init` made. NULL if the type has no JSON.
    tg_status (*read_json)(void *value, tg_slice json);
} tg_codec;

/// A type. Made by the macros below, and never changed; recursive only through lists and maps.
struct tg_type {
    tg_kind kind;
    /// The number of bytes of a value in memory.
    size_t size;
    /// The place of the value: behind the flag of an option, behind the key of a map's entry.
    size_t value_offset;
    /// The type of a map's keys.
    const tg_type *key;
    /// The type of the values in an option, a list or a map.
    const tg_type *item;
    /// The number of bytes of an entry of a map.
    size_t entry_size;
    const tg_member *members;
    size_t member_count;
    /// The names of an enum's values, `member_count` of them.
    const char *const *names;
    const tg_codec *codec;
};

extern const tg_type tg_type_unit, tg_type_bool;
extern const tg_type tg_type_u8, tg_type_u16, tg_type_u32, tg_type_u64;
extern const tg_type tg_type_i8, tg_type_i16, tg_type_i32, tg_type_i64;
extern const tg_type tg_type_f32, tg_type_f64, tg_type_string, tg_type_bytes;

#define TG_UNIT (&tg_type_unit)
#define TG_BOOL (&tg_type_bool)
#define TG_U8 (&tg_type_u8)
#define TG_U16 (&tg_type_u16)
#define TG_U32 (&tg_type_u32)
#define TG_U64 (&tg_type_u64)
#define TG_I8 (&tg_type_i8)
#define TG_I16 (&tg_type_i16)
#define TG_I32 (&tg_type_i32)
#define TG_I64 (&tg_type_i64)
#define TG_F32 (&tg_type_f32)
#define TG_F64 (&tg_type_f64)
#define TG_STRING (&tg_type_string)
#define TG_BYTES (&tg_type_bytes)

/// The C type of an option: `typedef TG_OPTION_OF(int64_t) maybe_time;`
#define TG_OPTION_OF(c_type) \
    struct {                 \
        bool some;           \
        c_type value;        \
    }

/// The C type of a list; see TG_PUSH.
#define TG_LIST_OF(c_type)    \
    struct {                  \
        c_type *items;        \
        size_t len, capacity; \
    }

/// The C type of a map, which is a list of entries, keys strictly rising; see `tg_map_insert`.
#define TG_MAP_OF(key_type, value_type) \
    struct {                            \
        struct {                        \
            key_type key;               \
            value_type value;           \
        } *items;                       \
        size_t len, capacity;           \
    }

#ifndef __cplusplus

/// The type of a scalar, a tg_string or a tg_bytes, by the C type of an expression.
#define TG_TYPE_OF(expression) \
    _Generic((expression),     \
        bool: TG_BOOL,         \
        uint8_t: TG_U8,        \
        uint16_t: TG_U16,      \
        uint32_t: TG_U32,      \
        uint64_t: TG_U64,      \
        int8_t: TG_I8,         \
        int16_t: TG_I16,       \
        int32_t: TG_I32,       \
        int64_t: TG_I64,       \
        float: TG_F32,         \
        double: TG_F64,        \
        tg_string: TG_STRING,  \
        tg_bytes: TG_BYTES)

/// A member whose C type determines its type: a scalar, a tg_string or a tg_bytes.
#define TG_MEMBER(struct_type, member) \
    TG_MEMBER_AS(struct_type, member, TG_TYPE_OF(((struct_type *)0)->member))

/// A member of a named type. The SDK checks its size when the operator opens.
#define TG_MEMBER_AS(struct_type, member, type) \
    {#member, offsetof(struct_type, member), sizeof(((struct_type *)0)->member), type}

/// Defines `name`, the type of a struct, by its members in the order in which they are written.
#define TG_STRUCT(name, struct_type, ...)                                   \
    static const tg_member name##_members[] = {__VA_ARGS__};                \
    static const tg_type name = {                                           \
        .kind = TG_KIND_STRUCT,                                             \
        .size = sizeof(struct_type),                                        \
        .members = name##_members,                                          \
        .member_count = sizeof(name##_members) / sizeof(name##_members[0]), \
    }

/// The type of an option, for `c_type`, a typedef of TG_OPTION_OF, that holds an `item_type`.
#define TG_OPTION(c_type, item_type)             \
    (&(const tg_type){                           \
        .kind = TG_KIND_OPTION,                  \
        .size = sizeof(c_type),                  \
        .value_offset = offsetof(c_type, value), \
        .item = (item_type),                     \
    })

/// The type of a list of `item_type`, whose C type is a TG_LIST_OF.
#define TG_LIST(item_type)                \
    (&(const tg_type){                    \
        .kind = TG_KIND_LIST,             \
        .size = sizeof(TG_LIST_OF(char)), \
        .item = (item_type),              \
    })

/// The type of a map from `keys` to `values`, whose C type is `TG_MAP_OF(key_type, value_type)`.
#define TG_MAP(key_type, keys, value_type, values) \
    (&(const tg_type){                             \
        .kind = TG_KIND_MAP,                       \
        .size = sizeof(TG_LIST_OF(char)),          \
        .key = (keys),                             \
        .item = (values),                          \
        .value_offset = offsetof(                  \
            struct {                               \
                key_type first;                    \
                value_type second;                 \
            },                                     \
            second),                               \
        .entry_size = sizeof(struct {              \
            key_type first;                        \
            value_type second;                     \
        }),                                        \
    })

/// The type of an `int` that is one of these names in JSON, from 0. In state it is a u32.
#define TG_ENUM(...)                                                                       \
    (&(const tg_type){                                                                     \
        .kind = TG_KIND_ENUM,                                                              \
        .size = sizeof(int),                                                               \
        .names = (const char *const[]){__VA_ARGS__},                                       \
        .member_count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), \
    })

/// Appends `item` to a list: `TG_PUSH(&state->recent, 7)`.
#define TG_PUSH(list, item)                             \
    (tg_list_reserve((list), sizeof *(list)->items, 1), \
     (void)((list)->items[(list)->len++] = (item)))

#endif

/// Makes room for `more` items of `item_size` bytes. `list` is a TG_LIST_OF or TG_MAP_OF.
void tg_list_reserve(void *list, size_t item_size, size_t more);

/// Returns the value of `key` in a map, or NULL. `map` is a TG_MAP_OF, and `key` a key of its type.
void *tg_map_get(const tg_type *type, const void *map, const void *key);

/// Returns the value of `key` in a map; all zeros for a new key. The map keeps `*key`: it takes
/// over the key's memory if `*inserted` is true. The value is valid until the map changes.
void *tg_map_insert(const tg_type *type, void *map, const void *key, bool *inserted);

/// Removes `key` and frees its value. Returns false if the key is not there.
bool tg_map_remove(const tg_type *type, void *map, const void *key);

/// Frees the memory that a value owns, and leaves all zeros.
void tg_free(const tg_type *type, void *value);

/// Appends the bytes of a value, as guest-sdk/FORMAT.md defines them. Fails with `TG_OTHER` if a
/// string is not UTF-8 or the keys of a map do not strictly rise.
tg_status tg_encode(const tg_type *type, const void *value, tg_bytes *out) TG_CHECKED;

/// Reads a value that takes all of `bytes` into `value`, which is all zeros. Fails with
/// `TG_INCOMPATIBLE_STATE`; then there is nothing to free. For `migrate` and items.
tg_status tg_read_state(const tg_type *type, tg_slice bytes, void *value) TG_CHECKED;

/// Reads JSON into `value`. A member that is not named keeps its value; an unknown member is
/// rejected if `strict`. Fails with `TG_OTHER` and the position; `tg_free` frees the parts that
/// were read.
tg_status tg_read_json(const tg_type *type, tg_slice json, bool strict, void *value) TG_CHECKED;

/// The bytes that a codec reads from.
struct tg_reader {
    const uint8_t *at;
    const uint8_t *end;
    /// The depth of nested lists and maps at `at`.
    unsigned depth;
};

/// Reads one value of `type` into zeroed memory; for codecs. The caller frees the parts that were
/// read.
tg_status tg_decode(const tg_type *type, void *value, tg_reader *in) TG_CHECKED;

/// Reads the number of items of a list whose items take at least `least_bytes`; for codecs.
tg_status tg_read_count(tg_reader *in, size_t least_bytes, size_t *count) TG_CHECKED;

/// Appends a number as the format writes lengths; for codecs.
void tg_write_varint(tg_bytes *out, uint64_t number);

/// Returns the fewest bytes that a value of `type` takes when written; for codecs.
size_t tg_least_bytes(const tg_type *type);

#ifdef __cplusplus
}
#endif

#endif
