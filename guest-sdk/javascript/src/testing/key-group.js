/**
 * The key group of a key, as the host computes it (Flink's function), and a hash of a key.
 *
 * @module
 */

/**
 * @param {Uint8Array} key
 * @param {number} maxParallelism
 * @returns {number}
 */
export function keyGroup(key, maxParallelism) {
  let code = 0x811c_9dc5;
  for (const byte of key) code = Math.imul(code ^ byte, 0x0100_0193);
  code = Math.imul(rotated(Math.imul(code, 0xcc9e_2d51), 15), 0x1b87_3593);
  code = (Math.imul(rotated(code, 13), 5) + 0xe654_6b64) | 0;
  code ^= 4;
  code = Math.imul(code ^ (code >>> 16), 0x85eb_ca6b);
  code = Math.imul(code ^ (code >>> 13), 0xc2b2_ae35);
  code ^= code >>> 16;
  if (code === -0x8000_0000) return 0;
  return Math.abs(code) % maxParallelism;
}

/**
 * Returns a hash that depends on a seed. A component has a better hash; tests can't tell them
 * apart.
 *
 * @param {number} seed
 * @param {Uint8Array} key
 * @returns {number}
 */
export function hash(seed, key) {
  let code = seed | 0;
  for (const byte of key) code = Math.imul(code ^ byte, 0x0100_0193);
  return code ^ (code >>> 15);
}

/**
 * @param {number} number
 * @param {number} by
 * @returns {number}
 */
function rotated(number, by) {
  return (number << by) | (number >>> (32 - by));
}
