// Record path: on_record -> [output] -> emissions -> host.
//
// Builds the columns that the host takes, directly: an emitted record is copied once, and the next
// call reuses the memory. Records of one port stay in their order.

#ifndef TIDEGATE_OUTPUT_H
#define TIDEGATE_OUTPUT_H

#include "tidegate/basics.h"
#include "tidegate/record.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The columns of one output port while they are built.
typedef struct tg_port {
    tg_bytes keys, values;
    uint32_t *key_offsets, *value_offsets;
    int64_t *timestamps;
    size_t rows, row_capacity;
} tg_port;

/// The output ports to which an operator emits.
typedef struct tg_output {
    tg_port *ports;
    uint32_t port_count;
    /// The first port that a record named and the operator does not have, plus 1; 0 if there is
    /// none.
    uint64_t unknown_port;
    /// The timestamp of the record that is being processed.
    int64_t inherited;
} tg_output;

/// The form of a field: bytes, a number in decimal text, or eight bytes.
typedef enum tg_field_kind {
    TG_FIELD_SLICE,
    TG_FIELD_U64,
    TG_FIELD_I64,
    TG_FIELD_LE64,
} tg_field_kind;

/// A key or a value to emit.
typedef struct tg_field {
    tg_field_kind kind;
    tg_slice slice;
    uint64_t number;
} tg_field;

/// Makes a field of bytes.
TG_INLINE tg_field tg_field_slice(tg_slice bytes) {
    tg_field field = {TG_FIELD_SLICE, bytes, 0};
    return field;
}

/// Makes a field of a NUL-terminated text.
TG_INLINE tg_field tg_field_text(const char *text) { return tg_field_slice(tg_text(text)); }

/// Makes a field of the bytes of a tg_bytes.
TG_INLINE tg_field tg_field_bytes(tg_bytes bytes) {
    return tg_field_slice(tg_slice_of(bytes.data, bytes.len));
}

/// Makes a field of the bytes of a tg_string.
TG_INLINE tg_field tg_field_string(tg_string text) {
    return tg_field_slice(tg_slice_of(text.data, text.len));
}

/// Makes a field of a number in decimal text.
TG_INLINE tg_field tg_field_u64(uint64_t number) {
    tg_field field = {TG_FIELD_U64, {NULL, 0}, number};
    return field;
}

/// Makes a field of a number in decimal text.
TG_INLINE tg_field tg_field_i64(int64_t number) {
    tg_field field = {TG_FIELD_I64, {NULL, 0}, (uint64_t)number};
    return field;
}

/// Makes a field of eight little-endian bytes.
TG_INLINE tg_field tg_le64_u64(uint64_t number) {
    tg_field field = {TG_FIELD_LE64, {NULL, 0}, number};
    return field;
}

/// Makes a field of eight little-endian bytes.
TG_INLINE tg_field tg_le64_i64(int64_t number) { return tg_le64_u64((uint64_t)number); }

/// Makes a field of eight little-endian bytes.
TG_INLINE tg_field tg_le64_f64(double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return tg_le64_u64(bits);
}

/// Returns a field as it is.
TG_INLINE tg_field tg_field_itself(tg_field field) { return field; }

/// Appends a number in decimal text.
void tg_append_u64(tg_bytes *out, uint64_t number);
/// Appends a number in decimal text.
void tg_append_i64(tg_bytes *out, int64_t number);

// The longest field, in bytes, that is written as one or two words.
enum { TG_SHORT = 16 };

TG_INLINE void tg_copy_short(uint8_t *to, const uint8_t *from, size_t len) {
    if (len >= 8) {
        uint64_t first, last;
        memcpy(&first, from, 8);
        memcpy(&last, from + len - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + len - 8, &last, 8);
    } else if (len >= 4) {
        uint32_t first, last;
        memcpy(&first, from, 4);
        memcpy(&last, from + len - 4, 4);
        memcpy(to, &first, 4);
        memcpy(to + len - 4, &last, 4);
    } else if (len > 0) {
        to[0] = from[0];
        to[len / 2] = from[len / 2];
        to[len - 1] = from[len - 1];
    }
}

