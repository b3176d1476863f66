/**
 * The key group of a key, as the host computes it: Flink's function.
 *
 * @module
 */
/**
 * @param {Uint8Array} key
 * @param {number} maxParallelism
 * @returns {number}
 */
export declare function keyGroup(key: Uint8Array, maxParallelism: number): number;
