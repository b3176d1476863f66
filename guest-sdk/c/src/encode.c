// Barrier path: keyed state -> [the bytes of a value] -> chunk. Writes values by the table of
// guest-sdk/FORMAT.md.

#include "type.h"

enum { MOST_VARINT = 10 };

void tg_write_varint(tg_bytes *out, uint64_t number) {
    tg_bytes_reserve(out, MOST_VARINT);
    uint8_t *at = out->data + out->len;
    while (number >= 0x80) {
        *at++ = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    *at++ = (uint8_t)number;
    out->len = (size_t)(at - out->data);
}

static void write_signed(tg_bytes *out, int64_t number) {
    // Zigzag: the sign goes into the lowest bit.
    uint64_t sign = number < 0 ? UINT64_MAX : 0;
    tg_write_varint(out, ((uint64_t)number << 1) ^ sign);
}

static void write_bits(tg_bytes *out, uint64_t bits, size_t bytes) {
    tg_bytes_reserve(out, 8);
    for (size_t byte = 0; byte < bytes; byte++) {
        out->data[out->len++] = (uint8_t)(bits >> (8 * byte));
    }
}

// Every NaN is written with the same bits.
static void write_f32(tg_bytes *out, float number) {
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    write_bits(out, number != number ? 0x7fc00000u : bits, sizeof bits);
}

static void write_f64(tg_bytes *out, double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    write_bits(out, number != number ? 0x7ff8000000000000u : bits, sizeof bits);
}

static tg_status write_text(const void *value, bool is_text, tg_bytes *out) {
    tg_list bytes = tg_list_at(value);
    tg_slice slice = tg_slice_of(bytes.items, bytes.len);
    if (is_text && !tg_is_utf8(slice)) {
        return tg_fail("the state can't be written: a string is not UTF-8");
    }
    tg_write_varint(out, slice.len);
    tg_bytes_append(out, slice);
    return TG_OK;
}

static tg_status write_map(const tg_type *type, const tg_list *map, tg_bytes *out) {
    const uint8_t *last = NULL;
    for (size_t index = 0; index < map->len; index++) {
        const uint8_t *entry = map->items + index * type->entry_size;
        if (last != NULL && tg_compare(type->key, last, entry) >= 0) {
            return tg_fail("the state can't be written: the keys of a map do not strictly rise");
        }
        TG_TRY(tg_encode(type->key, entry, out));
        TG_TRY(tg_encode(type->item, entry + type->value_offset, out));
        last = entry;
    }
    return TG_OK;
}

static tg_status write_items(const tg_type *type, const void *value, tg_bytes *out) {
    tg_list list = tg_list_at(value);
    tg_write_varint(out, list.len);
    if (type->kind == TG_KIND_MAP) {
        return write_map(type, &list, out);
    }
    for (size_t index = 0; index < list.len; index++) {
        TG_TRY(tg_encode(type->item, list.items + index * type->item->size, out));
    }
    return TG_OK;
}

static tg_status write_members(const tg_type *type, const uint8_t *value, tg_bytes *out) {
    for (size_t index = 0; index < type->member_count; index++) {
        const tg_member *member = &type->members[index];
        TG_TRY(tg_encode(member->type, value + member->offset, out));
    }
    return TG_OK;
}

static tg_status write_enum(const tg_type *type, const void *value, tg_bytes *out) {
    int index = *(const int *)value;
    if (index < 0 || (size_t)index >= type->member_count) {
        return tg_fail("the state can't be written: %d is no value of an enum with %zu", index,
                       type->member_count);
    }
    tg_write_varint(out, (uint64_t)index);
    return TG_OK;
}

static tg_status write_option(const tg_type *type, const uint8_t *value, tg_bytes *out) {
    bool some = *(const bool *)value;
    tg_bytes_push(out, some);
    return some ? tg_encode(type->item, value + type->value_offset, out) : TG_OK;
}

static tg_status write_other(const tg_type *type, const void *value, tg_bytes *out) {
    switch ((int)type->kind) {
    case TG_KIND_STRING:
        return write_text(value, true, out);
    case TG_KIND_BYTES:
        return write_text(value, false, out);
    case TG_KIND_ENUM:
        return write_enum(type, value, out);
    case TG_KIND_OPTION:
        return write_option(type, value, out);
    case TG_KIND_STRUCT:
        return write_members(type, value, out);
    case TG_KIND_CUSTOM:
        return type->codec->encode(value, out);
    default:
        return write_items(type, value, out);
    }
}

tg_status tg_encode(const tg_type *type, const void *value, tg_bytes *out) {
    switch ((int)type->kind) {
    case TG_KIND_UNIT:
        return TG_OK;
    case TG_KIND_BOOL:
        tg_bytes_push(out, *(const bool *)value);
        return TG_OK;
    case TG_KIND_U8:
    case TG_KIND_I8:
        tg_bytes_push(out, *(const uint8_t *)value);
        return TG_OK;
    case TG_KIND_U16:
        tg_write_varint(out, *(const uint16_t *)value);
        return TG_OK;
    case TG_KIND_U32:
        tg_write_varint(out, *(const uint32_t *)value);
        return TG_OK;
    case TG_KIND_U64:
        tg_write_varint(out, *(const uint64_t *)value);
        return TG_OK;
    case TG_KIND_I16:
        write_signed(out, *(const int16_t *)value);
        return TG_OK;
    case TG_KIND_I32:
        write_signed(out, *(const int32_t *)value);
        return TG_OK;
    case TG_KIND_I64:
        write_signed(out, *(const int64_t *)value);
        return TG_OK;
    case TG_KIND_F32:
        write_f32(out, *(const float *)value);
        return TG_OK;
    case TG_KIND_F64:
        write_f64(out, *(const double *)value);
        return TG_OK;
    default:
        return write_other(type, value, out);
    }
}
