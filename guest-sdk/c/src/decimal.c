// Numbers as decimal text. Writing splits all halves of eight digits at once: 8 digits into 4 and
// 4, these into 2 and 2, these into 1 and 1, as the Rust SDK does.

#include "decimal.h"

#include <stdlib.h>

#include "tidegate/output.h"

#define WORD_DIGITS 100000000u
#define ASCII_ZEROS 0x3030303030303030u

// The most digits that always fit in 64 bits, and the most of any 64-bit number.
enum { SAFE_DIGITS = 19, MOST_DIGITS = 20 };

// Returns the digits of a number below 10^8, one per byte, the first in the lowest byte.
static uint64_t eight_digits(uint64_t number) {
    uint64_t fours = (number / 10000) | ((number % 10000) << 32);
    uint64_t hundreds = ((fours * 10486) >> 20) & 0x0000007f0000007fu;
    uint64_t twos = hundreds | ((fours - hundreds * 100) << 16);
    uint64_t tens = ((twos * 103) >> 10) & 0x000f000f000f000fu;
    return tens | ((twos - tens * 10) << 8);
}

// Writes the low `count` bytes of a word; there is room for eight.
static void put_word(tg_bytes *out, uint64_t word, size_t count) {
    for (int byte = 0; byte < 8; byte++) {
        out->data[out->len + (size_t)byte] = (uint8_t)(word >> (8 * byte));
    }
    out->len += count;
}

// Writes a number below 10^8 without leading zeros.
static void put_leading(tg_bytes *out, uint64_t number) {
    uint64_t digits = eight_digits(number);
    unsigned zeros = digits == 0 ? 7 : (unsigned)__builtin_ctzll(digits) / 8;
    put_word(out, (digits | ASCII_ZEROS) >> (zeros * 8), 8 - zeros);
}

void tg_append_u64(tg_bytes *out, uint64_t number) {
    tg_bytes_reserve(out, MOST_DIGITS + 8);
    if (number < WORD_DIGITS) {
        put_leading(out, number);
        return;
    }
    uint64_t high = number / WORD_DIGITS;
    if (high < WORD_DIGITS) {
        put_leading(out, high);
    } else {
        put_leading(out, high / WORD_DIGITS);
        put_word(out, eight_digits(high % WORD_DIGITS) | ASCII_ZEROS, 8);
    }
    put_word(out, eight_digits(number % WORD_DIGITS) | ASCII_ZEROS, 8);
}

void tg_append_i64(tg_bytes *out, int64_t number) {
    uint64_t magnitude = (uint64_t)number;
    if (number < 0) {
        tg_bytes_push(out, '-');
        magnitude = 0 - magnitude;
    }
    tg_append_u64(out, magnitude);
}

bool tg_parse_decimal(tg_slice text, bool is_signed, tg_decimal *number) {
    number->negative = is_signed && text.len > 0 && text.data[0] == '-';
    size_t at = number->negative ? 1 : 0;
    size_t digits = text.len - at;
    if (digits == 0 || digits > MOST_DIGITS) {
        return false;
    }
    uint64_t magnitude = 0;
    for (size_t count = 0; count < digits; count++) {
        uint64_t digit = (uint8_t)(text.data[at + count] - '0');
        if (digit > 9) {
            return false;
        }
        bool overflows = count >= SAFE_DIGITS && magnitude > (UINT64_MAX - digit) / 10;
        if (overflows) {
            return false;
        }
        magnitude = magnitude * 10 + digit;
    }
    number->magnitude = magnitude;
    return true;
}

static bool is_word(tg_slice text, const char *word) {
    size_t length = strlen(word);
    if (text.len != length) {
        return false;
    }
    for (size_t at = 0; at < length; at++) {
        if ((text.data[at] | 0x20) != word[at]) {
            return false;
        }
    }
    return true;
}

static size_t skip_digits(tg_slice text, size_t at) {
    while (at < text.len && (uint8_t)(text.data[at] - '0') <= 9) {
        at += 1;
    }
    return at;
}

// Checks for digits, with a point anywhere among them, and an exponent.
static bool is_float_number(tg_slice text) {
    size_t at = skip_digits(text, 0);
    size_t digits = at;
    if (at < text.len && text.data[at] == '.') {
        size_t after = skip_digits(text, at + 1);
        digits += after - (at + 1);
        at = after;
    }
    if (digits == 0) {
        return false;
    }
    if (at < text.len && (text.data[at] | 0x20) == 'e') {
        at += 1;
        if (at < text.len && (text.data[at] == '+' || text.data[at] == '-')) {
            at += 1;
        }
        size_t after = skip_digits(text, at);
        if (after == at) {
            return false;
        }
        at = after;
    }
    return at == text.len;
}

bool tg_parse_f64(tg_slice text, double *number) {
    tg_slice rest = text;
    if (rest.len > 0 && (rest.data[0] == '+' || rest.data[0] == '-')) {
        rest = tg_slice_of(rest.data + 1, rest.len - 1);
    }
    bool is_special = is_word(rest, "inf") || is_word(rest, "infinity") || is_word(rest, "nan");
    if (!is_special && !is_float_number(rest)) {
        return false;
    }
    char short_text[64];
    bool is_short = text.len < sizeof short_text;
    char *copy = is_short ? short_text : tg_alloc(text.len + 1);
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    *number = strtod(copy, NULL);
    if (!is_short) {
        tg_dealloc(copy);
    }
    return true;
}
