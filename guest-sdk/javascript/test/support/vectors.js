/**
 * Turns the types and values of `guest-sdk/vectors` into those of the SDK.
 *
 * @module
 */

import * as sdk from "@tidegate/sdk";

/**
 * @param {any} type
 * @returns {sdk.Codec<any>}
 */
export function codecOf(type) {
  if (typeof type === "string") return /** @type {any} */ (sdk)[type];
  if (type.option) return sdk.option(codecOf(type.option));
  if (type.list) return sdk.list(codecOf(type.list));
  if (type.map) return sdk.map(codecOf(type.map[0]), codecOf(type.map[1]));
  return sdk.tuple(...type.tuple.map(codecOf));
}

/**
 * @param {string} bits
 * @returns {DataView}
 */
function viewOf(bits) {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(`0x${bits}`) << BigInt(64 - bits.length * 4));
  return view;
}

/**
 * @param {string} type
 * @param {any} value
 * @returns {any}
 */
function simpleFromJson(type, value) {
  switch (type) {
    case "unit":
      return undefined;
    case "u64":
    case "i64":
      return BigInt(value);
    case "f32":
      return viewOf(value).getFloat32(0);
    case "f64":
      return viewOf(value).getFloat64(0);
    case "bytes":
      return Uint8Array.from(value.match(/../g) ?? [], (/** @type {string} */ byte) =>
        Number.parseInt(byte, 16),
      );
    case "bool":
    case "string":
      return value;
    default:
      return Number(value);
  }
}

/**
 * @param {any} type
 * @param {any} value
 * @returns {any}
 */
export function fromJson(type, value) {
  if (typeof type === "string") return simpleFromJson(type, value);
  if (type.option) {
    if (value === null) return null;
    const inner = fromJson(type.option, value[0]);
    return type.option.option ? { some: inner } : inner;
  }
  if (type.list) return value.map((/** @type {any} */ item) => fromJson(type.list, item));
  if (type.map) {
    const [key, inner] = type.map;
    // The entries come backwards, as the order of a `Map` must not matter.
    const entries = value.map((/** @type {any} */ [k, v]) => [
      fromJson(key, k),
      fromJson(inner, v),
    ]);
    return new Map(entries.reverse());
  }
  return value.map((/** @type {any} */ item, /** @type {number} */ at) =>
    fromJson(type.tuple[at], item),
  );
}

/**
 * @param {string} type
 * @param {any} value
 * @returns {any}
 */
function simpleToJson(type, value) {
  const view = new DataView(new ArrayBuffer(8));
  switch (type) {
    case "unit":
      return value === undefined ? [] : "not undefined";
    case "f32":
      view.setFloat32(0, value);
      return view.getUint32(0).toString(16).padStart(8, "0");
    case "f64":
      view.setFloat64(0, value);
      return view.getBigUint64(0).toString(16).padStart(16, "0");
    case "bytes":
      return Array.from(value, (/** @type {number} */ byte) =>
        byte.toString(16).padStart(2, "0"),
      ).join("");
    case "bool":
    case "string":
      return value;
    default:
      return `${value}`;
  }
}

/**
 * @param {any} type
 * @param {any} value
 * @returns {any}
 */
export function toJson(type, value) {
  if (typeof type === "string") return simpleToJson(type, value);
  if (type.option) {
    if (value === null) return null;
    return [toJson(type.option, type.option.option ? value.some : value)];
  }
  if (type.list) return value.map((/** @type {any} */ item) => toJson(type.list, item));
  if (type.map) {
    const [key, inner] = type.map;
    return [...value].map(([k, v]) => [toJson(key, k), toJson(inner, v)]);
  }
  return value.map((/** @type {any} */ item, /** @type {number} */ at) =>
    toJson(type.tuple[at], item),
  );
}

/**
 * Returns true if `read` is the value of the vectors, whatever the order of a map.
 *
 * @param {any} type
 * @param {any} read
 * @param {any} value
 * @returns {boolean}
 */
export function isRead(type, read, value) {
  const codec = codecOf(type);
  return codec.encode(read) === codec.encode(fromJson(type, value));
}
