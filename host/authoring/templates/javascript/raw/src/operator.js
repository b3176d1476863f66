// @ts-check
// Turns all values into upper case, a whole column at once, and writes the number of records at the
// end.

import { Failure } from "@tidegate/sdk";
import { NO_TIMESTAMP, rawOperator } from "@tidegate/sdk/raw";

const CHUNK_NAME = "records";
const CHUNK_VERSION = 1;

export default rawOperator(() => {
  let records = 0;
  return {
    process(_input, batch) {
      records += batch.timestamps.length;
      // Upper case is as long as before, so that the offsets of the rows stay as they are.
      const values = { offsets: batch.values.offsets, data: batch.values.data.map(upperCase) };
      return [{ port: 0, records: { ...batch, values } }];
    },
    snapshot() {
      // Equal state must give equal bytes.
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(records), true);
      return [{ name: CHUNK_NAME, schemaVersion: CHUNK_VERSION, keyGroup: null, bytes }];
    },
    restore(chunks) {
      // After a rescale, a subtask gets the chunks of several subtasks, or none.
      for (const { name, schemaVersion, bytes } of chunks) {
        const isKnown = name === CHUNK_NAME && schemaVersion === CHUNK_VERSION;
        if (!isKnown || bytes.length !== 8) {
          throw Failure.incompatibleState(`a chunk of another operator: ${name}`);
        }
        const view = new DataView(bytes.buffer, bytes.byteOffset);
        records += Number(view.getBigUint64(0, true));
      }
    },
    finish: () => [{ port: 0, records: sentence(`${records} records in all`) }],
  };
});

/** @param {number} byte */
function upperCase(byte) {
  const isLower = byte >= 97 && byte <= 122; // a to z
  return isLower ? byte - 32 : byte;
}

/**
 * Returns a batch of one record, whose text is ASCII.
 *
 * @param {string} text
 */
function sentence(text) {
  return {
    timestamps: new BigInt64Array([NO_TIMESTAMP]),
    keys: { offsets: new Uint32Array([0, 0]), data: new Uint8Array() },
    values: {
      offsets: new Uint32Array([0, text.length]),
      data: Uint8Array.from(text, (character) => character.charCodeAt(0)),
    },
  };
}
