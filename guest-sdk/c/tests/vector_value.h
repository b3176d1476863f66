// Types and values of the vectors in guest-sdk/vectors, from their JSON.

#ifndef TIDEGATE_TESTS_VECTOR_VALUE_H
#define TIDEGATE_TESTS_VECTOR_VALUE_H

#include "json.h"
#include "type.h"

// The members of a JSON object, as the JSON of their values.
typedef struct object {
    tg_bytes names[8];
    tg_slice values[8];
    size_t count;
} object;

// Ends the test if a call fails.
void must(tg_status status);

tg_json json_of(tg_slice text);

// Reads one value as its JSON.
tg_slice next_json(tg_json *json);

object read_object(tg_slice json);
void free_object(object *read);

// Returns the JSON of a member, which must exist.
tg_slice member(const object *read, const char *name);
bool has_member(const object *read, const char *name);

// Returns a JSON string without its quotes; the caller frees it.
tg_bytes string_of(tg_slice json);

// Returns the bytes of hexadecimal text in quotes; the caller frees them.
tg_bytes hex_of(tg_slice json);

// Returns the number in decimal text, in quotes or not.
uint64_t number_of(tg_slice json);

// Returns a type, kept until the program ends.
const tg_type *type_of(tg_slice json);

// Reads a value into zeroed memory.
void value_of(const tg_type *type, tg_slice json, void *value);

// Returns true if both values are the same; floats by their bits, all NaNs alike.
bool is_same(const tg_type *type, const void *left, const void *right);

#endif
