// The messages and counters of operators that run natively in this thread.

#ifndef TIDEGATE_SRC_NATIVE_RECORDER_H
#define TIDEGATE_SRC_NATIVE_RECORDER_H

#include "tidegate/basics.h"

// Takes the lines since the last call, `level: message` each, with a NUL at the end.
void tg_recorder_take_log(tg_bytes *log);

uint64_t tg_recorder_counter(const char *metric);

// Forgets everything, and frees it.
void tg_recorder_reset(void);

#endif
