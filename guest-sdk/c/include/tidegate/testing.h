// Runs operators natively, in tests: records in, emissions out, snapshots, and restores at another
// parallelism. Not for components.

#ifndef TIDEGATE_TESTING_H
#define TIDEGATE_TESTING_H

#include "tidegate/operator.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The place where a harness's operator runs. A member that is 0 or NULL has its default.
typedef struct tg_harness_options {
    /// The `config` table as JSON; by default `{}`.
    const char *config;
    /// The subtask that runs, and the parallelism; by default 0 of 1.
    uint32_t subtask, parallelism;
    /// The number of key groups; by default 128.
    uint32_t max_parallelism;
    /// The names of the inputs and output ports, with a NULL at the end; by default `input` and
    /// `output`.
    const char *const *inputs;
    const char *const *outputs;
    /// The watermark of the restored snapshot, or NULL: the operator receives it again, before any
    /// record, as from the host. For several subtasks, set their smallest watermark.
    const int64_t *watermark;
    /// The seed of hash tables. Nothing that can be observed may depend on it.
    uint64_t hash_seed;
} tg_harness_options;

/// An operator that runs natively.
typedef struct tg_harness tg_harness;

/// The chunks of a snapshot, or of several subtasks together.
typedef struct tg_snapshot {
    tg_state_chunk *chunks;
    size_t count;
} tg_snapshot;

/// One record that an operator emitted.
typedef struct tg_emitted {
    uint32_t port;
    /// The timestamp, or TG_NO_TIMESTAMP.
    int64_t timestamp;
    tg_slice key, value;
} tg_emitted;

/// Opens a new instance without state; `options` may be NULL. Ends the test on failure.
tg_harness *tg_harness_open(const tg_operator *definition, const tg_harness_options *options);

/// Opens a new instance and restores its own part of a snapshot. Ends the test on failure.
tg_harness *tg_harness_restore(const tg_operator *definition, const tg_harness_options *options,
                               const tg_snapshot *snapshot);

/// Like `tg_harness_open` (if `snapshot` is NULL) or `tg_harness_restore`, for an expected failure,
/// and also for raw operators. Close `*harness` in any case.
tg_status tg_harness_try(const tg_export *exported, const tg_harness_options *options,
                         const tg_snapshot *snapshot, tg_harness **harness);

/// Ends the instance and frees the harness; NULL is fine.
void tg_harness_close(tg_harness *harness);

/// Returns true if a record with this key reaches this subtask over a `hash` edge.
bool tg_harness_owns(const tg_harness *harness, tg_slice key);

/// Hands the operator one record of texts, without timestamp, on input 0.
tg_status tg_harness_send(tg_harness *harness, const char *key, const char *value);

/// Hands the operator one record with a timestamp, or with TG_NO_TIMESTAMP, on an input.
tg_status tg_harness_send_at(tg_harness *harness, uint32_t input, int64_t timestamp, tg_slice key,
                             tg_slice value);

/// Hands the operator a batch, as the host does.
tg_status tg_harness_send_batch(tg_harness *harness, uint32_t input, const tg_batch *batch);

/// Advances event time.
tg_status tg_harness_watermark(tg_harness *harness, int64_t watermark);

/// Ends all inputs.
tg_status tg_harness_finish(tg_harness *harness);

/// Takes a snapshot, as a checkpoint does. Equal state gives equal bytes. Ends the test on failure.
tg_snapshot *tg_harness_snapshot(tg_harness *harness);

/// Like `tg_harness_snapshot`, for an expected failure.
tg_status tg_harness_try_snapshot(tg_harness *harness, tg_snapshot **snapshot);

/// Takes a snapshot and continues with a new instance, as after a failure: the new instance is
/// restored, and receives the last watermark again, if any. Its emissions then are kept with the
/// rest.
tg_status tg_harness_restart(tg_harness *harness);

/// Notifies the operator that its last snapshot is durable everywhere.
tg_status tg_harness_checkpoint_complete(tg_harness *harness);

/// Returns the number of records that were emitted and not taken yet.
size_t tg_harness_emitted_count(const tg_harness *harness);
/// Returns the emitted record at `index`, valid until the next call.
tg_emitted tg_harness_emitted(const tg_harness *harness, size_t index);
/// Forgets the emitted records.
void tg_harness_clear(tg_harness *harness);

/// Takes the records emitted since the last call, as lines `key value`, with `port:` in front if
/// the port is not 0. Valid until the next call.
const char *tg_harness_take_text(tg_harness *harness);

/// Takes the messages that this thread's operators have logged since the last call, as lines
/// `level: message`. Valid until the next call.
const char *tg_harness_take_log(tg_harness *harness);

/// Returns the sum that this thread's operators have added to a counter since the last harness was
/// opened.
uint64_t tg_harness_counter(const tg_harness *harness, const char *metric);

/// Appends the chunks of another snapshot to those of `snapshot`, and frees the other.
void tg_snapshot_join(tg_snapshot *snapshot, tg_snapshot *other);

/// Returns true if both have the same chunks.
bool tg_snapshot_equal(const tg_snapshot *left, const tg_snapshot *right);

/// Frees a snapshot; NULL is fine.
void tg_snapshot_free(tg_snapshot *snapshot);

/// A test: a function without arguments.
#define TG_TEST(name) static void name(void)

/// Defines the main function of a program of tests, in this order.
#define TG_TEST_MAIN(...)                                                                  \
    int main(void) {                                                                       \
        void (*const tg_tests[])(void) = {__VA_ARGS__};                                    \
        return tg_run_tests(#__VA_ARGS__, tg_tests, sizeof tg_tests / sizeof tg_tests[0]); \
    }

/// Runs tests, whose names have commas between them, and returns the exit code.
int tg_run_tests(const char *names, void (*const *tests)(void), size_t count);

/// Ends the program with file and line if the condition is false.
#define TG_CHECK(condition)                                                 \
    do {                                                                    \
        if (!(condition)) {                                                 \
            tg_check_failed(__FILE__, __LINE__, "%s is false", #condition); \
        }                                                                   \
    } while (0)

/// Ends the program if a call failed, with its reason.
#define TG_CHECK_OK(call) tg_check_status(__FILE__, __LINE__, (call), TG_OK, "")

/// Ends the program if a call did not fail with `status` and a reason that contains `part`.
#define TG_CHECK_FAILS(call, status, part) \
    tg_check_status(__FILE__, __LINE__, (call), (status), (part))

/// Ends the program if two texts differ, and shows both.
#define TG_CHECK_TEXT(actual, expected) tg_check_text(__FILE__, __LINE__, (actual), (expected))

/// Ends the program if two integers differ, and shows both.
#define TG_CHECK_EQUAL(actual, expected) \
    tg_check_equal(__FILE__, __LINE__, (long long)(actual), (long long)(expected))

/// The function behind the macros.
TG_NORETURN void tg_check_failed(const char *file, int line, const char *format, ...)
    TG_PRINTF(3, 4);
/// The function behind the macros.
void tg_check_status(const char *file, int line, tg_status actual, tg_status expected,
                     const char *part);
/// The function behind the macros.
void tg_check_text(const char *file, int line, const char *actual, const char *expected);
/// The function behind the macros.
void tg_check_equal(const char *file, int line, long long actual, long long expected);

#ifdef __cplusplus
}
#endif

#endif
