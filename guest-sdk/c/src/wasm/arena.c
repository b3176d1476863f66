// Memory for the arguments of a call, which the host requests before the call.
//
// The arena is one piece that the next call reuses. An argument that does not fit is allocated for
// one call, and makes the piece larger for the next, up to a limit.

#include "abi.h"

enum { KEPT = 1 << 20, LEAST = 4096 };

// Memory of this call that did not fit in the arena.
typedef struct extra {
    struct extra *next;
    // Aligned for any type of the interface.
    uint64_t memory[];
} extra;

static uint8_t *kept;
static size_t kept_size, used, wanted;
static extra *extras;

static void *allocate(size_t align, size_t size) {
    size_t start = (used + align - 1) / align * align;
    wanted += size + align;
    if (size <= kept_size && start <= kept_size - size) {
        used = start + size;
        return kept + start;
    }
    extra *more = tg_alloc(sizeof *more + size);
    more->next = extras;
    extras = more;
    return more->memory;
}

// The canonical ABI's allocator: `old` is NULL but for a string that is being transcoded.
__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size,
                                                                size_t align, size_t size) {
    if (size == 0) {
        // Any aligned address will do.
        return (void *)align;
    }
    void *memory = allocate(align, size);
    if (old_size > 0) {
        memcpy(memory, old, old_size < size ? old_size : size);
    }
    return memory;
}

void tg_arena_reset(void) {
    while (extras != NULL) {
        extra *next = extras->next;
        tg_dealloc(extras);
        extras = next;
    }
    if (wanted > kept_size && kept_size < KEPT) {
        size_t roomy = wanted + wanted / 4 + LEAST;
        kept_size = roomy > KEPT ? KEPT : roomy;
        tg_dealloc(kept);
        kept = tg_alloc(kept_size);
    }
    used = 0;
    wanted = 0;
}
