// The functions that the host lends an operator: a log and counters. In a native test the calls go
// to a recorder, which testing.h reads.

#ifndef TIDEGATE_HOST_H
#define TIDEGATE_HOST_H

#include "tidegate/basics.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The severity of a message. The job's settings decide which messages are shown.
typedef enum tg_level { TG_TRACE, TG_DEBUG, TG_INFO, TG_WARN, TG_ERROR } tg_level;

/// Writes one message to the job's log, formatted as by printf. The host cuts long messages, and
/// drops messages above the operator's log rate.
void tg_log(tg_level level, const char *format, ...) TG_PRINTF(2, 3);

/// Writes one message of UTF-8 to the job's log as it is.
void tg_log_text(tg_level level, tg_slice message);

/// Adds to a counter that the job's metrics show under the operator's name. The counter is no part
/// of the state: records that are processed again after a failure count again.
void tg_count(const char *metric, uint64_t delta);

/// Returns the key group of `key` out of `max_parallelism`, which is not 0. Flink's function, to
/// the bit.
uint32_t tg_key_group(tg_slice key, uint32_t max_parallelism);

#ifdef __cplusplus
}
#endif

#endif
