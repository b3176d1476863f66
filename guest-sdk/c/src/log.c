// The log, formatted as by printf.

#include <stdarg.h>
#include <stdio.h>

#include "tidegate/host.h"

// The longest message, at which the host cuts anyway.
enum { MOST_MESSAGE = 8192 };

void tg_log(tg_level level, const char *format, ...) {
    char message[MOST_MESSAGE];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    size_t written = length < 0 ? 0 : (size_t)length;
    tg_log_text(level,
                tg_slice_of(message, written < sizeof message ? written : sizeof message - 1));
}
