// Turns the seconds of each record into minutes and seconds.

import { type Output, operator, type Record } from "@tidegate/sdk";

export default operator({
  onRecord(record: Record, _state: unknown, out: Output): void {
    const total = record.value.integer("u32");
    const seconds = String(total % 60).padStart(2, "0");
    out.emit(record.key, `${Math.floor(total / 60)}:${seconds}`);
  },
});
