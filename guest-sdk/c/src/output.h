// The SDK's own operations on an output.

#ifndef TIDEGATE_SRC_OUTPUT_H
#define TIDEGATE_SRC_OUTPUT_H

#include "tidegate/output.h"
#include "tidegate/raw.h"

// Makes an output with `ports` ports, at least one.
void tg_output_init(tg_output *out, size_t ports);

// Empties the output for the next call, and frees the memory of an unusually large one.
void tg_output_clear(tg_output *out);

// Writes the emissions into `items`, which has room for every port. Fails if a port does not exist.
tg_status tg_output_take(const tg_output *out, tg_emission *items, tg_emissions *emitted);

void tg_output_free(tg_output *out);

#endif
