/**
 * The key group of a key, as the host computes it: Flink's function. And a hash of it.
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
 * Some hash that depends on a seed. A component has a better one, and a test can't tell them apart.
 *
 * @param {number} seed
 * @param {Uint8Array} key
 * @returns {number}
 */
export declare function hash(seed: number, key: Uint8Array): number;
