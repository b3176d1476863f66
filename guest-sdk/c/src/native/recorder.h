// What operators that run natively in this thread have logged and counted.

#ifndef TIDEGATE_SRC_NATIVE_RECORDER_H
#define TIDEGATE_SRC_NATIVE_RECORDER_H

#include "tidegate/basics.h"

// The lines since the last call of this, `level: message` each, with a NUL at the end.
void tg_recorder_take_log(tg_bytes *log);

uint64_t tg_recorder_counter(const char *metric);

// Forgets everything, and frees it.
void tg_recorder_reset(void);

#endif
