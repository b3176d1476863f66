// The hash of a key, which no one can foresee without the seed of the instance. Otherwise the
// author of the records could choose keys that all have one hash, and every lookup would pass over
// all of them.
//
// A key of at most eight bytes is one word. The hash multiplies it by a secret odd number, xors the
// upper half onto the lower one, and multiplies by another secret odd number. A longer key becomes
// a word by sums of products of secret numbers and its pieces of 32 bits (Lemire and Kaser 2014,
// "Strongly universal string hashing is fast", Multilinear-HM). guest-sdk/rust/src/state/hash.rs
// has the reasons.

#ifndef TIDEGATE_SRC_HASH_H
#define TIDEGATE_SRC_HASH_H

#include "tidegate/basics.h"

// Words of a long key that are summed up before the sum is folded.
enum { TG_HASH_BLOCK = 8 };

// The secrets of one instance. `first` and `last` are odd.
typedef struct tg_hasher {
    uint64_t first, length, last, fold;
    uint64_t tail[2];
    uint64_t lanes[TG_HASH_BLOCK][2];
} tg_hasher;

void tg_hasher_init(tg_hasher *hasher, uint64_t seed);

// Returns the hash of a key of more than eight bytes.
uint32_t tg_hash_long(const tg_hasher *hasher, tg_slice key);

// Returns the bytes of a key of at most eight, padded with zeros.
TG_INLINE uint64_t tg_short_word(tg_slice key) {
    uint64_t word = 0;
    if (key.len == 8) {
        memcpy(&word, key.data, 8);
    } else if (key.len >= 4) {
        uint32_t first, last;
        memcpy(&first, key.data, 4);
        memcpy(&last, key.data + key.len - 4, 4);
        word = first | ((uint64_t)last << (8 * (key.len - 4)));
    } else if (key.len > 0) {
        word = key.data[0] | ((uint64_t)key.data[key.len / 2] << (8 * (key.len / 2))) |
               ((uint64_t)key.data[key.len - 1] << (8 * (key.len - 1)));
    }
    return word;
}

TG_INLINE uint32_t tg_hash_finish(const tg_hasher *hasher, uint64_t sum) {
    return (uint32_t)(((sum ^ (sum >> 32)) * hasher->last) >> 32);
}

TG_INLINE uint32_t tg_hash(const tg_hasher *hasher, tg_slice key) {
    if (key.len > 8) {
        return tg_hash_long(hasher, key);
    }
    uint64_t length = key.len * hasher->length;
    return tg_hash_finish(hasher, tg_short_word(key) * hasher->first + length);
}

#endif
