// The imports of wasi-libc, defined here, so that a component imports only our host.
//
// The two streams go to the log: standard output as `info`, standard error as `warn`, line by line.
// No other request of the C library reaches the outside. wasm-ld takes a function of the name below
// instead of the import that wasi-libc declares.

#include "abi.h"

enum { ERROR_BAD_FILE = 8, ERROR_NOT_SUPPORTED = 58, FILE_OUT = 1, FILE_ERR = 2, LINE = 1024 };

typedef struct stream {
    uint8_t line[LINE];
    size_t len;
} stream;

static stream out, err;
static uint8_t last_line[LINE];
static size_t last_length;

static void end_line(stream *from, bool is_err) {
    if (is_err && from->len > 0) {
        memcpy(last_line, from->line, from->len);
        last_length = from->len;
    }
    if (from->len > 0) {
        tg_log_text(is_err ? TG_WARN : TG_INFO, tg_slice_of(from->line, from->len));
    }
    from->len = 0;
}

tg_slice tg_last_words(void) {
    end_line(&err, true);
    return tg_slice_of(last_line, last_length);
}

static void put(stream *to, bool is_err, const uint8_t *bytes, size_t len) {
    for (size_t at = 0; at < len; at++) {
        if (bytes[at] == '\n' || to->len == LINE) {
            end_line(to, is_err);
        }
        if (bytes[at] != '\n') {
            to->line[to->len++] = bytes[at];
        }
    }
}

#define WASI(name) __imported_wasi_snapshot_preview1_##name

// NOLINTBEGIN(bugprone-reserved-identifier)
int32_t WASI(fd_write)(int32_t file, const tg_slice *pieces, size_t count, size_t *written);
int32_t WASI(fd_write)(int32_t file, const tg_slice *pieces, size_t count, size_t *written) {
    if (file != FILE_OUT && file != FILE_ERR) {
        return ERROR_BAD_FILE;
    }
    *written = 0;
    for (size_t index = 0; index < count; index++) {
        put(file == FILE_ERR ? &err : &out, file == FILE_ERR, pieces[index].data,
            pieces[index].len);
        *written += pieces[index].len;
    }
    return 0;
}

void WASI(proc_exit)(int32_t code);
void WASI(proc_exit)(int32_t code) {
    tg_slice words = tg_last_words();
    TG_PANIC("exit(%d) was called%s%.*s", (int)code, words.len > 0 ? ": " : "", (int)words.len,
             words.len > 0 ? (const char *)words.data : "");
}

// Defines a function without effect, by the parameters that wasi-libc gives it.
#define ABSENT(name, error, ...)     \
    int32_t WASI(name)(__VA_ARGS__); \
    int32_t WASI(name)(__VA_ARGS__) { return error; }

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wunused-parameter"
ABSENT(fd_close, ERROR_BAD_FILE, int32_t a)
ABSENT(fd_seek, ERROR_BAD_FILE, int32_t a, int64_t b, int32_t c, int32_t d)
ABSENT(fd_read, ERROR_BAD_FILE, int32_t a, int32_t b, int32_t c, int32_t d)
ABSENT(fd_fdstat_get, ERROR_BAD_FILE, int32_t a, int32_t b)
ABSENT(fd_fdstat_set_flags, ERROR_BAD_FILE, int32_t a, int32_t b)
ABSENT(fd_filestat_get, ERROR_BAD_FILE, int32_t a, int32_t b)
ABSENT(fd_prestat_get, ERROR_BAD_FILE, int32_t a, int32_t b)
ABSENT(fd_prestat_dir_name, ERROR_BAD_FILE, int32_t a, int32_t b, int32_t c)
ABSENT(fd_readdir, ERROR_BAD_FILE, int32_t a, int32_t b, int32_t c, int64_t d, int32_t e)
ABSENT(fd_sync, ERROR_BAD_FILE, int32_t a)
ABSENT(fd_tell, ERROR_BAD_FILE, int32_t a, int32_t b)
ABSENT(path_open, ERROR_BAD_FILE, int32_t a, int32_t b, int32_t c, int32_t d, int32_t e, int64_t f,
       int64_t g, int32_t h, int32_t i)
ABSENT(path_filestat_get, ERROR_BAD_FILE, int32_t a, int32_t b, int32_t c, int32_t d, int32_t e)
ABSENT(path_unlink_file, ERROR_BAD_FILE, int32_t a, int32_t b, int32_t c)
ABSENT(path_remove_directory, ERROR_BAD_FILE, int32_t a, int32_t b, int32_t c)
ABSENT(path_create_directory, ERROR_BAD_FILE, int32_t a, int32_t b, int32_t c)
ABSENT(path_rename, ERROR_BAD_FILE, int32_t a, int32_t b, int32_t c, int32_t d, int32_t e,
       int32_t f)
ABSENT(clock_time_get, ERROR_NOT_SUPPORTED, int32_t a, int64_t b, int32_t c)
ABSENT(clock_res_get, ERROR_NOT_SUPPORTED, int32_t a, int32_t b)
ABSENT(random_get, ERROR_NOT_SUPPORTED, int32_t a, int32_t b)
ABSENT(poll_oneoff, ERROR_NOT_SUPPORTED, int32_t a, int32_t b, int32_t c, int32_t d)
ABSENT(sched_yield, 0, void)
ABSENT(args_get, ERROR_NOT_SUPPORTED, int32_t a, int32_t b)
ABSENT(args_sizes_get, ERROR_NOT_SUPPORTED, int32_t a, int32_t b)
ABSENT(environ_get, ERROR_NOT_SUPPORTED, int32_t a, int32_t b)
ABSENT(environ_sizes_get, ERROR_NOT_SUPPORTED, int32_t a, int32_t b)
#pragma clang diagnostic pop
// NOLINTEND(bugprone-reserved-identifier)
