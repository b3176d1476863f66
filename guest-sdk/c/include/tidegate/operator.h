// What an author writes: the table of an operator's functions.
//
// Everything that must survive a failure is in the state of a key or in the items of operator
// state. What `open` makes again is in the instance. An operator is deterministic: the same input
// gives the same output and the same snapshot, byte for byte. There is no clock and no randomness;
// what is left to care about is that addresses and uninitialised memory never reach the output.

#ifndef TIDEGATE_OPERATOR_H
#define TIDEGATE_OPERATOR_H

#include "tidegate/basics.h"
#include "tidegate/host.h"
#include "tidegate/keys.h"
#include "tidegate/output.h"
#include "tidegate/raw.h"
#include "tidegate/record.h"
#include "tidegate/type.h"

#ifdef __cplusplus
extern "C" {
#endif

/// An operator. Only `on_record` has to be there. `self` is the instance of `instance_size` bytes,
/// which begin as zeros, or NULL if that is 0. A function that fails returns what `tg_fail` or
/// `tg_invalid` gives.
typedef struct tg_operator {
    /// Bytes of the instance.
    size_t instance_size;
    /// The operator's `config` table, a struct. NULL: it takes none. An unknown member is refused.
    const tg_type *config;
    /// The defaults of the configuration. NULL: all zeros.
    const void *config_default;
    /// What is remembered for each key. NULL: nothing. A new key's state is all zeros.
    const tg_type *state;
    /// Version of the layout of `state` and of the items, 0 for 1. Raise it when one of them
    /// changes, and read the older versions in `migrate`.
    uint32_t state_version;

    /// Called once, first. `config` lives as long as the instance.
    tg_status (*open)(void *self, const void *config, const tg_context *context);
    /// Processes one record. `state` is the state of the record's key.
    tg_status (*on_record)(void *self, const tg_record *record, void *state, tg_output *out);
    /// True if the state of a key is as good as none: such a key is forgotten.
    bool (*is_vacant)(const void *state);
    /// Event time has advanced: from now on a record older than `watermark` is late. After a
    /// failure a restored instance is called with the last watermark again, before any record, so
    /// that a field can hold the current one. Emit what the state holds as due and take it out in
    /// the same call, and the second call finds nothing; what it emits nevertheless is sent.
    tg_status (*on_watermark)(void *self, int64_t watermark, tg_keys *keys, tg_output *out);
    /// All inputs have ended.
    tg_status (*on_finish)(void *self, tg_keys *keys, tg_output *out);
    /// A checkpoint is durable in every subtask. A notice can be lost in a failure.
    tg_status (*on_checkpoint_complete)(void *self, uint64_t checkpoint);
    /// Reads the state of one key that another version wrote, with `tg_read_state` and the type of
    /// that version. `state` is all zeros. Without it, every other version is refused.
    tg_status (*migrate)(uint32_t version, tg_slice bytes, void *state);
    /// Writes the state that belongs to no key. Called at each checkpoint.
    tg_status (*operator_state)(void *self, tg_items *items);
    /// Takes back this subtask's share of the items that all subtasks wrote. Called once while
    /// restoring if there are any. Without it, items are refused.
    tg_status (*restore_operator_state)(void *self, const tg_restored_items *items);
    /// Frees what the instance owns beyond its own bytes. Only native tests end an instance.
    void (*close)(void *self);
} tg_operator;

/// Makes a `tg_operator` the one that the component exports. Once, at file level.
#define TG_EXPORT(operator_definition) TG_EXPORT_AS(&tg_typed_operator, &(operator_definition))

#ifdef __cplusplus
}
#endif

#endif
