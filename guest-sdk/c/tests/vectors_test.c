// The vectors of the state format, which all SDKs share: guest-sdk/vectors.

#include <stdio.h>
#include <stdlib.h>

#include "chunk.h"
#include "tidegate/testing.h"
#include "vector_value.h"

static tg_bytes read_file(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", TIDEGATE_VECTORS, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        tg_check_failed(__FILE__, __LINE__, "%s can't be read", path);
    }
    tg_bytes text = {0};
    int letter;
    while ((letter = fgetc(file)) != EOF) {
        tg_bytes_push(&text, (uint8_t)letter);
    }
    fclose(file);
    return text;
}

// Runs `check` on each case of a list, and returns the number of cases.
static size_t each(tg_slice list, void (*check)(const object *)) {
    tg_json json = json_of(list);
    must(tg_json_expect(&json, '['));
    bool more;
    must(tg_json_next(&json, ']', true, &more));
    size_t count = 0;
    while (more) {
        object read = read_object(next_json(&json));
        check(&read);
        free_object(&read);
        count += 1;
        must(tg_json_next(&json, ']', false, &more));
    }
    return count;
}

static void *new_value(const tg_type *type) { return tg_alloc_zeroed(type->size + 1); }

static void check_read(const object *read) {
    const tg_type *type = type_of(member(read, "type"));
    tg_bytes bytes = hex_of(member(read, "bytes"));
    void *expected = new_value(type);
    void *value = new_value(type);
    value_of(type, member(read, "value"), expected);
    TG_CHECK_OK(tg_read_state(type, tg_bytes_slice(&bytes), value));
    TG_CHECK(is_same(type, value, expected));
    tg_free(type, expected);
    tg_free(type, value);
    tg_dealloc(expected);
    tg_dealloc(value);
    tg_bytes_free(&bytes);
}

static void check_written(const object *read) {
    const tg_type *type = type_of(member(read, "type"));
    tg_bytes bytes = hex_of(member(read, "bytes"));
    void *value = new_value(type);
    value_of(type, member(read, "value"), value);
    tg_bytes written = {0};
    TG_CHECK_OK(tg_encode(type, value, &written));
    if (!tg_slice_equal(tg_bytes_slice(&written), tg_bytes_slice(&bytes))) {
        tg_slice of = member(read, "value");
        tg_check_failed(__FILE__, __LINE__, "written otherwise: %.*s", (int)of.len,
                        (const char *)of.data);
    }
    tg_bytes_free(&written);
    tg_free(type, value);
    tg_dealloc(value);
    tg_bytes_free(&bytes);
    check_read(read);
}

static void check_refused(const object *read) {
    const tg_type *type = type_of(member(read, "type"));
    tg_bytes bytes = hex_of(member(read, "bytes"));
    void *value = new_value(type);
    TG_CHECK_FAILS(tg_read_state(type, tg_bytes_slice(&bytes), value), TG_INCOMPATIBLE_STATE, "");
    tg_dealloc(value);
    tg_bytes_free(&bytes);
}

TG_TEST(values_are_written_and_read_as_the_format_says) {
    tg_bytes text = read_file("values.json");
    object file = read_object(tg_bytes_slice(&text));
    TG_CHECK(each(member(&file, "written"), check_written) > 100);
    TG_CHECK(each(member(&file, "also-read"), check_read) > 5);
    TG_CHECK(each(member(&file, "refused"), check_refused) > 20);
    free_object(&file);
    tg_bytes_free(&text);
}

// The expected state of the only key of a vector's operator.
static const void *wanted;
static const tg_type *wanted_type;

static tg_status become_wanted(void *self, const tg_record *record, void *state, tg_output *out) {
    (void)self, (void)record, (void)out;
    // The copy goes by way of its bytes, so that nothing is shared.
    tg_bytes bytes = {0};
    TG_TRY(tg_encode(wanted_type, wanted, &bytes));
    tg_status status = tg_read_state(wanted_type, tg_bytes_slice(&bytes), state);
    tg_bytes_free(&bytes);
    return status;
}

static tg_harness *snapshot_harness;

