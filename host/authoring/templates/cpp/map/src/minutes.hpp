// Turns the seconds of each record into minutes and seconds.

#pragma once

#include <string>

#include <tidegate.hpp>

class minutes {
  public:
    tidegate::status on_record(const tidegate::record &record, tidegate::output &out) {
        std::uint32_t total = 0;
        TG_TRY(record.value_as(total)); // a value that is no number blames this record
        const std::string seconds = std::to_string(total % 60);
        const char *const zero = seconds.size() < 2 ? "0" : "";
        out.emit(record.key(), std::to_string(total / 60) + ":" + zero + seconds);
        return tidegate::ok;
    }
};
