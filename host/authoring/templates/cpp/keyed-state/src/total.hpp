// Keeps a running total of the values of each key, and emits it with every record.

#pragma once

#include <limits>

#include <tidegate.hpp>

class total {
  public:
    using state = std::int64_t; // one for each key, part of every checkpoint; begins at 0

    tidegate::status on_record(const tidegate::record &record, state &sum, tidegate::output &out) {
        state amount = 0;
        TG_TRY(record.value_as(amount)); // a value that is no number blames this record
        if (__builtin_add_overflow(sum, amount, &sum)) {
            using limits = std::numeric_limits<state>;
            sum = amount < 0 ? limits::min() : limits::max();
        }
        out.emit(record.key(), sum);
        return tidegate::ok;
    }
};
