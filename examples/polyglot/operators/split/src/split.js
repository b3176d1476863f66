/**
 * Splits text into words of Latin letters, in lower case. Each word keeps the key of its text.
 *
 * @module
 */

import { operator } from "@tidegate/sdk";

export default operator({
  onRecord(record, _state, out) {
    const words = record.value.text().match(/[A-Za-z]+/g);
    for (const word of words ?? []) out.emit(record.key, word.toLowerCase());
  },
});
