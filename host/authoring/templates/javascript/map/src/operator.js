// @ts-check
// Turns the seconds of each record into minutes and seconds.

import { operator } from "@tidegate/sdk";

export default operator({
  onRecord(record, _state, out) {
    const total = record.value.integer("u32");
    const seconds = String(total % 60).padStart(2, "0");
    out.emit(record.key, `${Math.floor(total / 60)}:${seconds}`);
  },
});
