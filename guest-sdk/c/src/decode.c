// Recovery: chunk -> [the bytes of a value] -> keyed state.
//
// Invariant: the reader trusts no length. Whatever the bytes are, it ends, reads nothing beyond
// them, and takes no more memory than a small multiple of what they could hold.

#include "type.h"

static tg_status unreadable(const char *why) {
    return tg_incompatible("a value can't be read: %s", why);
}

static tg_status ends_early(void) { return unreadable("it ends too early"); }

static size_t bytes_left(const tg_reader *in) { return (size_t)(in->end - in->at); }

// Accepts longer forms than the shortest, within the bytes of the type's largest number.
static tg_status read_varint(tg_reader *in, unsigned bits, uint64_t *number) {
    uint64_t read = 0;
    for (unsigned shift = 0; shift < bits; shift += 7) {
        if (in->at == in->end) {
            return ends_early();
        }
        uint64_t byte = *in->at++;
        uint64_t group = byte & 0x7f;
        unsigned room = bits - shift;
        if (room < 7 && group >> room != 0) {
            return unreadable("a number passes its type");
        }
        read |= group << shift;
        if (byte < 0x80) {
            *number = read;
            return TG_OK;
        }
    }
    return unreadable("a number is longer than its type");
}

static tg_status read_signed(tg_reader *in, unsigned bits, int64_t *number) {
    uint64_t read = 0;
    TG_TRY(read_varint(in, bits, &read));
    *number = (int64_t)((read >> 1) ^ (0 - (read & 1)));
    return TG_OK;
}

static tg_status read_byte(tg_reader *in, uint8_t *byte) {
    if (in->at == in->end) {
        return ends_early();
    }
    *byte = *in->at++;
    return TG_OK;
}

static tg_status read_flag(tg_reader *in, bool *flag) {
    uint8_t byte = 0;
    TG_TRY(read_byte(in, &byte));
    if (byte > 1) {
        return unreadable("a bool or an option begins with another byte than 0 and 1");
    }
    *flag = byte == 1;
    return TG_OK;
}

static tg_status read_bits(tg_reader *in, size_t bytes, uint64_t *bits) {
    if (bytes_left(in) < bytes) {
        return ends_early();
    }
    *bits = 0;
    for (size_t byte = 0; byte < bytes; byte++) {
        *bits |= (uint64_t)*in->at++ << (8 * byte);
    }
    return TG_OK;
}

tg_status tg_read_count(tg_reader *in, size_t least_bytes, size_t *count) {
    uint64_t read = 0;
    TG_TRY(read_varint(in, 64, &read));
    // The bytes do not limit the number of items without bytes. No writer writes this many.
    size_t most = least_bytes == 0 ? SIZE_MAX / 2 : bytes_left(in) / least_bytes;
    if (read > most) {
        return ends_early();
    }
    *count = (size_t)read;
    return TG_OK;
}

size_t tg_least_bytes(const tg_type *type) {
    size_t least = 0;
    switch ((int)type->kind) {
    case TG_KIND_UNIT:
        return 0;
    case TG_KIND_F32:
        return 4;
    case TG_KIND_F64:
        return 8;
    case TG_KIND_STRUCT:
        for (size_t index = 0; index < type->member_count; index++) {
            least += tg_least_bytes(type->members[index].type);
        }
        return least;
    case TG_KIND_CUSTOM:
        return type->codec->least_bytes;
    default:
        return 1;
    }
}

static tg_status read_text(bool is_text, void *value, tg_reader *in) {
    size_t length = 0;
    TG_TRY(tg_read_count(in, 1, &length));
    tg_slice read = tg_slice_of(in->at, length);
    if (is_text && !tg_is_utf8(read)) {
        return unreadable("a string is not UTF-8");
    }
    in->at += length;
    tg_list bytes = {tg_alloc(length), length, length};
    if (length > 0) {
        memcpy(bytes.items, read.data, length);
    }
    memcpy(value, &bytes, sizeof bytes);
    return TG_OK;
}

// Appends an item to the list at `value`, and reads it. If that fails, the item is freed with the
// list.
static tg_status read_item(const tg_type *type, void *value, tg_reader *in) {
    size_t size = tg_item_size(type);
    tg_list_reserve(value, size, 1);
    tg_list list = tg_list_at(value);
    uint8_t *item = list.items + list.len * size;
    if (size > 0) {
        memset(item, 0, size);
    }
    list.len += 1;
    bool is_map = type->kind == TG_KIND_MAP;
    if (is_map) {
        tg_init(type->key, item);
    }
    uint8_t *inner = is_map ? item + type->value_offset : item;
    tg_init(type->item, inner);
    memcpy(value, &list, sizeof list);
    if (is_map) {
        TG_TRY(tg_decode(type->key, item, in));
    }
    return tg_decode(type->item, inner, in);
}

