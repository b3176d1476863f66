// The letters of JSON (RFC 8259).

#include "json.h"

#include <stdarg.h>
#include <stdio.h>

enum { MAX_DEPTH = 100 };

tg_status tg_json_fail(const tg_json *json, const char *format, ...) {
    char reason[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    size_t line = 1;
    size_t column = 0;
    for (const uint8_t *at = json->start; at < json->at; at++) {
        column += 1;
        if (*at == '\n') {
            line += 1;
            column = 0;
        }
    }
    return tg_fail("%s at line %zu column %zu", reason, line, column);
}

uint8_t tg_json_peek(tg_json *json) {
    while (json->at < json->end) {
        uint8_t next = *json->at;
        if (next != ' ' && next != '\t' && next != '\n' && next != '\r') {
            return next;
        }
        json->at += 1;
    }
    return 0;
}

tg_status tg_json_expect(tg_json *json, uint8_t mark) {
    if (tg_json_peek(json) != mark) {
        return json->at == json->end ? tg_json_fail(json, "EOF while parsing a value")
                                     : tg_json_fail(json, "expected `%c`", mark);
    }
    json->at += 1;
    return TG_OK;
}

bool tg_json_word(tg_json *json, const char *word) {
    tg_json_peek(json);
    size_t length = strlen(word);
    bool is_next = (size_t)(json->end - json->at) >= length && memcmp(json->at, word, length) == 0;
    json->at += is_next ? length : 0;
    return is_next;
}

static tg_status read_hex(tg_json *json, uint32_t *unit) {
    *unit = 0;
    for (int digit = 0; digit < 4; digit++) {
        uint8_t letter = json->at < json->end ? *json->at : 0;
        uint8_t lower = letter | 0x20;
        if (letter >= '0' && letter <= '9') {
            *unit = *unit * 16 + (letter - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            *unit = *unit * 16 + (lower - 'a' + 10u);
        } else {
            return tg_json_fail(json, "invalid escape");
        }
        json->at += 1;
    }
    return TG_OK;
}

static void append_character(tg_bytes *text, uint32_t code) {
    if (code < 0x80) {
        tg_bytes_push(text, (uint8_t)code);
        return;
    }
    if (code < 0x800) {
        tg_bytes_push(text, (uint8_t)(0xc0 | code >> 6));
    } else {
        if (code < 0x10000) {
            tg_bytes_push(text, (uint8_t)(0xe0 | code >> 12));
        } else {
            tg_bytes_push(text, (uint8_t)(0xf0 | code >> 18));
            tg_bytes_push(text, (uint8_t)(0x80 | (code >> 12 & 0x3f)));
        }
        tg_bytes_push(text, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
    }
    tg_bytes_push(text, (uint8_t)(0x80 | (code & 0x3f)));
}

static tg_status read_unicode(tg_json *json, tg_bytes *text) {
    uint32_t unit;
    TG_TRY(read_hex(json, &unit));
    if (unit >= 0xd800 && unit < 0xdc00) {
        uint32_t low;
        // `tg_json_word` would skip blanks, which may not come between two halves of a character.
        bool is_pair = json->end - json->at >= 2 && json->at[0] == '\\' && json->at[1] == 'u';
        if (!is_pair) {
            return tg_json_fail(json, "lone surrogate in a string");
        }
        json->at += 2;
        TG_TRY(read_hex(json, &low));
        if (low < 0xdc00 || low > 0xdfff) {
            return tg_json_fail(json, "lone surrogate in a string");
        }
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    } else if (unit >= 0xdc00 && unit < 0xe000) {
        return tg_json_fail(json, "lone surrogate in a string");
    }
    append_character(text, unit);
    return TG_OK;
}

static tg_status read_escape(tg_json *json, tg_bytes *text) {
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    uint8_t letter = json->at < json->end ? *json->at : 0;
    json->at += letter != 0;
    if (letter == 'u') {
        return read_unicode(json, text);
    }
    const char *found = letter == 0 ? NULL : strchr(letters, letter);
    if (found == NULL) {
        return tg_json_fail(json, "invalid escape");
    }
    tg_bytes_push(text, (uint8_t)meanings[found - letters]);
    return TG_OK;
}

tg_status tg_json_string(tg_json *json, tg_bytes *text) {
    if (tg_json_peek(json) != '"') {
        return tg_json_fail(json, "invalid type, expected a string");
    }
    json->at += 1;
    size_t start = text->len;
    while (json->at < json->end) {
        uint8_t next = *json->at++;
        if (next == '"') {
            tg_slice read = tg_slice_of(text->data + start, text->len - start);
            return text->len == start || tg_is_utf8(read)
                       ? TG_OK
                       : tg_json_fail(json, "invalid unicode code point");
        }
        if (next == '\\') {
            TG_TRY(read_escape(json, text));
        } else if (next < 0x20) {
            return tg_json_fail(json, "control character while parsing a string");
        } else {
            tg_bytes_push(text, next);
        }
    }
    return tg_json_fail(json, "EOF while parsing a string");
}

static bool skip_digits(tg_json *json) {
    const uint8_t *start = json->at;
    while (json->at < json->end && (uint8_t)(*json->at - '0') <= 9) {
        json->at += 1;
    }
    return json->at > start;
}

static bool skip_one(tg_json *json, uint8_t either, uint8_t or) {
    bool is_next = json->at < json->end && (*json->at == either || *json->at == or);
    json->at += is_next;
    return is_next;
}

tg_status tg_json_number(tg_json *json, tg_slice *number) {
    uint8_t first = tg_json_peek(json);
    if (first != '-' && (uint8_t)(first - '0') > 9) {
        return tg_json_fail(json, "invalid type, expected a number");
    }
    const uint8_t *start = json->at;
    skip_one(json, '-', '-');
    bool is_fine = skip_one(json, '0', '0') || skip_digits(json);
    if (is_fine && skip_one(json, '.', '.')) {
        is_fine = skip_digits(json);
    }
    if (is_fine && skip_one(json, 'e', 'E')) {
        skip_one(json, '+', '-');
        is_fine = skip_digits(json);
    }
    *number = tg_slice_of(start, (size_t)(json->at - start));
    return is_fine ? TG_OK : tg_json_fail(json, "invalid number");
}

tg_status tg_json_next(tg_json *json, uint8_t close, bool is_first, bool *more) {
    if (tg_json_peek(json) == close) {
        json->at += 1;
        *more = false;
        return TG_OK;
    }
    *more = true;
    return is_first ? TG_OK : tg_json_expect(json, ',');
}

static tg_status skip_items(tg_json *json, uint8_t close) {
    bool more = true;
    for (bool is_first = true; more; is_first = false) {
        TG_TRY(tg_json_next(json, close, is_first, &more));
        if (more && close == '}') {
            tg_bytes name = {0};
            tg_status status = tg_json_string(json, &name);
            tg_bytes_free(&name);
            TG_TRY(status);
            TG_TRY(tg_json_expect(json, ':'));
        }
        if (more) {
            TG_TRY(tg_json_skip(json));
        }
    }
    return TG_OK;
}

tg_status tg_json_skip(tg_json *json) {
    uint8_t first = tg_json_peek(json);
    if (first == '{' || first == '[') {
        if (json->depth == MAX_DEPTH) {
            return tg_json_fail(json, "recursion limit exceeded");
        }
        json->depth += 1;
        json->at += 1;
        TG_TRY(skip_items(json, first == '{' ? '}' : ']'));
        json->depth -= 1;
        return TG_OK;
    }
    if (first == '"') {
        tg_bytes text = {0};
        tg_status status = tg_json_string(json, &text);
        tg_bytes_free(&text);
        return status;
    }
    if (tg_json_word(json, "null") || tg_json_word(json, "true") || tg_json_word(json, "false")) {
        return TG_OK;
    }
    tg_slice number;
    return tg_json_number(json, &number);
}
