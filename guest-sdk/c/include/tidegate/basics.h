// The basis of the SDK: byte slices, statuses, failures, memory.
//
// All of it is plain C11 that C++20 can include. Only functions that say so allocate.

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

/// Returns the bytes of a NUL-terminated text, without the NUL.
static inline tg_slice tg_text(const char *text) {
    tg_slice slice = {(const uint8_t *)text, strlen(text)};
    return slice;
}

/// Returns `len` bytes at `data`.
static inline tg_slice tg_slice_of(const void *data, size_t len) {
    tg_slice slice = {(const uint8_t *)data, len};
    return slice;
}

/// Returns true if both have the same bytes.
static inline bool tg_slice_equal(tg_slice left, tg_slice right) {
    return left.len == right.len && (left.len == 0 || memcmp(left.data, right.data, left.len) == 0);
}

/// Compares byte by byte, a prefix before a longer slice: negative, 0 or positive.
static inline int tg_slice_compare(tg_slice left, tg_slice right) {
    size_t common = left.len < right.len ? left.len : right.len;
    int order = common == 0 ? 0 : memcmp(left.data, right.data, common);
    return order != 0 ? order : (left.len > right.len) - (left.len < right.len);
}

/// The outcome of an operator's call. The SDK keeps a failure's reason until the next failure.
typedef enum tg_status {
    /// Success.
    TG_OK = 0,
    /// An invalid record: the job's policy decides whether the record goes to the dead letters.
    TG_INVALID_RECORD = 1,
    /// Restored state that this version of the operator can't read. The job does not start.
    TG_INCOMPATIBLE_STATE = 2,
    /// Any other failure: the attempt ends, and the job restarts from its last checkpoint.
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

/// Records why a call fails, formatted as by printf, and returns `TG_OTHER` for the caller to
/// return.
tg_status tg_fail(const char *format, ...) TG_PRINTF(1, 2) TG_COLD;

/// Records why restored state can't be read, and returns `TG_INCOMPATIBLE_STATE` for the caller to
/// return.
tg_status tg_incompatible(const char *format, ...) TG_PRINTF(1, 2) TG_COLD;

/// Records that the record in row `row` of the batch is invalid, and returns `TG_INVALID_RECORD`.
/// Operators use `tg_invalid` in record.h.
tg_status tg_fail_row(uint32_t row, const char *format, ...) TG_PRINTF(2, 3) TG_COLD;

/// Rejects a version that `migrate` does not know.
tg_status tg_unknown_version(uint32_t version) TG_COLD;

/// Returns the reason of the last failure. Valid until the next failure; empty before the first.
const char *tg_failure_reason(void);

/// Returns the row of the last `TG_INVALID_RECORD`.
uint32_t tg_failure_row(void);

/// The longest reason in bytes; a longer reason is cut at a character.
enum { TG_MAX_REASON = 2048 };

/// Ends the instance with a message that names file and line, for a condition that only a mistake
/// in the operator can cause. The message reaches the host's error; then the instance traps. In a
/// native test the message goes to stderr, and the process aborts.
#define TG_PANIC(...) tg_panic(__FILE__, __LINE__, __VA_ARGS__)

/// The function behind `TG_PANIC`.
TG_NORETURN void tg_panic(const char *file, int line, const char *format, ...)
    TG_PRINTF(3, 4) TG_COLD;

/// Like malloc and realloc, but panics if out of memory: an operator can't continue without memory.
/// A size of 0 returns NULL.
void *tg_alloc(size_t size) TG_CHECKED;
/// Like `tg_alloc`, filled with zeros.
void *tg_alloc_zeroed(size_t size) TG_CHECKED;
/// Like `tg_alloc`, keeping the contents of `old`.
void *tg_realloc(void *old, size_t size) TG_CHECKED;
/// Like free.
void tg_dealloc(void *memory);

/// Growable bytes that belong to their holder. All zeros is a valid empty value.
typedef struct tg_bytes {
    uint8_t *data;
    size_t len;
    size_t capacity;
} tg_bytes;

/// Growable text in UTF-8, without a NUL at its end. All zeros is a valid empty value.
typedef struct tg_string {
    char *data;
    size_t len;
    size_t capacity;
} tg_string;

/// Makes room for `more` bytes behind the end.
void tg_bytes_grow(tg_bytes *bytes, size_t more) TG_COLD;

/// Makes room for `more` bytes behind the end, if it is not already there.
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

/// Appends bytes, which must not be the buffer's own.
TG_INLINE void tg_bytes_append(tg_bytes *bytes, tg_slice more) {
    tg_bytes_reserve(bytes, more.len);
    if (more.len > 0) {
        memcpy(bytes->data + bytes->len, more.data, more.len);
        bytes->len += more.len;
    }
}

/// Replaces the contents. `with` must not be the buffer's own.
void tg_bytes_set(tg_bytes *bytes, tg_slice with);

/// Frees the memory, and leaves the buffer empty.
void tg_bytes_free(tg_bytes *bytes);

/// Returns the bytes, valid until the buffer changes.
static inline tg_slice tg_bytes_slice(const tg_bytes *bytes) {
    return tg_slice_of(bytes->data, bytes->len);
}

/// Replaces the text. `with` must not be its own; writing the text checks that it is UTF-8.
void tg_string_set(tg_string *text, tg_slice with);

/// Appends to the text.
void tg_string_append(tg_string *text, tg_slice more);

/// Frees the memory, and leaves the text empty.
void tg_string_free(tg_string *text);

/// Returns the bytes of the text, valid until it changes.
static inline tg_slice tg_string_slice(const tg_string *text) {
    return tg_slice_of(text->data, text->len);
}

/// Returns true if the bytes are UTF-8.
bool tg_is_utf8(tg_slice bytes);

#ifdef __cplusplus
}
#endif

#endif