static tg_status read_items(const tg_type *type, void *value, tg_reader *in) {
    size_t least = tg_least_bytes(type->item);
    if (type->kind == TG_KIND_MAP) {
        least += tg_least_bytes(type->key);
    }
    size_t count = 0;
    TG_TRY(tg_read_count(in, least, &count));
    if (tg_item_size(type) == 0) {
        // Units have no memory and no bytes to read.
        tg_list units = {NULL, count, count};
        memcpy(value, &units, sizeof units);
        return TG_OK;
    }
    if (least == 0 && count > bytes_left(in)) {
        return ends_early();
    }
    if (in->depth == TG_MAX_DEPTH) {
        return unreadable("it is nested too deep");
    }
    in->depth += 1;
    for (size_t index = 0; index < count; index++) {
        TG_TRY(read_item(type, value, in));
    }
    in->depth -= 1;
    if (type->kind == TG_KIND_MAP && count > 0) {
        tg_map_order(type, value);
    }
    return TG_OK;
}

static tg_status read_enum(const tg_type *type, void *value, tg_reader *in) {
    uint64_t index = 0;
    TG_TRY(read_varint(in, 32, &index));
    if (index >= type->member_count) {
        return unreadable("an enum has a value that does not exist");
    }
    *(int *)value = (int)index;
    return TG_OK;
}

static tg_status read_other(const tg_type *type, uint8_t *value, tg_reader *in) {
    switch ((int)type->kind) {
    case TG_KIND_STRING:
        return read_text(true, value, in);
    case TG_KIND_BYTES:
        return read_text(false, value, in);
    case TG_KIND_ENUM:
        return read_enum(type, value, in);
    case TG_KIND_OPTION:
        TG_TRY(read_flag(in, (bool *)value));
        return *(bool *)value ? tg_decode(type->item, value + type->value_offset, in) : TG_OK;
    case TG_KIND_STRUCT:
        for (size_t index = 0; index < type->member_count; index++) {
            const tg_member *member = &type->members[index];
            TG_TRY(tg_decode(member->type, value + member->offset, in));
        }
        return TG_OK;
    case TG_KIND_CUSTOM:
        return type->codec->decode(value, in);
    default:
        return read_items(type, value, in);
    }
}

static tg_status read_float(const tg_type *type, void *value, tg_reader *in) {
    uint64_t bits = 0;
    TG_TRY(read_bits(in, type->size, &bits));
    uint32_t narrow = (uint32_t)bits;
    memcpy(value, type->size == 4 ? (void *)&narrow : (void *)&bits, type->size);
    return TG_OK;
}

#define READ_NUMBER(c_type, wide_type, read)           \
    do {                                               \
        wide_type number = 0;                          \
        TG_TRY(read(in, 8 * sizeof(c_type), &number)); \
        *(c_type *)value = (c_type)number;             \
        return TG_OK;                                  \
    } while (0)

tg_status tg_decode(const tg_type *type, void *value, tg_reader *in) {
    switch ((int)type->kind) {
    case TG_KIND_UNIT:
        return TG_OK;
    case TG_KIND_BOOL:
        return read_flag(in, value);
    case TG_KIND_U8:
    case TG_KIND_I8:
        return read_byte(in, value);
    case TG_KIND_U16:
        READ_NUMBER(uint16_t, uint64_t, read_varint);
    case TG_KIND_U32:
        READ_NUMBER(uint32_t, uint64_t, read_varint);
    case TG_KIND_U64:
        READ_NUMBER(uint64_t, uint64_t, read_varint);
    case TG_KIND_I16:
        READ_NUMBER(int16_t, int64_t, read_signed);
    case TG_KIND_I32:
        READ_NUMBER(int32_t, int64_t, read_signed);
    case TG_KIND_I64:
        READ_NUMBER(int64_t, int64_t, read_signed);
    case TG_KIND_F32:
    case TG_KIND_F64:
        return read_float(type, value, in);
    default:
        return read_other(type, value, in);
    }
}

tg_status tg_read_state(const tg_type *type, tg_slice bytes, void *value) {
    tg_reader in = {bytes.data, bytes.data == NULL ? NULL : bytes.data + bytes.len, 0};
    tg_init(type, value);
    tg_status status = tg_decode(type, value, &in);
    if (status == TG_OK && in.at != in.end) {
        status = tg_incompatible("a value has %zu bytes more than its type", bytes_left(&in));
    }
    if (status != TG_OK) {
        tg_free(type, value);
    }
    return status;
}
