// Types and values of the vectors, from their JSON.

#include "vector_value.h"

#include <stdio.h>
#include <stdlib.h>

#include "decimal.h"

enum { MOST_TYPES = 4096 };

void must(tg_status status) {
    if (status != TG_OK) {
        fprintf(stderr, "%s\n", tg_failure_reason());
        exit(EXIT_FAILURE);
    }
}

tg_json json_of(tg_slice text) {
    tg_json json = {text.data, text.data, text.data + text.len, 0};
    return json;
}

tg_slice next_json(tg_json *json) {
    tg_json_peek(json);
    const uint8_t *start = json->at;
    must(tg_json_skip(json));
    return tg_slice_of(start, (size_t)(json->at - start));
}

object read_object(tg_slice text) {
    object read = {0};
    tg_json json = json_of(text);
    must(tg_json_expect(&json, '{'));
    bool more;
    must(tg_json_next(&json, '}', true, &more));
    while (more) {
        must(tg_json_string(&json, &read.names[read.count]));
        must(tg_json_expect(&json, ':'));
        read.values[read.count++] = next_json(&json);
        must(tg_json_next(&json, '}', false, &more));
    }
    return read;
}

void free_object(object *read) {
    for (size_t index = 0; index < read->count; index++) {
        tg_bytes_free(&read->names[index]);
    }
}

static const tg_slice *find(const object *read, const char *name) {
    for (size_t index = 0; index < read->count; index++) {
        if (tg_slice_equal(tg_bytes_slice(&read->names[index]), tg_text(name))) {
            return &read->values[index];
        }
    }
    return NULL;
}

bool has_member(const object *read, const char *name) { return find(read, name) != NULL; }

tg_slice member(const object *read, const char *name) {
    const tg_slice *found = find(read, name);
    if (found == NULL) {
        fprintf(stderr, "a case has no `%s`\n", name);
        exit(EXIT_FAILURE);
    }
    return *found;
}

tg_bytes string_of(tg_slice text) {
    tg_bytes read = {0};
    tg_json json = json_of(text);
    must(tg_json_string(&json, &read));
    return read;
}

static uint8_t digit_of(uint8_t letter) {
    return (uint8_t)(letter >= 'a' ? letter - 'a' + 10 : letter - '0');
}

tg_bytes hex_of(tg_slice json) {
    tg_bytes text = string_of(json);
    tg_bytes bytes = {0};
    for (size_t at = 0; at + 1 < text.len; at += 2) {
        tg_bytes_push(&bytes,
                      (uint8_t)(digit_of(text.data[at]) << 4 | digit_of(text.data[at + 1])));
    }
    tg_bytes_free(&text);
    return bytes;
}

uint64_t number_of(tg_slice json) {
    bool is_quoted = json.data[0] == '"';
    tg_slice text = is_quoted ? tg_slice_of(json.data + 1, json.len - 2) : json;
    tg_decimal number;
    if (!tg_parse_decimal(text, true, &number)) {
        exit(EXIT_FAILURE);
    }
    return number.negative ? 0 - number.magnitude : number.magnitude;
}

static tg_type *new_type(tg_kind kind) {
    static tg_type types[MOST_TYPES];
    static size_t count;
    tg_type *type = &types[count++];
    type->kind = kind;
    return type;
}

static const tg_type *scalar(const tg_bytes *name) {
    static const char *const names[] = {"unit", "bool", "u8",  "u16", "u32", "u64",    "i8",
                                        "i16",  "i32",  "i64", "f32", "f64", "string", "bytes"};
    static const tg_type *const types[] = {TG_UNIT, TG_BOOL, TG_U8,     TG_U16,  TG_U32,
                                           TG_U64,  TG_I8,   TG_I16,    TG_I32,  TG_I64,
                                           TG_F32,  TG_F64,  TG_STRING, TG_BYTES};
    for (size_t index = 0; index < sizeof names / sizeof names[0]; index++) {
        if (tg_slice_equal(tg_text(names[index]), tg_bytes_slice(name))) {
            return types[index];
        }
    }
    exit(EXIT_FAILURE);
}

