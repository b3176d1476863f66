// Values in memory, by the tables of their types: comparing and freeing.

#include "type.h"

#define SCALAR(name, of_kind, c_type) \
    const tg_type tg_type_##name = {.kind = TG_KIND_##of_kind, .size = sizeof(c_type)}

const tg_type tg_type_unit = {.kind = TG_KIND_UNIT, .size = 0};
SCALAR(bool, BOOL, bool);
SCALAR(u8, U8, uint8_t);
SCALAR(u16, U16, uint16_t);
SCALAR(u32, U32, uint32_t);
SCALAR(u64, U64, uint64_t);
SCALAR(i8, I8, int8_t);
SCALAR(i16, I16, int16_t);
SCALAR(i32, I32, int32_t);
SCALAR(i64, I64, int64_t);
SCALAR(f32, F32, float);
SCALAR(f64, F64, double);
SCALAR(string, STRING, tg_string);
SCALAR(bytes, BYTES, tg_bytes);

#define COMPARE(c_type)                                                 \
    do {                                                                \
        c_type left_value, right_value;                                 \
        memcpy(&left_value, left, sizeof left_value);                   \
        memcpy(&right_value, right, sizeof right_value);                \
        return (left_value > right_value) - (left_value < right_value); \
    } while (0)

static tg_slice slice_at(const void *value) {
    tg_bytes bytes;
    memcpy(&bytes, value, sizeof bytes);
    return tg_bytes_slice(&bytes);
}

static int compare_members(const tg_type *type, const uint8_t *left, const uint8_t *right) {
    for (size_t index = 0; index < type->member_count; index++) {
        const tg_member *member = &type->members[index];
        int order = tg_compare(member->type, left + member->offset, right + member->offset);
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

int tg_compare(const tg_type *type, const void *left, const void *right) {
    switch (type->kind) {
    case TG_KIND_UNIT:
        return 0;
    case TG_KIND_BOOL:
        COMPARE(bool);
    case TG_KIND_U8:
        COMPARE(uint8_t);
    case TG_KIND_U16:
        COMPARE(uint16_t);
    case TG_KIND_U32:
        COMPARE(uint32_t);
    case TG_KIND_U64:
        COMPARE(uint64_t);
    case TG_KIND_I8:
        COMPARE(int8_t);
    case TG_KIND_I16:
        COMPARE(int16_t);
    case TG_KIND_I32:
    case TG_KIND_ENUM:
        COMPARE(int32_t);
    case TG_KIND_I64:
        COMPARE(int64_t);
    case TG_KIND_STRING:
    case TG_KIND_BYTES:
        return tg_slice_compare(slice_at(left), slice_at(right));
    case TG_KIND_STRUCT:
        return compare_members(type, left, right);
    case TG_KIND_F32:
    case TG_KIND_F64:
    case TG_KIND_OPTION:
    case TG_KIND_LIST:
    case TG_KIND_MAP:
    case TG_KIND_CUSTOM:
        break;
    }
    TG_PANIC("a type of kind %d can't be the key of a map", (int)type->kind);
}

void tg_init(const tg_type *type, void *value) {
    if (type->kind == TG_KIND_CUSTOM) {
        type->codec->init(value);
    } else if (type->kind == TG_KIND_OPTION) {
        tg_init(type->item, (uint8_t *)value + type->value_offset);
    } else if (type->kind == TG_KIND_STRUCT) {
        for (size_t index = 0; index < type->member_count; index++) {
            const tg_member *member = &type->members[index];
            tg_init(member->type, (uint8_t *)value + member->offset);
        }
    }
}

static bool owns_nothing(const tg_type *type) {
    if (type->kind == TG_KIND_OPTION) {
        return owns_nothing(type->item);
    }
    return type->kind < TG_KIND_STRING || type->kind == TG_KIND_ENUM;
}

void tg_free_entry(const tg_type *map, uint8_t *entry) {
    tg_free(map->key, entry);
    tg_free(map->item, entry + map->value_offset);
}

static void free_items(const tg_type *type, const tg_list *list) {
    bool is_map = type->kind == TG_KIND_MAP;
    if (!is_map && owns_nothing(type->item)) {
        return;
    }
    for (size_t index = 0; index < list->len; index++) {
        uint8_t *item = list->items + index * tg_item_size(type);
        if (is_map) {
            tg_free_entry(type, item);
        } else {
            tg_free(type->item, item);
        }
    }
}

void tg_free(const tg_type *type, void *value) {
    if (type->kind == TG_KIND_CUSTOM) {
        type->codec->free(value);
    } else if (type->kind == TG_KIND_STRING || type->kind == TG_KIND_BYTES) {
        tg_list list = tg_list_at(value);
        tg_dealloc(list.items);
    } else if (type->kind == TG_KIND_LIST || type->kind == TG_KIND_MAP) {
        tg_list list = tg_list_at(value);
        free_items(type, &list);
        tg_dealloc(list.items);
    } else if (type->kind == TG_KIND_OPTION) {
        tg_free(type->item, (uint8_t *)value + type->value_offset);
    } else if (type->kind == TG_KIND_STRUCT) {
        for (size_t index = 0; index < type->member_count; index++) {
            const tg_member *member = &type->members[index];
            tg_free(member->type, (uint8_t *)value + member->offset);
        }
    }
    if (type->size > 0) {
        memset(value, 0, type->size);
    }
}

static tg_status check_member(const tg_type *type, const tg_member *member) {
    bool fits = member->size == member->type->size && member->offset + member->size <= type->size;
    if (!fits) {
        return tg_fail("the type of member `%s` has %zu bytes, and the member %zu", member->name,
                       member->type->size, member->size);
    }
    // The items of lists may be of a type that holds the list.
    bool is_inner = member->type->kind == TG_KIND_STRUCT || member->type->kind == TG_KIND_OPTION;
    return is_inner ? tg_check_type(member->type) : TG_OK;
}

tg_status tg_check_type(const tg_type *type) {
    if (type->kind == TG_KIND_OPTION) {
        bool fits = type->value_offset + type->item->size <= type->size;
        return fits ? tg_check_type(type->item)
                    : tg_fail("an option has no room for its value of %zu bytes", type->item->size);
    }
    if (type->kind != TG_KIND_STRUCT) {
        return TG_OK;
    }
    for (size_t index = 0; index < type->member_count; index++) {
        TG_TRY(check_member(type, &type->members[index]));
    }
    return TG_OK;
}
