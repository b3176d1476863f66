// Adds the customer's city to each order. An order waits until the city is known.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tidegate.hpp>

// The state of a customer, part of every checkpoint.
struct customer {
    std::optional<std::string> city;
    std::vector<std::string> waiting; // ordered before the city was known

    static constexpr auto members() {
        return tidegate::members(TIDEGATE_MEMBER(customer, city),
                                 TIDEGATE_MEMBER(customer, waiting));
    }
};

class deliveries {
  public:
    using state = customer;

    // The index of the orders among the `inputs` in the job file. The other input is the customers.
    static constexpr std::uint32_t orders = 0;

    tidegate::status on_record(const tidegate::record &record, state &known,
                               tidegate::output &out) {
        std::string_view text;
        TG_TRY(record.value_text(text));
        if (record.input() != orders) {
            for (const std::string &item : known.waiting) {
                out.emit(record.key(), delivery(item, text));
            }
            known.waiting.clear();
            known.city = text;
        } else if (known.city) {
            out.emit(record.key(), delivery(text, *known.city));
        } else {
            known.waiting.emplace_back(text);
        }
        return tidegate::ok;
    }

  private:
    static std::string delivery(std::string_view item, std::string_view city) {
        return std::string(item).append(" to ").append(city);
    }
};
