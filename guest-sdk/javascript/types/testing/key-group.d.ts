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
export declare function keyGroup(key: Uint8Array, maxParallelism: number): number;
/**
 * Returns a hash that depends on a seed. A component has a better hash; tests can't tell them
 * apart.
 *
 * @param {number} seed
 * @param {Uint8Array} key
 * @returns {number}
 */
export declare function hash(seed: number, key: Uint8Array): number;
