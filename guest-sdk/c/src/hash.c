// The hash of a long key, and the secrets of a hasher.

#include "hash.h"

// Returns the next number of a sequence that looks random: Steele, Lea and Flood 2014, "Fast
// splittable pseudorandom number generators".
static uint64_t split_mix(uint64_t *state) {
    *state += 0x9e3779b97f4a7c15u;
    uint64_t mixed = *state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
}

void tg_hasher_init(tg_hasher *hasher, uint64_t seed) {
    hasher->first = split_mix(&seed) | 1;
    hasher->length = split_mix(&seed);
    hasher->last = split_mix(&seed) | 1;
    hasher->fold = split_mix(&seed);
    for (int half = 0; half < 2; half++) {
        hasher->tail[half] = split_mix(&seed);
    }
    for (int lane = 0; lane < TG_HASH_BLOCK; lane++) {
        for (int half = 0; half < 2; half++) {
            hasher->lanes[lane][half] = split_mix(&seed);
        }
    }
}

static uint64_t product(const uint8_t *at, const uint64_t lane[2]) {
    uint64_t word;
    memcpy(&word, at, 8);
    return (lane[0] + (uint32_t)word) * (lane[1] + (word >> 32));
}

uint32_t tg_hash_long(const tg_hasher *hasher, tg_slice key) {
    uint64_t sum = key.len * hasher->length;
    size_t words = key.len / 8;
    for (size_t start = 0; start < words; start += TG_HASH_BLOCK) {
        size_t rest = words - start;
        size_t count = rest < TG_HASH_BLOCK ? rest : TG_HASH_BLOCK;
        for (size_t index = 0; index < count; index++) {
            sum += product(key.data + (start + index) * 8, hasher->lanes[index]);
        }
        sum = (sum >> 32) * hasher->fold;
    }
    // The last eight bytes; some or all of them may already be in the sum.
    return tg_hash_finish(hasher, sum + product(key.data + key.len - 8, hasher->tail));
}
