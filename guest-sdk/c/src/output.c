// Record path: on_record -> [output] -> emissions -> host.

#include "output.h"

enum { FIRST_ROWS = 64, KEPT_BYTES = 1 << 20, KEPT_ROWS = KEPT_BYTES / sizeof(int64_t) };

void tg_output_init(tg_output *out, size_t ports) {
    memset(out, 0, sizeof *out);
    out->port_count = ports == 0 ? 1 : (uint32_t)ports;
    out->ports = tg_alloc_zeroed(out->port_count * sizeof *out->ports);
    out->inherited = TG_NO_TIMESTAMP;
}

void tg_port_grow(tg_port *port) {
    size_t capacity = port->row_capacity == 0 ? FIRST_ROWS : port->row_capacity * 2;
    size_t offsets = (capacity + 1) * sizeof(uint32_t);
    port->timestamps = tg_realloc(port->timestamps, capacity * sizeof(int64_t));
    port->key_offsets = tg_realloc(port->key_offsets, offsets);
    port->value_offsets = tg_realloc(port->value_offsets, offsets);
    port->key_offsets[0] = 0;
    port->value_offsets[0] = 0;
    port->row_capacity = capacity;
}

tg_port *tg_output_port(tg_output *out, uint32_t port) {
    if (port < out->port_count) {
        return &out->ports[port];
    }
    if (out->unknown_port == 0) {
        out->unknown_port = (uint64_t)port + 1;
    }
    return NULL;
}

static void free_port(tg_port *port) {
    tg_bytes_free(&port->keys);
    tg_bytes_free(&port->values);
    tg_dealloc(port->timestamps);
    tg_dealloc(port->key_offsets);
    tg_dealloc(port->value_offsets);
    memset(port, 0, sizeof *port);
}

static bool is_large(const tg_port *port) {
    return port->keys.capacity > KEPT_BYTES || port->values.capacity > KEPT_BYTES ||
           port->row_capacity > KEPT_ROWS;
}

void tg_output_clear(tg_output *out) {
    for (uint32_t index = 0; index < out->port_count; index++) {
        tg_port *port = &out->ports[index];
        if (is_large(port)) {
            free_port(port);
        }
        port->keys.len = 0;
        port->values.len = 0;
        port->rows = 0;
    }
    out->unknown_port = 0;
    out->inherited = TG_NO_TIMESTAMP;
}

static tg_column column_of(const tg_bytes *bytes, const uint32_t *offsets, size_t rows) {
    tg_column column = {offsets, rows + 1, bytes->data, bytes->len};
    return column;
}

tg_status tg_output_take(const tg_output *out, tg_emission *items, tg_emissions *emitted) {
    if (out->unknown_port != 0) {
        return tg_fail("a record was emitted to output port %llu, but the operator has %u",
                       (unsigned long long)(out->unknown_port - 1), (unsigned)out->port_count);
    }
    emitted->items = items;
    emitted->count = 0;
    for (uint32_t index = 0; index < out->port_count; index++) {
        const tg_port *port = &out->ports[index];
        if (port->rows == 0) {
            continue;
        }
        tg_emission *item = &items[emitted->count++];
        item->port = index;
        item->records.timestamps = port->timestamps;
        item->records.rows = port->rows;
        item->records.keys = column_of(&port->keys, port->key_offsets, port->rows);
        item->records.values = column_of(&port->values, port->value_offsets, port->rows);
    }
    return TG_OK;
}

void tg_output_free(tg_output *out) {
    for (uint32_t index = 0; index < out->port_count; index++) {
        free_port(&out->ports[index]);
    }
    tg_dealloc(out->ports);
    memset(out, 0, sizeof *out);
}
