// @ts-check
// Keeps a running total of the values of each key, and emits it with every record.

import { i64, operator } from "@tidegate/sdk";

export default operator({
  state: i64.asNumber, // one for each key, part of every checkpoint
  onRecord(record, total, out) {
    total.value += record.value.integer();
    out.emit(record.key, total.value);
  },
});
