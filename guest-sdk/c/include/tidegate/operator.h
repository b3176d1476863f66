// The part that an author writes: the table of an operator's functions.
//
// Everything that must survive a failure is in the state of a key or in the items of operator
// state. The instance is for values that `open` can recreate. An operator is deterministic: the
// same input gives the same output and the same snapshot, byte for byte. There is no clock and no
// randomness; the author only has to keep addresses and uninitialised memory out of the output.

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

/// An operator. Only `on_record` is required. `self` is the instance of `instance_size` bytes,
/// which begin as zeros, or NULL if that is 0. A function that fails returns the result of
/// `tg_fail` or `tg_invalid`.
typedef struct tg_operator {
    /// The number of bytes of the instance.
    size_t instance_size;
    /// The operator's `config` table, a struct; an unknown member is rejected. NULL: no
    /// configuration.
    const tg_type *config;
    /// The defaults of the configuration. NULL: all zeros.
    const void *config_default;
    /// The type of the state of each key; a new key's state is all zeros. NULL: no state.
    const tg_type *state;
    /// Version of the layout of `state` and of the items, 0 for 1. Raise it when one of them
    /// changes, and read the older versions in `migrate`.
    uint32_t state_version;

    /// Called once, first. `config` lives as long as the instance.
    tg_status (*open)(void *self, const void *config, const tg_context *context);
    /// Processes one record. `state` is the state of the record's key.
    tg_status (*on_record)(void *self, const tg_record *record, void *state, tg_output *out);
    /// Returns true if the state of a key is worth no more than no state: such a key is forgotten.
    bool (*is_vacant)(const void *state);
    /// Handles a new watermark: from now on a record older than `watermark` is late. After a
    /// failure the restored instance is called with the last watermark again, before any record, so
    /// that a field can hold the current watermark. Emit what is due in the state and take it out
    /// in the same call: the second call then finds nothing. The host still sends everything that
    /// the second call emits.
    tg_status (*on_watermark)(void *self, int64_t watermark, tg_keys *keys, tg_output *out);
    /// Handles the end of all inputs.
    tg_status (*on_finish)(void *self, tg_keys *keys, tg_output *out);
    /// Learns that a checkpoint is durable in every subtask. A notice can be lost in a failure.
    tg_status (*on_checkpoint_complete)(void *self, uint64_t checkpoint);
    /// Reads the state of one key that another version wrote, with `tg_read_state` and the type of
    /// that version. `state` is all zeros. Without `migrate`, every other version is rejected.
    tg_status (*migrate)(uint32_t version, tg_slice bytes, void *state);
    /// Writes the state that belongs to no key. Called at each checkpoint.
    tg_status (*operator_state)(void *self, tg_items *items);
    /// Restores this subtask's share of the items of all subtasks. Called once while restoring if
    /// there are any. Without this function, items are rejected.
    tg_status (*restore_operator_state)(void *self, const tg_restored_items *items);
    /// Frees what the instance owns beyond its own bytes. Only native tests end an instance.
    void (*close)(void *self);
} tg_operator;

/// Exports a `tg_operator` as the operator of the component. Once, at file level.
#define TG_EXPORT(operator_definition) TG_EXPORT_AS(&tg_typed_operator, &(operator_definition))

#ifdef __cplusplus
}
#endif

#endif
