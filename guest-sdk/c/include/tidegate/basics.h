// What everything else of the SDK is made of: byte slices, statuses, failures, memory.
//
// All of it is plain C11 that C++20 can include. Nothing here allocates but what says so.

#ifndef TIDEGATE_BASICS_H
#define TIDEGATE_BASICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TG_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define TG_NORETURN __attribute__((noreturn))
#define TG_INLINE static inline __attribute__((always_inline))
#define TG_CHECKED __attribute__((warn_unused_result))
#define TG_COLD __attribute__((cold, noinline))
#else
#define TG_PRINTF(text, first)
#define TG_NORETURN
#define TG_INLINE static inline
#define TG_CHECKED
#define TG_COLD
#endif

/// Bytes that belong to another owner. `data` may be anything, also NULL, if `len` is 0.
typedef struct tg_slice {
    const uint8_t *data;
    size_t len;
} tg_slice;

/// The bytes of a NUL-terminated text, without the NUL.
static inline tg_slice tg_text(const char *text) {
    tg_slice slice = {(const uint8_t *)text, strlen(text)};
    return slice;
}

/// `len` bytes at `data`.
static inline tg_slice tg_slice_of(const void *data, size_t len) {
    tg_slice slice = {(const uint8_t *)data, len};
    return slice;
}

/// True if both have the same bytes.
static inline bool tg_slice_equal(tg_slice left, tg_slice right) {
    return left.len == right.len && (left.len == 0 || memcmp(left.data, right.data, left.len) == 0);
}

/// Compares byte by byte, a prefix before what is longer: negative, 0 or positive.
static inline int tg_slice_compare(tg_slice left, tg_slice right) {
    size_t common = left.len < right.len ? left.len : right.len;
    int order = common == 0 ? 0 : memcmp(left.data, right.data, common);
    return order != 0 ? order : (left.len > right.len) - (left.len < right.len);
}

/// How a call of an operator ended. A failure's reason is kept until the next one.
typedef enum tg_status {
    /// It succeeded.
    TG_OK = 0,
    /// One record can't be processed: the job's policy decides whether it goes to the dead letters.
    TG_INVALID_RECORD = 1,
    /// The restored state can't be read by this version of the operator. The job does not start.
    TG_INCOMPATIBLE_STATE = 2,
    /// Anything else: the attempt ends, and the job restarts from its last checkpoint.
    TG_OTHER = 3,
} tg_status;

/// Returns from the function with the status of `call` if it is a failure.
#define TG_TRY(call)                       \
    do {                                   \
        tg_status tg_try_status_ = (call); \
        if (tg_try_status_ != TG_OK) {     \
            return tg_try_status_;         \
        }                                  \
    } while (0)

/// Records why a call fails, as printf writes it, and gives `TG_OTHER` to return.
tg_status tg_fail(const char *format, ...) TG_PRINTF(1, 2) TG_COLD;

/// Records why restored state can't be read, and gives `TG_INCOMPATIBLE_STATE` to return.
tg_status tg_incompatible(const char *format, ...) TG_PRINTF(1, 2) TG_COLD;

/// Records that the record in row `row` of the batch is invalid, and gives `TG_INVALID_RECORD`.
/// `tg_invalid` in record.h is what an operator wants.
tg_status tg_fail_row(uint32_t row, const char *format, ...) TG_PRINTF(2, 3) TG_COLD;

/// The refusal of a version that `migrate` does not know.
tg_status tg_unknown_version(uint32_t version) TG_COLD;

/// Why the last call failed. Valid until the next failure; empty if there was none.
const char *tg_failure_reason(void);

/// The row of the last `TG_INVALID_RECORD`.
uint32_t tg_failure_row(void);

/// The longest reason in bytes; what is longer is cut at a character.
enum { TG_MAX_REASON = 2048 };

/// Ends the instance with a message that names file and line: for what can only be a mistake in the
/// operator itself. The message reaches the host's error; then the instance traps. In a native
/// test it goes to stderr, and the process aborts.
#define TG_PANIC(...) tg_panic(__FILE__, __LINE__, __VA_ARGS__)

/// What `TG_PANIC` calls.
TG_NORETURN void tg_panic(const char *file, int line, const char *format, ...)
    TG_PRINTF(3, 4) TG_COLD;

/// As malloc and realloc, but out of memory is a panic: an operator can't go on without. A size of
/// 0 gives NULL.
void *tg_alloc(size_t size) TG_CHECKED;
/// As `tg_alloc`, filled with zeros.
void *tg_alloc_zeroed(size_t size) TG_CHECKED;
/// As `tg_alloc`, keeping what `old` has.
void *tg_realloc(void *old, size_t size) TG_CHECKED;
/// As free.
void tg_dealloc(void *memory);

/// Growable bytes that belong to whoever holds them. All zeros is a valid empty one.
typedef struct tg_bytes {
    uint8_t *data;
    size_t len;
    size_t capacity;
} tg_bytes;

/// Growable text in UTF-8, without a NUL at its end. All zeros is a valid empty one.
typedef struct tg_string {
    char *data;
    size_t len;
    size_t capacity;
} tg_string;

/// Makes room for `more` bytes behind the end.
void tg_bytes_grow(tg_bytes *bytes, size_t more) TG_COLD;

/// Makes room for `more` bytes behind the end, and does nothing if it is there.
TG_INLINE void tg_bytes_reserve(tg_bytes *bytes, size_t more) {
    if (bytes->capacity - bytes->len < more) {
        tg_bytes_grow(bytes, more);
    }
}

/// Appends one byte.
TG_INLINE void tg_bytes_push(tg_bytes *bytes, uint8_t byte) {
    tg_bytes_reserve(bytes, 1);
    bytes->data[bytes->len++] = byte;
}

/// Appends bytes, which must not be its own.
TG_INLINE void tg_bytes_append(tg_bytes *bytes, tg_slice more) {
    tg_bytes_reserve(bytes, more.len);
    if (more.len > 0) {
        memcpy(bytes->data + bytes->len, more.data, more.len);
        bytes->len += more.len;
    }
}

/// Replaces what is there. `with` must not be its own.
void tg_bytes_set(tg_bytes *bytes, tg_slice with);

/// Gives the memory back, and leaves it empty.
void tg_bytes_free(tg_bytes *bytes);

/// Its bytes, valid until it changes.
static inline tg_slice tg_bytes_slice(const tg_bytes *bytes) {
    return tg_slice_of(bytes->data, bytes->len);
}

/// Replaces the text. `with` must not be its own; that it is UTF-8 is checked when it is written.
void tg_string_set(tg_string *text, tg_slice with);

/// Appends to the text.
void tg_string_append(tg_string *text, tg_slice more);

/// Gives the memory back, and leaves it empty.
void tg_string_free(tg_string *text);

/// Its bytes, valid until it changes.
static inline tg_slice tg_string_slice(const tg_string *text) {
    return tg_slice_of(text->data, text->len);
}

/// True if the bytes are UTF-8.
bool tg_is_utf8(tg_slice bytes);

#ifdef __cplusplus
}
#endif

#endif
