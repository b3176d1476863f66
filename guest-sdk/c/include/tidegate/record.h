// Record path: batch in -> [record] -> on_record -> output.
//
// One record, read in place. A conversion that fails blames the record's row, so that TG_TRY in
// on_record sends exactly this record to the dead-letter output if the job has one.

#ifndef TIDEGATE_RECORD_H
#define TIDEGATE_RECORD_H

#include "tidegate/basics.h"
#include "tidegate/type.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The timestamp of a record without a timestamp.
#define TG_NO_TIMESTAMP INT64_MIN

/// One record of the stream. Key and value are valid during the call.
typedef struct tg_record {
    /// The key; empty for a record without a key.
    tg_slice key;
    tg_slice value;
    /// Milliseconds since the Unix epoch in event time, or TG_NO_TIMESTAMP.
    int64_t timestamp;
    /// The index of the input that the record came from.
    uint32_t input;
    /// The row of the batch. Batches are cut anywhere, so a row serves only for a failure.
    uint32_t row;
} tg_record;

/// Returns the failure that rejects this record for a reason:
/// `return tg_invalid(record, "a negative amount");`
#define tg_invalid(record, ...) tg_fail_row((record)->row, __VA_ARGS__)

/// The types that can be read as decimal text or as eight bytes, with their C types.
#define TG_NUMBERS(X) \
    X(u8, uint8_t)    \
    X(u16, uint16_t)  \
    X(u32, uint32_t)  \
    X(u64, uint64_t)  \
    X(i8, int8_t)     \
    X(i16, int16_t)   \
    X(i32, int32_t)   \
    X(i64, int64_t)   \
    X(f64, double)

/// `tg_value_i64(record, &number)` and so on read the value as a number in decimal text;
/// `tg_key_i64` and so on read the key. `TG_INVALID_RECORD` if it is no number of that type.
#define TG_DECLARE_READING(name, c_type)                                           \
    tg_status tg_value_##name(const tg_record *record, c_type *number) TG_CHECKED; \
    tg_status tg_key_##name(const tg_record *record, c_type *number) TG_CHECKED;
TG_NUMBERS(TG_DECLARE_READING)
#undef TG_DECLARE_READING

/// Reads the value as eight little-endian bytes. `TG_INVALID_RECORD` if it has another length.
tg_status tg_value_le64_u64(const tg_record *record, uint64_t *number) TG_CHECKED;
/// Like `tg_value_le64_u64`, signed.
tg_status tg_value_le64_i64(const tg_record *record, int64_t *number) TG_CHECKED;
/// Like `tg_value_le64_u64`, as a float.
tg_status tg_value_le64_f64(const tg_record *record, double *number) TG_CHECKED;

/// Reads the value as text. `TG_INVALID_RECORD` if it is not UTF-8.
tg_status tg_value_text(const tg_record *record, tg_slice *text) TG_CHECKED;
/// Reads the key as text. `TG_INVALID_RECORD` if it is not UTF-8.
tg_status tg_key_text(const tg_record *record, tg_slice *text) TG_CHECKED;

/// Reads the value as JSON of `type` into `value`, which is all zeros or has defaults. Unknown
/// members are skipped. Free it with `tg_free`. `TG_INVALID_RECORD` if it can't be read so; the
/// parts that were read are freed already.
tg_status tg_value_json(const tg_record *record, const tg_type *type, void *value) TG_CHECKED;

#ifndef __cplusplus

/// Reads the value as a number in decimal text, by the type of the variable:
/// `int64_t amount; TG_TRY(tg_value_as(record, &amount));`
#define tg_value_as(record, number) TG_READ_NUMBER(tg_value, number)(record, number)
/// Reads the key as a number in decimal text, by the type of the variable.
#define tg_key_as(record, number) TG_READ_NUMBER(tg_key, number)(record, number)
/// Reads the value as eight little-endian bytes, by the type of the variable.
#define tg_value_le64(record, number)  \
    _Generic((number),                 \
        uint64_t *: tg_value_le64_u64, \
        int64_t *: tg_value_le64_i64,  \
        double *: tg_value_le64_f64)(record, number)

#define TG_READ_NUMBER(prefix, number) \
    _Generic((number),                 \
        uint8_t *: prefix##_u8,        \
        uint16_t *: prefix##_u16,      \
        uint32_t *: prefix##_u32,      \
        uint64_t *: prefix##_u64,      \
        int8_t *: prefix##_i8,         \
        int16_t *: prefix##_i16,       \
        int32_t *: prefix##_i32,       \
        int64_t *: prefix##_i64,       \
        double *: prefix##_f64)

#endif

#ifdef __cplusplus
}
#endif

#endif
