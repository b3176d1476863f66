// The world `stream-operator` as the component model lowers it to wasm32. Written by hand, because
// the interface is small and fixed, and so that no call copies or allocates.
//
// The structs of tidegate/raw.h are laid out as the canonical ABI lays out the records of
// wit/types.wit; exports.c checks it while it is compiled.

#ifndef TIDEGATE_SRC_WASM_ABI_H
#define TIDEGATE_SRC_WASM_ABI_H

#include "tidegate/host.h"
#include "tidegate/raw.h"

#define TG_IMPORT(name) \
    __attribute__((import_module("tidegate:operator/host@0.1.0"), import_name(name)))
#define TG_EXPORTED(name) __attribute__((export_name("tidegate:operator/operator@0.1.0#" name)))
#define TG_AFTER(name) \
    __attribute__((export_name("cabi_post_tidegate:operator/operator@0.1.0#" name)))

TG_IMPORT("log") void tg_host_log(uint32_t level, const uint8_t *message, size_t len);
TG_IMPORT("count") void tg_host_count(const uint8_t *metric, size_t len, uint64_t delta);

// Frees the memory that the host has used for the arguments of a call.
void tg_arena_reset(void);

// Returns the guest's latest output on standard error, for the message of an abort.
tg_slice tg_last_words(void);

#endif
