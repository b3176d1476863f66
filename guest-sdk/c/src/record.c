// Record path: batch in -> [record] -> on_record -> output. Reads keys and values as numbers, text
// and JSON, and fails in the words of the Rust SDK.

#include "tidegate/record.h"

#include "decimal.h"

static tg_status not_a_number(const tg_record *record, const char *field, const char *kind) {
    return tg_invalid(record, "the %s is not a decimal number of type %s", field, kind);
}

static bool parse_unsigned(tg_slice text, uint64_t most, uint64_t *number) {
    tg_decimal decimal;
    bool is_read = tg_parse_decimal(text, false, &decimal) && decimal.magnitude <= most;
    *number = is_read ? decimal.magnitude : 0;
    return is_read;
}

static bool parse_signed(tg_slice text, uint64_t most, int64_t *number) {
    tg_decimal decimal;
    bool is_read = tg_parse_decimal(text, true, &decimal);
    // There is one negative number more than positive ones.
    if (!is_read || decimal.magnitude > most + (decimal.negative ? 1 : 0)) {
        return false;
    }
    *number = (int64_t)(decimal.negative ? 0 - decimal.magnitude : decimal.magnitude);
    return true;
}

#define UNSIGNED(name, c_type, field)                                        \
    tg_status tg_##field##_##name(const tg_record *record, c_type *number) { \
        uint64_t parsed;                                                     \
        if (!parse_unsigned(record->field, (c_type) - 1, &parsed)) {         \
            return not_a_number(record, #field, #name);                      \
        }                                                                    \
        *number = (c_type)parsed;                                            \
        return TG_OK;                                                        \
    }

#define SIGNED(name, c_type, most, field)                                    \
    tg_status tg_##field##_##name(const tg_record *record, c_type *number) { \
        int64_t parsed;                                                      \
        if (!parse_signed(record->field, most, &parsed)) {                   \
            return not_a_number(record, #field, #name);                      \
        }                                                                    \
        *number = (c_type)parsed;                                            \
        return TG_OK;                                                        \
    }

#define FLOAT(field)                                                                              \
    tg_status tg_##field##_f64(const tg_record *record, double *number) {                         \
        return tg_parse_f64(record->field, number) ? TG_OK : not_a_number(record, #field, "f64"); \
    }

#define TEXT(field)                                                        \
    tg_status tg_##field##_text(const tg_record *record, tg_slice *text) { \
        if (!tg_is_utf8(record->field)) {                                  \
            return tg_invalid(record, "the " #field " is not UTF-8 text"); \
        }                                                                  \
        *text = record->field;                                             \
        return TG_OK;                                                      \
    }

#define READINGS(field)                    \
    UNSIGNED(u8, uint8_t, field)           \
    UNSIGNED(u16, uint16_t, field)         \
    UNSIGNED(u32, uint32_t, field)         \
    UNSIGNED(u64, uint64_t, field)         \
    SIGNED(i8, int8_t, INT8_MAX, field)    \
    SIGNED(i16, int16_t, INT16_MAX, field) \
    SIGNED(i32, int32_t, INT32_MAX, field) \
    SIGNED(i64, int64_t, INT64_MAX, field) \
    FLOAT(field)                           \
    TEXT(field)

READINGS(value)
READINGS(key)

tg_status tg_value_le64_u64(const tg_record *record, uint64_t *number) {
    if (record->value.len != 8) {
        return tg_invalid(record, "the value is not eight little-endian bytes but %zu",
                          record->value.len);
    }
    uint64_t read = 0;
    for (int byte = 0; byte < 8; byte++) {
        read |= (uint64_t)record->value.data[byte] << (8 * byte);
    }
    *number = read;
    return TG_OK;
}

tg_status tg_value_le64_i64(const tg_record *record, int64_t *number) {
    uint64_t bits;
    TG_TRY(tg_value_le64_u64(record, &bits));
    *number = (int64_t)bits;
    return TG_OK;
}

tg_status tg_value_le64_f64(const tg_record *record, double *number) {
    uint64_t bits;
    TG_TRY(tg_value_le64_u64(record, &bits));
    memcpy(number, &bits, sizeof bits);
    return TG_OK;
}

tg_status tg_value_json(const tg_record *record, const tg_type *type, void *value) {
    if (tg_read_json(type, record->value, false, value) != TG_OK) {
        tg_free(type, value);
        return tg_invalid(record, "the value: %s", tg_failure_reason());
    }
    return TG_OK;
}
