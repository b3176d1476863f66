// Turns all values into upper case, a whole column at once, and writes the number of records at the
// end.

#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <tidegate.hpp>

// The raw level is that of the C headers: a table of functions, which `calls` below fills in.
class shout {
  public:
    tg_status process(const tg_batch &batch, tg_emissions &emitted) {
        records_ += batch.rows;
        emit(batch, emitted);
        // Upper case is as long as before, so that the offsets of the rows stay as they are.
        for (std::uint8_t &byte : values_.data) {
            if ('a' <= byte && byte <= 'z') {
                byte = static_cast<std::uint8_t>(byte - 'a' + 'A');
            }
        }
        return TG_OK;
    }

    // Equal state must give equal bytes: the number, with its lowest byte first.
    tg_status snapshot(tg_chunks &chunks) {
        for (std::size_t i = 0; i < state_.size(); i++) {
            state_[i] = static_cast<std::uint8_t>(records_ >> (8 * i));
        }
        chunk_ = {};
        chunk_.name = tidegate::bytes_of(chunk_name);
        chunk_.schema_version = chunk_version;
        chunk_.bytes = tg_slice_of(state_.data(), state_.size());
        chunks = {&chunk_, 1};
        return TG_OK;
    }

    // After a rescale, a subtask gets the chunks of several subtasks, or none.
    tg_status restore(const tg_chunks &chunks) {
        for (std::size_t i = 0; i < chunks.count; i++) {
            const tg_state_chunk &chunk = chunks.items[i];
            const bool is_known = tidegate::text_of(chunk.name) == chunk_name &&
                                  chunk.schema_version == chunk_version;
            if (!is_known || chunk.bytes.len != state_.size()) {
                return tg_incompatible("a chunk of another operator");
            }
            std::uint64_t records = 0;
            for (std::size_t byte = 0; byte < state_.size(); byte++) {
                records |= std::uint64_t{chunk.bytes.data[byte]} << (8 * byte);
            }
            records_ += records;
        }
        return TG_OK;
    }

    tg_status finish(tg_emissions &emitted) {
        const std::string sentence = std::to_string(records_) + " records in all";
        const std::int64_t timestamp = TG_NO_TIMESTAMP;
        const std::uint32_t key_offsets[] = {0, 0};
        const std::uint32_t value_offsets[] = {0, static_cast<std::uint32_t>(sentence.size())};
        const tg_slice value = tidegate::bytes_of(sentence);
        emit({&timestamp,
              1,
              {key_offsets, 2, nullptr, 0},
              {value_offsets, 2, value.data, value.len}},
             emitted);
        return TG_OK;
    }

    static const tg_raw_operator calls;

  private:
    // A column in memory of the instance.
    struct column {
        std::vector<std::uint32_t> offsets;
        std::vector<std::uint8_t> data;

        tg_column copy(const tg_column &from) {
            offsets.assign(from.offsets, from.offsets + from.offset_count);
            data.assign(from.data, from.data + from.len);
            return {offsets.data(), offsets.size(), data.data(), data.size()};
        }
    };

    static constexpr std::string_view chunk_name = "records";
    static constexpr std::uint32_t chunk_version = 1;

    // Emits a copy of a batch to port 0: arguments are valid during the call only, and the host
    // reads the result after the call.
    void emit(const tg_batch &batch, tg_emissions &emitted) {
        timestamps_.assign(batch.timestamps, batch.timestamps + batch.rows);
        const tg_column keys = keys_.copy(batch.keys);
        const tg_column values = values_.copy(batch.values);
        emission_ = {0, {timestamps_.data(), batch.rows, keys, values}};
        emitted = {&emission_, 1};
    }

    std::uint64_t records_ = 0;
    tg_emission emission_{};
    std::vector<std::int64_t> timestamps_;
    column keys_, values_;
    tg_state_chunk chunk_{};
    std::array<std::uint8_t, 8> state_{};
};

inline const tg_raw_operator shout::calls = [] {
    tg_raw_operator calls{};
    calls.open = [](const void *, const tg_context *, void **instance) {
        *instance = new shout;
        return TG_OK;
    };
    calls.process = [](void *self, std::uint32_t, const tg_batch *batch, tg_emissions *emitted) {
        return static_cast<shout *>(self)->process(*batch, *emitted);
    };
    calls.snapshot = [](void *self, std::uint64_t, tg_chunks *chunks) {
        return static_cast<shout *>(self)->snapshot(*chunks);
    };
    calls.restore = [](void *self, const tg_chunks *chunks) {
        return static_cast<shout *>(self)->restore(*chunks);
    };
    calls.finish = [](void *self, tg_emissions *emitted) {
        return static_cast<shout *>(self)->finish(*emitted);
    };
    calls.close = [](void *self) { delete static_cast<shout *>(self); };
    return calls;
}();
