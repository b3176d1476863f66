// The reason of the last failure. One instance runs at a time in a thread, so one place is enough.

#include <stdarg.h>
#include <stdio.h>

#include "tidegate/basics.h"

#ifdef __wasm__
#define PER_THREAD
#else
#define PER_THREAD _Thread_local
#endif

static PER_THREAD char reason[TG_MAX_REASON + 1];
static PER_THREAD uint32_t failed_row;

// Cuts a text that is too long at the start of a character.
static void cut_at_character(char *text, size_t limit) {
    size_t end = limit;
    while (end > 0 && ((unsigned char)text[end - 1] & 0xc0) == 0x80) {
        end -= 1;
    }
    bool is_cut = end > 0 && (unsigned char)text[end - 1] >= 0xc0;
    text[is_cut ? end - 1 : limit] = '\0';
}

static void set_reason(const char *format, va_list arguments) {
    // The last reason itself may be an argument.
    char next[sizeof reason];
    int length = vsnprintf(next, sizeof next, format, arguments);
    if (length >= (int)sizeof next) {
        cut_at_character(next, TG_MAX_REASON);
    }
    memcpy(reason, next, sizeof next);
}

tg_status tg_fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    set_reason(format, arguments);
    va_end(arguments);
    return TG_OTHER;
}

tg_status tg_incompatible(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    set_reason(format, arguments);
    va_end(arguments);
    return TG_INCOMPATIBLE_STATE;
}

tg_status tg_fail_row(uint32_t row, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    set_reason(format, arguments);
    va_end(arguments);
    failed_row = row;
    return TG_INVALID_RECORD;
}

tg_status tg_unknown_version(uint32_t version) {
    return tg_incompatible("this operator does not read version %u", (unsigned)version);
}

const char *tg_failure_reason(void) { return reason; }

uint32_t tg_failure_row(void) { return failed_row; }
