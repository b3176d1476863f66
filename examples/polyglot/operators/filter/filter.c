// Lets words through that are worth counting.
//
// In and out: a key `family:word`; the value is the word's place in its document. Config: `skip`,
// how many words at the beginning of a document are dropped; `min_length`, letters of a word;
// `stop_words`; `min_seen`, the occurrence of a word in its family from which on it is let through.

#include <tidegate.h>

typedef TG_LIST_OF(tg_string) words;

typedef struct config {
    uint64_t skip;
    uint64_t min_length;
    uint64_t min_seen;
    words stop_words;
} config;

TG_STRUCT(config_type, config, TG_MEMBER(config, skip), TG_MEMBER(config, min_length),
          TG_MEMBER(config, min_seen), TG_MEMBER_AS(config, stop_words, TG_LIST(TG_STRING)));

typedef struct filter {
    const config *config;
} filter;

static tg_status on_open(void *self, const void *config_read, const tg_context *context) {
    (void)context;
    ((filter *)self)->config = config_read;
    return TG_OK;
}

static bool is_stop_word(const words *stop_words, tg_slice word) {
    for (size_t index = 0; index < stop_words->len; index++) {
        if (tg_slice_equal(tg_string_slice(&stop_words->items[index]), word)) {
            return true;
        }
    }
    return false;
}

// The part of the key behind the colon.
static tg_slice word_of(tg_slice key) {
    const uint8_t *colon = memchr(key.data, ':', key.len);
    if (colon == NULL) {
        return key;
    }
    return tg_slice_of(colon + 1, (size_t)(key.data + key.len - (colon + 1)));
}

static tg_status on_record(void *self, const tg_record *record, void *state, tg_output *out) {
    const config *config = ((const filter *)self)->config;
    uint64_t *seen = state;
    uint64_t place;
    TG_TRY(tg_value_as(record, &place));
    tg_slice word = word_of(record->key);
    if (place <= config->skip || word.len < config->min_length ||
        is_stop_word(&config->stop_words, word)) {
        return TG_OK;
    }
    *seen += 1;
    if (*seen >= config->min_seen) {
        tg_emit(out, record->key, record->value);
    }
    return TG_OK;
}

// A word that was always dropped is not remembered.
static bool is_vacant(const void *state) { return *(const uint64_t *)state == 0; }

static const tg_operator filter_operator = {
    .instance_size = sizeof(filter),
    .config = &config_type,
    .state = TG_U64,
    .is_vacant = is_vacant,
    .open = on_open,
    .on_record = on_record,
};

TG_EXPORT(filter_operator);
