/**
 * Counts how often each key was seen.
 *
 * Config `emit`: `"updates"` (the default) sends the new count with each record, `"final"` sends
 * one count for each key when the input has ended.
 *
 * @module
 */

import { oneOf, operator, u64 } from "@tidegate/sdk";

export default operator({
  state: u64.asNumber,
  config: { emit: oneOf("updates", "final") },
  open: ({ emit }) => ({
    onRecord(record, count, out) {
      count.value += 1;
      if (emit === "updates") out.emit(record.key, count.value);
    },
    onFinish(keys, out) {
      if (emit === "updates") return;
      for (const [key, count] of keys) out.emit(key, count);
    },
  }),
});
