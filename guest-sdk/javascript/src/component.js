/**
 * Makes the exports of a component from a raw operator. `tidegate build` writes a module that calls
 * {@link exportOperator}; an author's code does not.
 *
 * Lists of numbers cross the boundary as bytes: the engine would handle them one number at a time.
 *
 * @module
 */

import { Failure } from "./failure.js";
import { setHost } from "./host.js";

/** @typedef {import("./column.js").RawColumn} RawColumn */
/** @typedef {import("./context.js").Context} Context */
/** @typedef {import("./host.js").Level} Level */
/** @typedef {import("./raw.js").Batch} Batch */
/** @typedef {import("./raw.js").Emission} Emission */
/** @typedef {import("./raw.js").OperatorModule} OperatorModule */
/** @typedef {import("./raw.js").RawOperator} RawOperator */
/** @typedef {import("./raw.js").StateChunk} StateChunk */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {{ offsets: Bytes, data: Bytes }} WireColumn */
/** @typedef {{ timestamps: Bytes, keys: WireColumn, values: WireColumn }} WireBatch */
/** @typedef {{ port: number, records: WireBatch }} WireEmission */

/**
 * The interface of the host, as the engine binds it.
 *
 * @typedef {object} WireHost
 * @property {(level: Level, message: string) => void} log
 * @property {(metric: string, delta: number) => void} count
 * @property {(keys: WireColumn) => Bytes} keyGroups
 * @property {(seed: number, keys: WireColumn) => Bytes} hashKeys
 */

/** The longest stack in a message, in characters. The host cuts longer messages at their end. */
const LONGEST_STACK = 3000;

/**
 * Returns the exports of a component whose operator is `module`.
 *
 * @param {OperatorModule} module
 * @param {WireHost} host
 */
export function exportOperator(module, host) {
  if (typeof module?.openRaw !== "function") {
    throw new TypeError(
      "the default export is no operator: " +
        "`export default operator({ … })` of @tidegate/sdk makes one",
    );
  }
  setHost({
    log: host.log,
    count: host.count,
    keyGroups: (keys) => words(host.keyGroups(lowerColumn(keys))),
    hashKeys: (seed, keys) => signedWords(host.hashKeys(seed, lowerColumn(keys))),
  });
  return lifecycle(module, (error) => host.log("error", describe(error)));
}

/**
 * @param {OperatorModule} module
 * @param {(error: unknown) => void} report
 */
function lifecycle(module, report) {
  /** @type {RawOperator | undefined} */
  let operator;
  const opened = () => {
    if (operator === undefined) {
      throw new Failure("the operator was called before it was opened");
    }
    return operator;
  };
  /** @template T @param {() => T} call @returns {T} */
  const guard = (call) => guarded(call, report);
  return {
    /** @param {Context} context */
    open: (context) =>
      guard(() => {
        if (operator !== undefined) throw new Failure("the operator was opened twice");
        operator = module.openRaw(context);
      }),
    /** @param {number} input @param {WireBatch} records */
    process: (input, records) =>
      guard(() => opened().process(input, liftBatch(records)).map(lowerEmission)),
    /** @param {number} low @param {number} high */
    advanceWatermark: (low, high) =>
      guard(() => {
        const watermark = (BigInt(high) << 32n) | BigInt(low);
        return (opened().advanceWatermark?.(watermark) ?? []).map(lowerEmission);
      }),
    /** @param {number} checkpoint */
    snapshot: (checkpoint) => guard(() => opened().snapshot(checkpoint).map(lowerChunk)),
    /** @param {StateChunk[]} chunks */
    restore: (chunks) => guard(() => opened().restore(chunks)),
    /** @param {number} checkpoint */
    checkpointComplete: (checkpoint) => guard(() => opened().checkpointComplete?.(checkpoint)),
    finish: () => guard(() => (opened().finish?.() ?? []).map(lowerEmission)),
  };
}

/**
 * Declared failures go to the host as such. Any other error is a fault of the operator: it is
 * logged, since the host looks in the log for the reason of a trap, and the engine traps when an
 * `Error` leaves an export.
 *
 * @template T
 * @param {() => T} call
 * @param {(error: unknown) => void} report
 * @returns {T}
 */
function guarded(call, report) {
  try {
    return call();
  } catch (error) {
    if (error instanceof Failure) throw lowerFailure(error);
    report(error);
    throw new Error("an uncaught error of the operator");
  }
}

/**
 * Returns the type, message and stack of a thrown value.
 *
 * @param {unknown} error
 * @returns {string}
 */
function describe(error) {
  if (!(error instanceof Error)) return `uncaught: ${String(error)}`.toWellFormed();
  const stack = (error.stack ?? "").trimEnd().slice(0, LONGEST_STACK);
  return `uncaught ${error.name}: ${error.message}\n${stack}`.trimEnd().toWellFormed();
}

/**
 * @param {Failure} failure
 * @returns {{ tag: string, val: unknown }}
 */
function lowerFailure({ kind, row, message }) {
  const reason = message.toWellFormed();
  return { tag: kind, val: kind === "invalid-record" ? [signed(row), reason] : reason };
}

/**
 * @param {WireBatch} batch
 * @returns {Batch}
 */
function liftBatch({ timestamps, keys, values }) {
  return {
    timestamps: new BigInt64Array(timestamps.buffer, timestamps.byteOffset, timestamps.length / 8),
    keys: { offsets: words(keys.offsets), data: keys.data },
    values: { offsets: words(values.offsets), data: values.data },
  };
}

/**
 * @param {Emission} emission
 * @returns {WireEmission}
 */
function lowerEmission({ port, records }) {
  const timestamps = bytes(records.timestamps);
  const keys = lowerColumn(records.keys);
  const values = lowerColumn(records.values);
  return { port: signed(port), records: { timestamps, keys, values } };
}

/**
 * @param {RawColumn} column
 * @returns {WireColumn}
 */
function lowerColumn({ offsets, data }) {
  return { offsets: bytes(offsets), data };
}

/**
 * @param {StateChunk} chunk
 */
function lowerChunk({ name, schemaVersion, keyGroup, bytes }) {
  return {
    name: name.toWellFormed(),
    schemaVersion: signed(schemaVersion),
    keyGroup: keyGroup === null ? null : signed(keyGroup),
    bytes,
  };
}

/**
 * @param {Bytes} raw
 * @returns {Uint32Array<ArrayBuffer>}
 */
function words(raw) {
  return new Uint32Array(raw.buffer, raw.byteOffset, raw.length / 4);
}

/**
 * @param {Bytes} raw
 * @returns {Int32Array<ArrayBuffer>}
 */
function signedWords(raw) {
  return new Int32Array(raw.buffer, raw.byteOffset, raw.length / 4);
}

/**
 * @param {Uint32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>} numbers
 * @returns {Bytes}
 */
function bytes({ buffer, byteOffset, byteLength }) {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * The engine takes a 32-bit number only if the number is signed.
 *
 * @param {number} number
 * @returns {number}
 */
function signed(number) {
  return number | 0;
}
