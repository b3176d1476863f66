// The host's log and counters, and the end of an instance that can't continue.
//
// WebAssembly gives a guest no view of its own stack, so the message has only the line of the
// panic; the host adds the names of the functions that were running.

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "abi.h"

void tg_log_text(tg_level level, tg_slice message) {
    tg_host_log((uint32_t)level, message.data, message.len);
}

void tg_count(const char *metric, uint64_t delta) {
    tg_host_count((const uint8_t *)metric, strlen(metric), delta);
}

// Logs the reason, and traps. A failure in here, such as no memory, must not call it again.
TG_NORETURN static void end_with(const char *place, const char *format, va_list arguments) {
    char message[TG_MAX_REASON];
    int length = snprintf(message, sizeof message, "%s", place);
    vsnprintf(message + length, sizeof message - (size_t)length, format, arguments);
    tg_log_text(TG_ERROR, tg_text(message));
    __builtin_trap();
}

void tg_panic(const char *file, int line, const char *format, ...) {
    char place[256];
    snprintf(place, sizeof place, "%s:%d: ", file, line);
    va_list arguments;
    va_start(arguments, format);
    end_with(place, format, arguments);
}

TG_NORETURN static void end_plainly(const char *format, ...) TG_PRINTF(1, 2);

static void end_plainly(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    end_with("", format, arguments);
}

// The function that `assert` of wasi-libc calls.
TG_NORETURN void __assert_fail(const char *expression, const char *file, int line,
                               const char *function) {
    end_plainly("%s:%d: assertion failed: %s (in %s)", file, line, expression, function);
}

// libc++abi and others print the reason, and abort.
TG_NORETURN void abort(void) {
    tg_slice words = tg_last_words();
    end_plainly("abort() was called%s%.*s", words.len > 0 ? ": " : "", (int)words.len,
                words.len > 0 ? (const char *)words.data : "");
}
