// Makes a value of JSON, by the table of its type: configuration, and records that are JSON.

#include "decimal.h"
#include "json.h"
#include "type.h"

enum { MAX_DEPTH = 100, MOST_NAMES = 400 };

// The JSON that is read; `strict` if members that the type does not have are rejected.
typedef struct source {
    tg_json json;
    bool strict;
} source;

static tg_status read_value(const tg_type *type, void *value, source *in);

// Writes the end of serde's sentence, "expected `a` or `b`", so that all languages use the same
// words.
static void list_names(const tg_type *type, char *text) {
    size_t length = 0;
    text[0] = '\0';
    for (size_t index = 0; index < type->member_count; index++) {
        const char *name = type->names != NULL ? type->names[index] : type->members[index].name;
        bool is_pair = type->member_count == 2;
        const char *between =
            index == 0 ? (type->member_count > 2 ? "one of " : "") : (is_pair ? " or " : ", ");
        if (length + strlen(between) + strlen(name) + 3 > MOST_NAMES) {
            return;
        }
        for (const char *part = between; *part != '\0'; part++) {
            text[length++] = *part;
        }
        text[length++] = '`';
        for (const char *part = name; *part != '\0'; part++) {
            text[length++] = *part;
        }
        text[length++] = '`';
        text[length] = '\0';
    }
}

static tg_status unknown(source *in, const char *what, const tg_type *type, const tg_bytes *name) {
    char names[MOST_NAMES];
    list_names(type, names);
    int length = name->len > 100 ? 100 : (int)name->len;
    const char *given = length == 0 ? "" : (const char *)name->data;
    if (names[0] == '\0') {
        return tg_json_fail(&in->json, "unknown %s `%.*s`, there are no %ss", what, length, given,
                            what);
    }
    return tg_json_fail(&in->json, "unknown %s `%.*s`, expected %s", what, length, given, names);
}

static const tg_member *member_named(const tg_type *type, const tg_bytes *name) {
    for (size_t index = 0; index < type->member_count; index++) {
        if (tg_slice_equal(tg_text(type->members[index].name), tg_bytes_slice(name))) {
            return &type->members[index];
        }
    }
    return NULL;
}

static tg_status read_named(const tg_type *type, uint8_t *value, source *in, tg_bytes *name) {
    TG_TRY(tg_json_string(&in->json, name));
    const tg_member *member = member_named(type, name);
    if (member == NULL && in->strict) {
        return unknown(in, "field", type, name);
    }
    TG_TRY(tg_json_expect(&in->json, ':'));
    if (member == NULL) {
        return tg_json_skip(&in->json);
    }
    tg_status status = read_value(member->type, value + member->offset, in);
    bool names_place = status != TG_OK && in->strict;
    return names_place ? tg_fail("`%s`: %s", member->name, tg_failure_reason()) : status;
}

static tg_status read_struct(const tg_type *type, uint8_t *value, source *in) {
    TG_TRY(tg_json_expect(&in->json, '{'));
    bool more = true;
    for (bool is_first = true; more; is_first = false) {
        TG_TRY(tg_json_next(&in->json, '}', is_first, &more));
        if (more) {
            tg_bytes name = {0};
            tg_status status = read_named(type, value, in, &name);
            tg_bytes_free(&name);
            TG_TRY(status);
        }
    }
    return TG_OK;
}

static tg_status read_list(const tg_type *type, void *value, source *in) {
    tg_free(type, value);
    TG_TRY(tg_json_expect(&in->json, '['));
    bool more = true;
    for (bool is_first = true; more; is_first = false) {
        TG_TRY(tg_json_next(&in->json, ']', is_first, &more));
        if (!more) {
            break;
        }
        size_t size = type->item->size;
        tg_list_reserve(value, size, 1);
        tg_list list = tg_list_at(value);
        uint8_t *item = list.items + list.len * size;
        if (size > 0) {
            memset(item, 0, size);
        }
        list.len += 1;
        memcpy(value, &list, sizeof list);
        tg_init(type->item, item);
        TG_TRY(read_value(type->item, item, in));
    }
    return TG_OK;
}

static tg_status read_entry(const tg_type *type, void *value, source *in) {
    tg_string key = {0};
    tg_status status = read_value(TG_STRING, &key, in);
    bool inserted = false;
    if (status == TG_OK) {
        status = tg_json_expect(&in->json, ':');
    }
    if (status == TG_OK) {
        void *item = tg_map_insert(type, value, &key, &inserted);
        status = read_value(type->item, item, in);
    }
    if (!inserted) {
        tg_string_free(&key);
    }
    return status;
}

static tg_status read_map(const tg_type *type, void *value, source *in) {
    if (type->key->kind != TG_KIND_STRING) {
        return tg_json_fail(&in->json, "only a map whose keys are strings can be read from JSON");
    }
    tg_free(type, value);
    TG_TRY(tg_json_expect(&in->json, '{'));
    bool more = true;
    for (bool is_first = true; more; is_first = false) {
        TG_TRY(tg_json_next(&in->json, '}', is_first, &more));
        if (more) {
            TG_TRY(read_entry(type, value, in));
        }
    }
    return TG_OK;
}

static tg_status read_text(void *value, source *in) {
    tg_bytes text = {0};
    tg_status status = tg_json_string(&in->json, &text);
    tg_free(TG_BYTES, value);
    memcpy(value, &text, sizeof text);
    return status;
}