static void send_entry(const object *entry) {
    tg_bytes key = hex_of(member(entry, "key"));
    void *value = new_value(wanted_type);
    value_of(wanted_type, member(entry, "value"), value);
    wanted = value;
    TG_CHECK_OK(tg_harness_send_at(snapshot_harness, 0, 0, tg_bytes_slice(&key), tg_text("")));
    tg_free(wanted_type, value);
    tg_dealloc(value);
    tg_bytes_free(&key);
}

static tg_snapshot *snapshot_taken;
static size_t chunks_seen;

static void check_chunk(const object *chunk) {
    const tg_state_chunk *taken = &snapshot_taken->chunks[chunks_seen++];
    tg_bytes bytes = hex_of(member(chunk, "bytes"));
    TG_CHECK(tg_slice_equal(taken->name, tg_text("keyed")));
    TG_CHECK_EQUAL(taken->key_group.value, number_of(member(chunk, "key-group")));
    TG_CHECK(tg_slice_equal(taken->bytes, tg_bytes_slice(&bytes)));
    tg_bytes_free(&bytes);
}

static void check_snapshot(const object *read) {
    wanted_type = type_of(member(read, "type"));
    tg_operator definition = {.state = wanted_type, .on_record = become_wanted};
    tg_harness_options options = {
        .max_parallelism = (uint32_t)number_of(member(read, "max-parallelism")),
    };
    snapshot_harness = tg_harness_open(&definition, &options);
    each(member(read, "entries"), send_entry);
    snapshot_taken = tg_harness_snapshot(snapshot_harness);
    chunks_seen = 0;
    TG_CHECK_EQUAL(each(member(read, "chunks"), check_chunk), snapshot_taken->count);
    tg_harness *restored = tg_harness_restore(&definition, &options, snapshot_taken);
    tg_snapshot *again = tg_harness_snapshot(restored);
    TG_CHECK(tg_snapshot_equal(snapshot_taken, again));
    tg_snapshot_free(again);
    tg_snapshot_free(snapshot_taken);
    tg_harness_close(restored);
    tg_harness_close(snapshot_harness);
}

// The type and the number of key groups of the cases that are rejected.
static const tg_type *refused_type;
static uint32_t refused_total;

static size_t each_refused(tg_slice group, void (*check)(const object *)) {
    object read = read_object(group);
    refused_type = type_of(member(&read, "type"));
    bool has_total = has_member(&read, "max-parallelism");
    refused_total = has_total ? (uint32_t)number_of(member(&read, "max-parallelism")) : 0;
    size_t count = each(member(&read, "cases"), check);
    free_object(&read);
    return count;
}

static void check_refused_keyed(const object *read) {
    tg_operator definition = {.state = refused_type, .on_record = become_wanted};
    tg_export exported = {&tg_typed_operator, &definition};
    tg_harness_options options = {.max_parallelism = refused_total};
    tg_bytes bytes = hex_of(member(read, "bytes"));
    uint32_t key_group = (uint32_t)number_of(member(read, "key-group"));
    tg_state_chunk chunk = {tg_text("keyed"), 1, {true, key_group}, tg_bytes_slice(&bytes)};
    tg_snapshot snapshot = {&chunk, 1};
    tg_bytes says = string_of(member(read, "says"));
    tg_bytes_push(&says, '\0');
    tg_harness *harness;
    TG_CHECK_FAILS(tg_harness_try(&exported, &options, &snapshot, &harness), TG_INCOMPATIBLE_STATE,
                   (const char *)says.data);
    tg_harness_close(harness);
    tg_bytes_free(&says);
    tg_bytes_free(&bytes);
}

static void check_item(const object *read) {
    const tg_type *type = type_of(member(read, "type"));
    tg_bytes bytes = hex_of(member(read, "bytes"));
    void *value = new_value(type);
    void *expected = new_value(type);
    value_of(type, member(read, "value"), expected);
    tg_items items = {.version = 1};
    TG_CHECK_OK(tg_items_push(&items, type, expected));
    TG_CHECK(tg_slice_equal(items.chunks[0].bytes, tg_bytes_slice(&bytes)));
    tg_restored_items restored = {items.chunks, 1, 1};
    TG_CHECK_OK(tg_items_read(&restored, 0, type, value));
    TG_CHECK(is_same(type, value, expected));
    tg_items_free(&items);
    tg_free(type, value);
    tg_free(type, expected);
    tg_dealloc(value);
    tg_dealloc(expected);
    tg_bytes_free(&bytes);
}

