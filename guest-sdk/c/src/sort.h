// A stable merge sort whose comparison is compiled into it.

#ifndef TIDEGATE_SRC_SORT_H
#define TIDEGATE_SRC_SORT_H

#include "tidegate/basics.h"

// Returns at most 0 if `left` may stay before `right`.
typedef int tg_compare_call(const void *left, const void *right, const void *argument);

enum { TG_SORT_RUN = 12 };

TG_INLINE void tg_sort_run(uint8_t *items, size_t count, size_t size, uint8_t *spare,
                           tg_compare_call *compare, const void *argument) {
    for (size_t at = 1; at < count; at++) {
        size_t to = at;
        memcpy(spare, items + at * size, size);
        while (to > 0 && compare(items + (to - 1) * size, spare, argument) > 0) {
            memcpy(items + to * size, items + (to - 1) * size, size);
            to -= 1;
        }
        memcpy(items + to * size, spare, size);
    }
}

// Merges two runs that lie one behind the other in `from` into `to`.
TG_INLINE void tg_sort_merge(const uint8_t *from, uint8_t *to, size_t left, size_t right,
                             size_t size, tg_compare_call *compare, const void *argument) {
    const uint8_t *middle = from + left * size;
    const uint8_t *end = middle + right * size;
    const uint8_t *second = middle;
    while (from < middle && second < end) {
        const uint8_t *next = compare(from, second, argument) <= 0 ? from : second;
        memcpy(to, next, size);
        to += size;
        from += next == from ? size : 0;
        second += next == second ? size : 0;
    }
    memcpy(to, from, (size_t)(middle - from));
    memcpy(to + (middle - from), second, (size_t)(end - second));
}

// Sorts `count` items of `size` bytes; `spare` has room for as many. With a constant size and
// comparison the compiler makes a sort of its own for each call.
TG_INLINE void tg_sort(void *all, size_t count, size_t size, void *spare, tg_compare_call *compare,
                       const void *argument) {
    uint8_t *items = all;
    uint8_t *other = spare;
    for (size_t start = 0; start < count; start += TG_SORT_RUN) {
        size_t length = count - start < TG_SORT_RUN ? count - start : TG_SORT_RUN;
        tg_sort_run(items + start * size, length, size, other, compare, argument);
    }
    for (size_t width = TG_SORT_RUN; width < count; width *= 2) {
        for (size_t start = 0; start < count; start += 2 * width) {
            size_t rest = count - start;
            size_t left = rest < width ? rest : width;
            size_t right = rest - left < width ? rest - left : width;
            tg_sort_merge(items + start * size, other + start * size, left, right, size, compare,
                          argument);
        }
        uint8_t *swapped = items;
        items = other;
        other = swapped;
    }
    if (items != all && count > 0) {
        memcpy(all, items, count * size);
    }
}

#endif
