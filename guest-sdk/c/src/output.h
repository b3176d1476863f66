// What the SDK itself does with an output.

#ifndef TIDEGATE_SRC_OUTPUT_H
#define TIDEGATE_SRC_OUTPUT_H

#include "tidegate/output.h"
#include "tidegate/raw.h"

// An output with so many ports, at least one.
void tg_output_init(tg_output *out, size_t ports);

// Empties it for the next call, and gives back the memory of an unusually large one.
void tg_output_clear(tg_output *out);

// What was emitted, into `items`, which has room for every port. Fails if a port was not there.
tg_status tg_output_take(const tg_output *out, tg_emission *items, tg_emissions *emitted);

void tg_output_free(tg_output *out);

#endif
