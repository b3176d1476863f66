// Lists and maps. A map is a list of entries whose keys strictly rise.

#include "sort.h"
#include "type.h"

enum { FEWEST_ITEMS = 4 };

void tg_list_reserve(void *value, size_t item_size, size_t more) {
    tg_list list = tg_list_at(value);
    if (list.capacity - list.len >= more || item_size == 0) {
        return;
    }
    if (more > SIZE_MAX / 4 / item_size - list.len) {
        TG_PANIC("out of memory: %zu items more than %zu", more, list.len);
    }
    size_t doubled = list.capacity < FEWEST_ITEMS ? FEWEST_ITEMS : list.capacity * 2;
    list.capacity = list.len + more > doubled ? list.len + more : doubled;
    list.items = tg_realloc(list.items, list.capacity * item_size);
    memcpy(value, &list, sizeof list);
}

// Returns the place of the first entry whose key is not below `key`.
static size_t place_of(const tg_type *type, const tg_list *map, const void *key) {
    size_t low = 0;
    size_t high = map->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tg_compare(type->key, map->items + middle * type->entry_size, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static uint8_t *entry_of(const tg_type *type, const tg_list *map, const void *key, size_t place) {
    if (place == map->len) {
        return NULL;
    }
    uint8_t *entry = map->items + place * type->entry_size;
    return tg_compare(type->key, entry, key) == 0 ? entry : NULL;
}

void *tg_map_get(const tg_type *type, const void *map, const void *key) {
    tg_list list = tg_list_at(map);
    uint8_t *entry = entry_of(type, &list, key, place_of(type, &list, key));
    return entry == NULL ? NULL : entry + type->value_offset;
}

void *tg_map_insert(const tg_type *type, void *map, const void *key, bool *inserted) {
    tg_list list = tg_list_at(map);
    size_t place = place_of(type, &list, key);
    uint8_t *entry = entry_of(type, &list, key, place);
    *inserted = entry == NULL;
    if (entry == NULL) {
        tg_list_reserve(map, type->entry_size, 1);
        list = tg_list_at(map);
        entry = list.items + place * type->entry_size;
        memmove(entry + type->entry_size, entry, (list.len - place) * type->entry_size);
        memset(entry, 0, type->entry_size);
        memcpy(entry, key, type->key->size);
        tg_init(type->item, entry + type->value_offset);
        list.len += 1;
        memcpy(map, &list, sizeof list);
    }
    return entry + type->value_offset;
}

bool tg_map_remove(const tg_type *type, void *map, const void *key) {
    tg_list list = tg_list_at(map);
    size_t place = place_of(type, &list, key);
    uint8_t *entry = entry_of(type, &list, key, place);
    if (entry == NULL) {
        return false;
    }
    tg_free_entry(type, entry);
    memmove(entry, entry + type->entry_size, (list.len - place - 1) * type->entry_size);
    list.len -= 1;
    memcpy(map, &list, sizeof list);
    return true;
}

static int compare_entries(const void *left, const void *right, const void *argument) {
    const tg_type *type = argument;
    return tg_compare(type->key, left, right);
}

static bool is_rising(const tg_type *type, const tg_list *map) {
    for (size_t at = 1; at < map->len; at++) {
        const uint8_t *entry = map->items + at * type->entry_size;
        if (tg_compare(type->key, entry - type->entry_size, entry) >= 0) {
            return false;
        }
    }
    return true;
}

void tg_map_order(const tg_type *type, void *map) {
    tg_list list = tg_list_at(map);
    if (is_rising(type, &list)) {
        return;
    }
    uint8_t *spare = tg_alloc(list.len * type->entry_size);
    tg_sort(list.items, list.len, type->entry_size, spare, compare_entries, type);
    tg_dealloc(spare);
    size_t kept = 0;
    for (size_t at = 1; at < list.len; at++) {
        uint8_t *entry = list.items + at * type->entry_size;
        uint8_t *last = list.items + kept * type->entry_size;
        if (tg_compare(type->key, last, entry) == 0) {
            tg_free_entry(type, last);
            memcpy(last, entry, type->entry_size);
        } else {
            kept += 1;
            memmove(list.items + kept * type->entry_size, entry, type->entry_size);
        }
    }
    list.len = kept + 1;
    memcpy(map, &list, sizeof list);
}
