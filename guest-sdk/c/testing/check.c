// Runs tests, and ends a failed test.

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../src/native/recorder.h"
#include "tidegate/testing.h"

void tg_check_failed(const char *file, int line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(EXIT_FAILURE);
}

static const char *status_name(tg_status status) {
    static const char *const names[] = {"success", "an invalid record", "incompatible state",
                                        "a failure"};
    return names[status];
}

void tg_check_status(const char *file, int line, tg_status actual, tg_status expected,
                     const char *part) {
    const char *reason = actual == TG_OK ? "" : tg_failure_reason();
    if (actual == expected && strstr(reason, part) != NULL) {
        return;
    }
    tg_check_failed(file, line, "%s with \"%s\" was expected, and there was %s: %s",
                    status_name(expected), part, status_name(actual), reason);
}

void tg_check_text(const char *file, int line, const char *actual, const char *expected) {
    if (strcmp(actual, expected) != 0) {
        tg_check_failed(file, line, "expected:\n%s\ngot:\n%s", expected, actual);
    }
}

void tg_check_equal(const char *file, int line, long long actual, long long expected) {
    if (actual != expected) {
        tg_check_failed(file, line, "expected %lld, got %lld", expected, actual);
    }
}

int tg_run_tests(const char *names, void (*const *tests)(void), size_t count) {
    for (size_t index = 0; index < count; index++) {
        size_t length = strcspn(names, ", \n");
        printf("test %.*s ...", (int)length, names);
        fflush(stdout);
        tests[index]();
        tg_recorder_reset();
        puts(" ok");
        names += length;
        names += strspn(names, ", \n");
    }
    return EXIT_SUCCESS;
}
