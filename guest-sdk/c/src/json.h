// The letters of JSON: blanks, strings, numbers, and skipping unwanted values.

#ifndef TIDEGATE_SRC_JSON_H
#define TIDEGATE_SRC_JSON_H

#include "tidegate/basics.h"

// A text and the position up to which it has been read.
typedef struct tg_json {
    const uint8_t *start, *at, *end;
    unsigned depth;
} tg_json;

// Fails with this reason and the position.
tg_status tg_json_fail(const tg_json *json, const char *format, ...) TG_PRINTF(2, 3) TG_COLD;

// Returns the next byte that is no blank; 0 at the end.
uint8_t tg_json_peek(tg_json *json);

// Reads this punctuation mark, or fails.
tg_status tg_json_expect(tg_json *json, uint8_t mark);

// Reads a word, such as `null`, if it is next.
bool tg_json_word(tg_json *json, const char *word);

// Appends a string without its escapes to `text`.
tg_status tg_json_string(tg_json *json, tg_bytes *text);

// Reads a number as it is written.
tg_status tg_json_number(tg_json *json, tg_slice *number);

// Reads past any value.
tg_status tg_json_skip(tg_json *json);

// In an array or object: after `open`, or after an item, sets `*more` if another item follows.
tg_status tg_json_next(tg_json *json, uint8_t close, bool is_first, bool *more);

#endif