// Returns the place of the next member behind `size` bytes; aligned for everything.
static size_t place_after(size_t size) { return (size + 7) / 8 * 8; }

static const tg_type *tuple(tg_slice text) {
    static tg_member members[MOST_TYPES];
    static size_t member_count;
    tg_type *type = new_type(TG_KIND_STRUCT);
    type->members = &members[member_count];
    tg_json json = json_of(text);
    must(tg_json_expect(&json, '['));
    bool more;
    must(tg_json_next(&json, ']', true, &more));
    // The inner types are made first: their members must not lie between those of this type.
    const tg_type *inner[8];
    while (more) {
        inner[type->member_count++] = type_of(next_json(&json));
        must(tg_json_next(&json, ']', false, &more));
    }
    type->members = &members[member_count];
    for (size_t index = 0; index < type->member_count; index++) {
        tg_member made = {"", place_after(type->size), inner[index]->size, inner[index]};
        members[member_count++] = made;
        type->size = made.offset + made.size;
    }
    type->size = place_after(type->size);
    return type;
}

static const tg_type *map(tg_slice text) {
    tg_type *type = new_type(TG_KIND_MAP);
    tg_json json = json_of(text);
    must(tg_json_expect(&json, '['));
    type->key = type_of(next_json(&json));
    must(tg_json_expect(&json, ','));
    type->item = type_of(next_json(&json));
    type->value_offset = place_after(type->key->size);
    type->entry_size = place_after(type->value_offset + type->item->size);
    type->size = sizeof(tg_list);
    return type;
}

const tg_type *type_of(tg_slice json) {
    if (json.data[0] == '"') {
        tg_bytes name = string_of(json);
        const tg_type *found = scalar(&name);
        tg_bytes_free(&name);
        return found;
    }
    object read = read_object(json);
    const tg_type *type;
    if (has_member(&read, "tuple")) {
        type = tuple(member(&read, "tuple"));
    } else if (has_member(&read, "map")) {
        type = map(member(&read, "map"));
    } else {
        bool is_list = has_member(&read, "list");
        tg_type *made = new_type(is_list ? TG_KIND_LIST : TG_KIND_OPTION);
        made->item = type_of(member(&read, is_list ? "list" : "option"));
        made->value_offset = 8;
        made->size = is_list ? sizeof(tg_list) : 8 + place_after(made->item->size);
        type = made;
    }
    free_object(&read);
    return type;
}

static void float_of(const tg_type *type, tg_slice json, void *value) {
    tg_bytes bytes = hex_of(json);
    // The highest byte is the first.
    for (size_t at = 0; at < type->size; at++) {
        ((uint8_t *)value)[at] = bytes.data[type->size - 1 - at];
    }
    tg_bytes_free(&bytes);
}

static void *push(const tg_type *type, void *value) {
    size_t size = tg_item_size(type);
    tg_list_reserve(value, size, 1);
    tg_list list = tg_list_at(value);
    uint8_t *item = list.items + list.len++ * size;
    if (size > 0) {
        memset(item, 0, size);
    }
    memcpy(value, &list, sizeof list);
    return item;
}

// Reads lists, tuples and maps: the items between brackets.
static void items_of(const tg_type *type, tg_slice text, uint8_t *value) {
    tg_json json = json_of(text);
    must(tg_json_expect(&json, '['));
    bool more;
    must(tg_json_next(&json, ']', true, &more));
    for (size_t index = 0; more; index++) {
        tg_slice item = next_json(&json);
        if (type->kind == TG_KIND_STRUCT) {
            const tg_member *into = &type->members[index];
            value_of(into->type, item, value + into->offset);
        } else if (type->kind == TG_KIND_LIST) {
            value_of(type->item, item, push(type, value));
        } else {
            tg_json pair = json_of(item);
            uint8_t *entry = push(type, value);
            must(tg_json_expect(&pair, '['));
            value_of(type->key, next_json(&pair), entry);
            must(tg_json_expect(&pair, ','));
            value_of(type->item, next_json(&pair), entry + type->value_offset);
        }
        must(tg_json_next(&json, ']', false, &more));
    }
}