TG_INLINE void tg_append_field(tg_bytes *out, tg_field field) {
    switch (field.kind) {
    case TG_FIELD_SLICE:
        if (field.slice.len <= TG_SHORT) {
            tg_bytes_reserve(out, TG_SHORT);
            tg_copy_short(out->data + out->len, field.slice.data, field.slice.len);
            out->len += field.slice.len;
        } else {
            tg_bytes_append(out, field.slice);
        }
        break;
    case TG_FIELD_U64:
        tg_append_u64(out, field.number);
        break;
    case TG_FIELD_I64:
        tg_append_i64(out, (int64_t)field.number);
        break;
    case TG_FIELD_LE64:
        tg_bytes_reserve(out, 8);
        for (int byte = 0; byte < 8; byte++) {
            out->data[out->len + (size_t)byte] = (uint8_t)(field.number >> (8 * byte));
        }
        out->len += 8;
        break;
    }
}

// Makes room for more rows.
void tg_port_grow(tg_port *port) TG_COLD;

// Returns the port, or NULL if the operator does not have it, which fails the call later.
tg_port *tg_output_port(tg_output *out, uint32_t port) TG_COLD;

/// Emits a record with this timestamp, or TG_NO_TIMESTAMP, to an output port. A port that the
/// operator does not have fails the call. The macros below are for C; C++ has tidegate.hpp.
TG_INLINE void tg_send_fields(tg_output *out, uint32_t to, int64_t timestamp, tg_field key,
                              tg_field value) {
    tg_port *port = to < out->port_count ? &out->ports[to] : tg_output_port(out, to);
    if (port == NULL) {
        return;
    }
    if (port->rows == port->row_capacity) {
        tg_port_grow(port);
    }
    tg_append_field(&port->keys, key);
    tg_append_field(&port->values, value);
    port->timestamps[port->rows] = timestamp;
    port->rows += 1;
    port->key_offsets[port->rows] = (uint32_t)port->keys.len;
    port->value_offsets[port->rows] = (uint32_t)port->values.len;
}

#ifndef __cplusplus

/// Makes a field of a tg_slice, text, tg_bytes, tg_string, an integer, or `tg_le64(number)`.
#define TG_FIELD(x)                       \
    _Generic((x),                         \
        tg_field: tg_field_itself,        \
        tg_slice: tg_field_slice,         \
        char *: tg_field_text,            \
        const char *: tg_field_text,      \
        tg_bytes: tg_field_bytes,         \
        tg_string: tg_field_string,       \
        unsigned char: tg_field_u64,      \
        unsigned short: tg_field_u64,     \
        unsigned int: tg_field_u64,       \
        unsigned long: tg_field_u64,      \
        unsigned long long: tg_field_u64, \
        signed char: tg_field_i64,        \
        short: tg_field_i64,              \
        int: tg_field_i64,                \
        long: tg_field_i64,               \
        long long: tg_field_i64)(x)

/// Makes a field of a 64-bit number as eight little-endian bytes, half the work of decimal text.
#define tg_le64(x) \
    _Generic((x), uint64_t: tg_le64_u64, int64_t: tg_le64_i64, double: tg_le64_f64)(x)

/// Emits a record to port 0, with the timestamp of the record that is being processed.
#define tg_emit(out, key, value) tg_emit_to(out, 0, key, value)

/// Emits a record to a port, with the timestamp of the record that is being processed.
#define tg_emit_to(out, port, key, value) \
    tg_send_fields((out), (port), (out)->inherited, TG_FIELD(key), TG_FIELD(value))

/// Emits a record to port 0 with a timestamp, or with TG_NO_TIMESTAMP.
#define tg_emit_at(out, timestamp, key, value) tg_send(out, 0, timestamp, key, value)

/// Emits a record to a port with a timestamp, or with TG_NO_TIMESTAMP.
#define tg_send(out, port, timestamp, key, value) \
    tg_send_fields((out), (port), (timestamp), TG_FIELD(key), TG_FIELD(value))

#endif

#ifdef __cplusplus
}
#endif

#endif
