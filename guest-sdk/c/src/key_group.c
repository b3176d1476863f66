// The key group of a key: Flink's function over FNV-1a, to the bit. Part of the checkpoint format.

#include "tidegate/host.h"

static uint32_t fnv1a(tg_slice key) {
    uint32_t hash = 0x811c9dc5u;
    for (size_t at = 0; at < key.len; at++) {
        hash = (hash ^ key.data[at]) * 0x01000193u;
    }
    return hash;
}

static uint32_t rotate_left(uint32_t word, unsigned bits) {
    return (word << bits) | (word >> (32 - bits));
}

// One Murmur3 round, xor 4 (the length in bytes), final mix, absolute value; 0 for the smallest
// integer, which has no absolute value.
static uint32_t murmur(uint32_t hash) {
    uint32_t code = rotate_left(hash * 0xcc9e2d51u, 15) * 0x1b873593u;
    code = rotate_left(code, 13) * 5 + 0xe6546b64u;
    code ^= 4;
    code = (code ^ (code >> 16)) * 0x85ebca6bu;
    code = (code ^ (code >> 13)) * 0xc2b2ae35u;
    code ^= code >> 16;
    uint32_t magnitude = code >> 31 ? 0 - code : code;
    return magnitude == 0x80000000u ? 0 : magnitude;
}

uint32_t tg_key_group(tg_slice key, uint32_t max_parallelism) {
    return murmur(fnv1a(key)) % max_parallelism;
}
