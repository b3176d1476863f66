// Random numbers that a seed replays: TIDEGATE_TEST_SEED, or a fixed one, is printed.

#ifndef TIDEGATE_TESTS_RANDOM_H
#define TIDEGATE_TESTS_RANDOM_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t random_state;

static inline void seed_random(uint64_t fallback) {
    const char *given = getenv("TIDEGATE_TEST_SEED");
    random_state = given == NULL ? fallback : strtoull(given, NULL, 10);
    printf(" seed %" PRIu64, random_state);
}

// Returns the next word of splitmix64.
static inline uint64_t random_word(void) {
    uint64_t word = random_state += 0x9e3779b97f4a7c15u;
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
    return word ^ (word >> 31);
}

// Returns a number below `limit`, which is not 0.
static inline size_t random_below(size_t limit) { return (size_t)(random_word() % limit); }

#endif