static void check_refused_item(const object *read) {
    const tg_type *type = refused_type;
    tg_bytes bytes = hex_of(member(read, "bytes"));
    tg_bytes says = string_of(member(read, "says"));
    tg_bytes_push(&says, '\0');
    tg_state_chunk chunk = {tg_text("items"), 1, {false, 0}, tg_bytes_slice(&bytes)};
    tg_restored_items restored = {&chunk, 1, 1};
    void *value = new_value(type);
    TG_CHECK_FAILS(tg_items_read(&restored, 0, type, value), TG_INCOMPATIBLE_STATE,
                   (const char *)says.data);
    tg_dealloc(value);
    tg_bytes_free(&says);
    tg_bytes_free(&bytes);
}

static void check_key_group(const object *read) {
    tg_bytes key = hex_of(member(read, "key"));
    uint32_t total = (uint32_t)number_of(member(read, "max-parallelism"));
    TG_CHECK_EQUAL(tg_key_group(tg_bytes_slice(&key), total), number_of(member(read, "key-group")));
    tg_bytes_free(&key);
}

// The key groups of the context at the last `open`.
static uint32_t opened_first, opened_last;

static tg_status keep_range(void *self, const void *config, const tg_context *context) {
    (void)self, (void)config;
    opened_first = context->first_key_group;
    opened_last = context->last_key_group;
    return TG_OK;
}

static void check_range(const tg_harness_options *options, tg_slice range) {
    static const tg_operator definition = {.open = keep_range, .on_record = become_wanted};
    tg_harness_close(tg_harness_open(&definition, options));
    tg_json json = json_of(range);
    must(tg_json_expect(&json, '['));
    TG_CHECK_EQUAL(opened_first, number_of(next_json(&json)));
    must(tg_json_expect(&json, ','));
    TG_CHECK_EQUAL(opened_last, number_of(next_json(&json)));
    must(tg_json_expect(&json, ']'));
}

static void check_ranges(const object *read) {
    tg_harness_options options = {
        .parallelism = (uint32_t)number_of(member(read, "parallelism")),
        .max_parallelism = (uint32_t)number_of(member(read, "max-parallelism")),
    };
    tg_json json = json_of(member(read, "ranges"));
    must(tg_json_expect(&json, '['));
    bool more;
    must(tg_json_next(&json, ']', true, &more));
    for (; more; options.subtask++) {
        check_range(&options, next_json(&json));
        must(tg_json_next(&json, ']', false, &more));
    }
    TG_CHECK_EQUAL(options.subtask, options.parallelism);
}

TG_TEST(key_groups_are_those_of_the_host) {
    tg_bytes text = read_file("key-groups.json");
    object file = read_object(tg_bytes_slice(&text));
    TG_CHECK(each(member(&file, "keys"), check_key_group) > 100);
    TG_CHECK(each(member(&file, "ranges"), check_ranges) > 20);
    free_object(&file);
    tg_bytes_free(&text);
}

TG_TEST(chunks_are_written_and_read_as_the_format_says) {
    tg_bytes text = read_file("chunks.json");
    object file = read_object(tg_bytes_slice(&text));
    TG_CHECK(each(member(&file, "snapshots"), check_snapshot) > 3);
    TG_CHECK(each(member(&file, "items"), check_item) > 0);
    TG_CHECK(each_refused(member(&file, "refused-keyed"), check_refused_keyed) > 10);
    TG_CHECK(each_refused(member(&file, "refused-items"), check_refused_item) > 0);
    free_object(&file);
    tg_bytes_free(&text);
}

TG_TEST_MAIN(values_are_written_and_read_as_the_format_says, key_groups_are_those_of_the_host,
             chunks_are_written_and_read_as_the_format_says)
