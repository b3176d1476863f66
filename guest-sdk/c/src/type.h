// The SDK's own operations on types.

#ifndef TIDEGATE_SRC_TYPE_H
#define TIDEGATE_SRC_TYPE_H

#include "tidegate/type.h"

// The layout of every list and map in memory.
typedef struct tg_list {
    uint8_t *items;
    size_t len, capacity;
} tg_list;

// The most lists and maps that may be nested.
enum { TG_MAX_DEPTH = 100 };

// Returns the list at `value`, whose own C type has a typed pointer.
TG_INLINE tg_list tg_list_at(const void *value) {
    tg_list list;
    memcpy(&list, value, sizeof list);
    return list;
}

// Returns the number of bytes of an item of a list, or of an entry of a map.
TG_INLINE size_t tg_item_size(const tg_type *type) {
    return type->kind == TG_KIND_MAP ? type->entry_size : type->item->size;
}

// Compares two keys of a map. Panics for a type that can't be a key.
int tg_compare(const tg_type *type, const void *left, const void *right);

// Calls `init` of every codec that has it. Everything else begins as zeros.
void tg_init(const tg_type *type, void *value);

// Frees one entry of a map.
void tg_free_entry(const tg_type *map, uint8_t *entry);

// Brings the entries of a map that was read in order; of equal keys the last remains.
void tg_map_order(const tg_type *type, void *map);

// Fails if a table does not fit the structs that it describes.
tg_status tg_check_type(const tg_type *type);

#endif
