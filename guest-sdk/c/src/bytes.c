// Memory, growable bytes and text.

#include <stdlib.h>

#include "tidegate/basics.h"

enum { LEAST_CAPACITY = 32 };

static void *or_panic(void *memory, size_t size) {
    if (memory == NULL && size > 0) {
        TG_PANIC("out of memory: %zu bytes were asked for", size);
    }
    return memory;
}

void *tg_alloc(size_t size) { return size == 0 ? NULL : or_panic(malloc(size), size); }

void *tg_alloc_zeroed(size_t size) { return size == 0 ? NULL : or_panic(calloc(1, size), size); }

void *tg_realloc(void *old, size_t size) {
    if (size == 0) {
        free(old);
        return NULL;
    }
    return or_panic(realloc(old, size), size);
}

void tg_dealloc(void *memory) { free(memory); }

void tg_bytes_grow(tg_bytes *bytes, size_t more) {
    if (more > SIZE_MAX / 2 - bytes->len) {
        TG_PANIC("out of memory: %zu bytes more than %zu", more, bytes->len);
    }
    size_t needed = bytes->len + more;
    size_t doubled = bytes->capacity < LEAST_CAPACITY ? LEAST_CAPACITY : bytes->capacity * 2;
    bytes->capacity = doubled < needed ? needed : doubled;
    bytes->data = tg_realloc(bytes->data, bytes->capacity);
}

void tg_bytes_set(tg_bytes *bytes, tg_slice with) {
    bytes->len = 0;
    tg_bytes_append(bytes, with);
}

void tg_bytes_free(tg_bytes *bytes) {
    free(bytes->data);
    memset(bytes, 0, sizeof *bytes);
}

void tg_string_set(tg_string *text, tg_slice with) {
    text->len = 0;
    tg_string_append(text, with);
}

void tg_string_append(tg_string *text, tg_slice more) {
    tg_bytes bytes = {(uint8_t *)text->data, text->len, text->capacity};
    tg_bytes_append(&bytes, more);
    tg_string grown = {(char *)bytes.data, bytes.len, bytes.capacity};
    *text = grown;
}

void tg_string_free(tg_string *text) {
    free(text->data);
    memset(text, 0, sizeof *text);
}

// Returns the length of the first character in `bytes`; 0 if they are not UTF-8 (Unicode, table
// 3-7).
static size_t character(const uint8_t *bytes, size_t len) {
    uint8_t first = bytes[0];
    size_t more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    if (first < 0xc2 || first > 0xf4 || len <= more) {
        return 0;
    }
    uint8_t lowest = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t highest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (bytes[1] < lowest || bytes[1] > highest) {
        return 0;
    }
    for (size_t at = 2; at <= more; at++) {
        if ((bytes[at] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return more + 1;
}

bool tg_is_utf8(tg_slice bytes) {
    size_t at = 0;
    while (at < bytes.len) {
        if (bytes.data[at] < 0x80) {
            at += 1;
            continue;
        }
        size_t length = character(bytes.data + at, bytes.len - at);
        if (length == 0) {
            return false;
        }
        at += length;
    }
    return true;
}
