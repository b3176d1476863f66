// Numbers as decimal text, as the Rust SDK reads and writes them.

#ifndef TIDEGATE_SRC_DECIMAL_H
#define TIDEGATE_SRC_DECIMAL_H

#include "tidegate/basics.h"

// A number that was read: `magnitude`, below 0 if `negative`.
typedef struct tg_decimal {
    uint64_t magnitude;
    bool negative;
} tg_decimal;

// Reads all of `text`: digits, with a minus sign in front if `is_signed`. Returns false if the text
// is no number of 64 bits.
bool tg_parse_decimal(tg_slice text, bool is_signed, tg_decimal *number);

// Reads all of `text` as a float, in the grammar of Rust: no hexadecimal, no blanks.
bool tg_parse_f64(tg_slice text, double *number);

#endif