static tg_status read_enum(const tg_type *type, int *value, source *in) {
    tg_bytes name = {0};
    tg_status status = tg_json_string(&in->json, &name);
    if (status == TG_OK) {
        size_t index = 0;
        while (index < type->member_count &&
               !tg_slice_equal(tg_text(type->names[index]), tg_bytes_slice(&name))) {
            index += 1;
        }
        bool is_known = index < type->member_count;
        status = is_known ? TG_OK : unknown(in, "variant", type, &name);
        *value = is_known ? (int)index : *value;
    }
    tg_bytes_free(&name);
    return status;
}

static bool fits(const tg_type *type, tg_decimal number) {
    unsigned bits = 8 * (unsigned)type->size;
    bool is_signed = type->kind >= TG_KIND_I8;
    uint64_t most = UINT64_MAX >> (64 - bits + (is_signed ? 1 : 0));
    return number.magnitude <= most + (is_signed && number.negative ? 1 : 0);
}

static tg_status read_integer(const tg_type *type, void *value, source *in) {
    static const char *const names[] = {"u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64"};
    tg_slice text;
    TG_TRY(tg_json_number(&in->json, &text));
    tg_decimal number;
    bool is_signed = type->kind >= TG_KIND_I8;
    if (!tg_parse_decimal(text, is_signed, &number) || !fits(type, number)) {
        return tg_json_fail(&in->json, "invalid value: `%.*s`, expected %s",
                            (int)(text.len > 100 ? 100 : text.len), (const char *)text.data,
                            names[type->kind - TG_KIND_U8]);
    }
    uint64_t bits = number.negative ? 0 - number.magnitude : number.magnitude;
    uint8_t narrow8 = (uint8_t)bits;
    uint16_t narrow16 = (uint16_t)bits;
    uint32_t narrow32 = (uint32_t)bits;
    const void *sized = type->size == 1   ? (const void *)&narrow8
                        : type->size == 2 ? (const void *)&narrow16
                        : type->size == 4 ? (const void *)&narrow32
                                          : (const void *)&bits;
    memcpy(value, sized, type->size);
    return TG_OK;
}

static tg_status read_float(const tg_type *type, void *value, source *in) {
    tg_slice text;
    double number = 0;
    TG_TRY(tg_json_number(&in->json, &text));
    if (!tg_parse_f64(text, &number)) {
        return tg_json_fail(&in->json, "invalid number");
    }
    float narrow = (float)number;
    memcpy(value, type->size == 4 ? (void *)&narrow : (void *)&number, type->size);
    return TG_OK;
}

static tg_status read_bool(bool *value, source *in) {
    bool is_true = tg_json_word(&in->json, "true");
    if (!is_true && !tg_json_word(&in->json, "false")) {
        return tg_json_fail(&in->json, "invalid type, expected a boolean");
    }
    *value = is_true;
    return TG_OK;
}

static tg_status read_custom(const tg_type *type, void *value, source *in) {
    if (type->codec->read_json == NULL) {
        return tg_json_fail(&in->json, "this type can't be read from JSON");
    }
    tg_json_peek(&in->json);
    const uint8_t *start = in->json.at;
    TG_TRY(tg_json_skip(&in->json));
    return type->codec->read_json(value, tg_slice_of(start, (size_t)(in->json.at - start)));
}

static tg_status read_kind(const tg_type *type, void *value, source *in) {
    switch ((int)type->kind) {
    case TG_KIND_UNIT:
        return tg_json_word(&in->json, "null")
                   ? TG_OK
                   : tg_json_fail(&in->json, "invalid type, expected unit");
    case TG_KIND_BOOL:
        return read_bool(value, in);
    case TG_KIND_F32:
    case TG_KIND_F64:
        return read_float(type, value, in);
    case TG_KIND_STRING:
    case TG_KIND_BYTES:
        return read_text(value, in);
    case TG_KIND_ENUM:
        return read_enum(type, value, in);
    case TG_KIND_OPTION:
        *(bool *)value = !tg_json_word(&in->json, "null");
        return *(bool *)value ? read_value(type->item, (uint8_t *)value + type->value_offset, in)
                              : TG_OK;
    case TG_KIND_LIST:
        return read_list(type, value, in);
    case TG_KIND_MAP:
        return read_map(type, value, in);
    case TG_KIND_STRUCT:
        return read_struct(type, value, in);
    case TG_KIND_CUSTOM:
        return read_custom(type, value, in);
    default:
        return read_integer(type, value, in);
    }
}

static tg_status read_value(const tg_type *type, void *value, source *in) {
    if (in->json.depth == MAX_DEPTH) {
        return tg_json_fail(&in->json, "recursion limit exceeded");
    }
    in->json.depth += 1;
    TG_TRY(read_kind(type, value, in));
    in->json.depth -= 1;
    return TG_OK;
}

tg_status tg_read_json(const tg_type *type, tg_slice text, bool strict, void *value) {
    const uint8_t *end = text.len == 0 ? text.data : text.data + text.len;
    source in = {{text.data, text.data, end, 0}, strict};
    TG_TRY(read_value(type, value, &in));
    if (tg_json_peek(&in.json) != 0 || in.json.at != in.json.end) {
        return tg_json_fail(&in.json, "trailing characters");
    }
    return TG_OK;
}
