// Keeps a running total of the values of each key, and emits it with every record.

import { i64, type Output, operator, type Record, type State } from "@tidegate/sdk";

export default operator({
  state: i64.asNumber, // one for each key, part of every checkpoint
  onRecord(record: Record, total: State<number>, out: Output): void {
    total.value += record.value.integer();
    out.emit(record.key, total.value);
  },
});