static void option_of(const tg_type *type, tg_slice json, uint8_t *value) {
    *(bool *)value = json.data[0] == '[';
    if (*(bool *)value) {
        tg_json inner = json_of(json);
        must(tg_json_expect(&inner, '['));
        value_of(type->item, next_json(&inner), value + type->value_offset);
    }
}

void value_of(const tg_type *type, tg_slice json, void *value) {
    uint64_t number;
    tg_bytes bytes;
    switch ((int)type->kind) {
    case TG_KIND_UNIT:
        return;
    case TG_KIND_BOOL:
        *(bool *)value = json.data[0] == 't';
        return;
    case TG_KIND_F32:
    case TG_KIND_F64:
        float_of(type, json, value);
        return;
    case TG_KIND_STRING:
    case TG_KIND_BYTES:
        bytes = type->kind == TG_KIND_STRING ? string_of(json) : hex_of(json);
        memcpy(value, &bytes, sizeof bytes);
        return;
    case TG_KIND_OPTION:
        option_of(type, json, value);
        return;
    case TG_KIND_LIST:
    case TG_KIND_MAP:
    case TG_KIND_STRUCT:
        items_of(type, json, value);
        return;
    default:
        // The lowest bytes come first on every machine that the tests run on.
        number = number_of(json);
        memcpy(value, &number, type->size);
    }
}

static bool same_items(const tg_type *type, const tg_list *left, const tg_list *right) {
    bool same = left->len == right->len;
    size_t size = tg_item_size(type);
    for (size_t index = 0; same && size > 0 && index < left->len; index++) {
        const uint8_t *one = left->items + index * size;
        const uint8_t *other = right->items + index * size;
        if (type->kind == TG_KIND_MAP) {
            same = is_same(type->key, one, other) &&
                   is_same(type->item, one + type->value_offset, other + type->value_offset);
        } else {
            same = is_same(type->item, one, other);
        }
    }
    return same;
}

static bool same_text(const void *left, const void *right) {
    tg_list one = tg_list_at(left);
    tg_list other = tg_list_at(right);
    return tg_slice_equal(tg_slice_of(one.items, one.len), tg_slice_of(other.items, other.len));
}

bool is_same(const tg_type *type, const void *left, const void *right) {
    const uint8_t *one = left;
    const uint8_t *other = right;
    if (type->kind == TG_KIND_STRING || type->kind == TG_KIND_BYTES) {
        return same_text(left, right);
    }
    if (type->kind == TG_KIND_LIST || type->kind == TG_KIND_MAP) {
        tg_list one_list = tg_list_at(left);
        tg_list other_list = tg_list_at(right);
        return same_items(type, &one_list, &other_list);
    }
    if (type->kind == TG_KIND_OPTION) {
        return *(const bool *)left == *(const bool *)right &&
               (!*(const bool *)left ||
                is_same(type->item, one + type->value_offset, other + type->value_offset));
    }
    if (type->kind == TG_KIND_STRUCT) {
        for (size_t index = 0; index < type->member_count; index++) {
            const tg_member *of = &type->members[index];
            if (!is_same(of->type, one + of->offset, other + of->offset)) {
                return false;
            }
        }
        return true;
    }
    bool both_nan = (type->kind == TG_KIND_F64 && *(const double *)left != *(const double *)left &&
                     *(const double *)right != *(const double *)right) ||
                    (type->kind == TG_KIND_F32 && *(const float *)left != *(const float *)left &&
                     *(const float *)right != *(const float *)right);
    return both_nan || type->size == 0 || memcmp(left, right, type->size) == 0;
}
