// The data that crosses the sandbox boundary, and the level below operators: whole columns in and
// out.
//
// Invariant: on wasm32 these structs are laid out as the component model lays them out, so that
// only the host copies between its own memory and an operator's.

#ifndef TIDEGATE_RAW_H
#define TIDEGATE_RAW_H

#include "tidegate/basics.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A column of byte strings: row `i` is `data[offsets[i]]` up to `data[offsets[i + 1]]`. `offsets`
/// has one entry more than there are rows, starts at 0, never falls, and ends at `len`.
typedef struct tg_column {
    const uint32_t *offsets;
    size_t offset_count;
    const uint8_t *data;
    size_t len;
} tg_column;

/// Returns row `row` of a column. The host has checked the columns that it hands in.
TG_INLINE tg_slice tg_column_row(const tg_column *column, size_t row) {
    uint32_t start = column->offsets[row];
    tg_slice slice = {column->data + start, column->offsets[row + 1] - start};
    return slice;
}

/// Records in arrival order. All columns have `rows` rows.
typedef struct tg_batch {
    const int64_t *timestamps;
    size_t rows;
    tg_column keys, values;
} tg_batch;

/// Records that go out of one output port.
typedef struct tg_emission {
    uint32_t port;
    tg_batch records;
} tg_emission;

/// A key group, or no key group.
typedef struct tg_maybe_group {
    bool some;
    uint32_t value;
} tg_maybe_group;

/// One piece of an operator's state in a checkpoint.
typedef struct tg_state_chunk {
    /// The name of this state, in UTF-8.
    tg_slice name;
    uint32_t schema_version;
    /// The key group of all its keys; none for operator state, which is dealt out among the
    /// subtasks.
    tg_maybe_group key_group;
    tg_slice bytes;
} tg_state_chunk;

/// The place of an operator instance in its job.
typedef struct tg_context {
    /// The names of the job, and of the operator in the job file.
    tg_slice job, operator_name;
    /// The index of this parallel instance, from 0, and the number of them.
    uint32_t subtask, parallelism;
    /// The number of key groups; never changes in the life of a job's state.
    uint32_t max_parallelism;
    /// The first and the last key group that this instance owns.
    uint32_t first_key_group, last_key_group;
    /// The names of the inputs and of the output ports.
    const tg_slice *inputs;
    size_t input_count;
    const tg_slice *outputs;
    size_t output_count;
    /// The operator's `config` table of the job file, as JSON.
    tg_slice config;
    /// The secret seed for the operator's own hash tables whose keys come from records. Neither
    /// emissions nor state may depend on it.
    uint64_t hash_seed;
} tg_context;

/// The emissions of a call. The memory belongs to the operator, until its `release`.
typedef struct tg_emissions {
    const tg_emission *items;
    size_t count;
} tg_emissions;

/// The chunks of a snapshot or of a restore. The memory of a snapshot belongs to the operator,
/// until its `release`.
typedef struct tg_chunks {
    const tg_state_chunk *items;
    size_t count;
} tg_chunks;

/// An operator on whole columns, which lays out its state itself. Arguments are valid during the
/// call only. `definition` is the definition in the tg_export.
typedef struct tg_raw_operator {
    /// Makes an instance; the first call, once. Optional for an operator without an instance.
    tg_status (*open)(const void *definition, const tg_context *context, void **instance);
    tg_status (*process)(void *instance, uint32_t input, const tg_batch *records,
                         tg_emissions *emitted);
    /// Handles a new watermark. Optional, like all members that follow. A restored instance is
    /// called with the last watermark again, before any record. The host sends the output of that
    /// call too, so emit only what the call takes out of the state.
    tg_status (*advance_watermark)(void *instance, int64_t watermark, tg_emissions *emitted);
    tg_status (*snapshot)(void *instance, uint64_t checkpoint, tg_chunks *chunks);
    tg_status (*restore)(void *instance, const tg_chunks *chunks);
    tg_status (*checkpoint_complete)(void *instance, uint64_t checkpoint);
    tg_status (*finish)(void *instance, tg_emissions *emitted);
    /// Learns that the host has taken the result of the last call.
    void (*release)(void *instance);
    /// Frees the instance. Only native tests end an instance.
    void (*close)(void *instance);
} tg_raw_operator;

/// An operator as the SDK runs it.
typedef struct tg_export {
    const tg_raw_operator *calls;
    const void *definition;
} tg_export;

/// The raw operator that runs a `tg_operator`, which is its definition.
extern const tg_raw_operator tg_typed_operator;

// Makes the linker take the component's exports out of the library.
extern const char tg_exports_of_component;

#ifdef __wasm__
/// Exports a `tg_raw_operator` as the operator of the component. Once, at file level.
#define TG_EXPORT_RAW(raw_operator) TG_EXPORT_AS(&(raw_operator), NULL)
#define TG_EXPORT_AS(calls, definition)                           \
    TG_EXTERN_C const tg_export *tg_exported_by_TG_EXPORT(void);  \
    TG_EXTERN_C const tg_export *tg_exported_by_TG_EXPORT(void) { \
        static const tg_export exported = {calls, definition};    \
        return tg_exports_of_component == 0 ? &exported : NULL;   \
    }                                                             \
    TG_REQUIRE_SEMICOLON
#else
// A native build exports nothing, so that several operators can be in one test program.
#define TG_EXPORT_RAW(raw_operator) TG_EXPORT_AS(&(raw_operator), NULL)
#define TG_EXPORT_AS(calls, definition) TG_REQUIRE_SEMICOLON
#endif

#ifdef __cplusplus
#define TG_EXTERN_C extern "C"
#else
#define TG_EXTERN_C
#endif
#define TG_REQUIRE_SEMICOLON struct tg_require_semicolon

#ifdef __cplusplus
}
#endif

#endif
