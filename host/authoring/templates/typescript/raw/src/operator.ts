// Turns all values into upper case, a whole column at once, and writes the number of records at the
// end.

import { Failure } from "@tidegate/sdk";
import {
  type Batch,
  type Emission,
  NO_TIMESTAMP,
  rawOperator,
  type StateChunk,
} from "@tidegate/sdk/raw";

const CHUNK_NAME = "records";
const CHUNK_VERSION = 1;

class Shout {
  private records = 0;

  process(_input: number, records: Batch): Emission[] {
    this.records += records.timestamps.length;
    // Upper case is as long as before, so that the offsets of the rows stay as they are.
    const { offsets, data } = records.values;
    const values = { offsets, data: data.map(upperCase) };
    return [{ port: 0, records: { ...records, values } }];
  }

  snapshot(): StateChunk[] {
    // Equal state must give equal bytes.
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(this.records), true);
    return [{ name: CHUNK_NAME, schemaVersion: CHUNK_VERSION, keyGroup: null, bytes }];
  }

  restore(chunks: StateChunk[]): void {
    // After a rescale, a subtask gets the chunks of several subtasks, or none.
    for (const { name, schemaVersion, bytes } of chunks) {
      const isKnown = name === CHUNK_NAME && schemaVersion === CHUNK_VERSION;
      if (!isKnown || bytes.length !== 8) {
        throw Failure.incompatibleState(`a chunk of another operator: ${name}`);
      }
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      this.records += Number(view.getBigUint64(0, true));
    }
  }

  finish(): Emission[] {
    return [{ port: 0, records: sentence(`${this.records} records in all`) }];
  }
}

function upperCase(byte: number): number {
  const isLower = byte >= 97 && byte <= 122; // a to z
  return isLower ? byte - 32 : byte;
}

/** Returns a batch of one record, whose text is ASCII. */
function sentence(text: string): Batch {
  return {
    timestamps: new BigInt64Array([NO_TIMESTAMP]),
    keys: { offsets: new Uint32Array([0, 0]), data: new Uint8Array() },
    values: {
      offsets: new Uint32Array([0, text.length]),
      data: Uint8Array.from(text, (character) => character.charCodeAt(0)),
    },
  };
}

export default rawOperator(() => new Shout());
