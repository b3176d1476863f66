// Counts keys as the counter in C does, in C++, for the tests against the real host.

#include <tidegate.hpp>

namespace {

struct settings {
    std::string emit = "updates";

    static constexpr auto members() { return tidegate::members(TIDEGATE_MEMBER(settings, emit)); }
};

class count {
  public:
    using state = std::uint64_t;
    using config = settings;

    tidegate::status open(const config &given, const tg_context &) {
        is_final_ = given.emit == "final";
        return tidegate::ok;
    }

    tidegate::status on_record(const tidegate::record &record, state &seen, tidegate::output &out) {
        seen += 1;
        if (!is_final_) {
            out.emit(record.key(), seen);
        }
        return tidegate::ok;
    }

    tidegate::status on_finish(tidegate::keyed_state<state> &keys, tidegate::output &out) {
        if (is_final_) {
            keys.for_each([&](std::string_view key, state &seen) { out.emit(key, seen); });
        }
        return tidegate::ok;
    }

  private:
    bool is_final_ = false;
};

} // namespace

TIDEGATE_EXPORT(count);
