/**
 * The place of an operator instance in its job.
 *
 * @module
 */
export type Context = {
    /**
     * name of the job
     */
    job: string;
    /**
     * name of the operator in the job file
     */
    operator: string;
    /**
     * index of this parallel instance, from 0
     */
    subtask: number;
    /**
     * number of parallel instances
     */
    parallelism: number;
    /**
     * number of key groups; never changes in the life of a job's
     * state
     */
    maxParallelism: number;
    /**
     * the first key group that the instance owns
     */
    firstKeyGroup: number;
    /**
     * the last key group that the instance owns
     */
    lastKeyGroup: number;
    /**
     * names of the inputs, by the index that `record.input` has
     */
    inputs: string[];
    /**
     * names of the output ports, by port
     */
    outputs: string[];
    /**
     * the operator's `config` table of the job file, as JSON
     */
    config: string;
    /**
     * the secret seed for the operator's own hash tables whose keys come
     * from records; neither emissions nor state may depend on it
     */
    hashSeed: number;
};
/**
 * The place of an operator instance in its job; an argument of `open`.
 *
 * @typedef {object} Context
 * @property {string} job name of the job
 * @property {string} operator name of the operator in the job file
 * @property {number} subtask index of this parallel instance, from 0
 * @property {number} parallelism number of parallel instances
 * @property {number} maxParallelism number of key groups; never changes in the life of a job's
 *   state
 * @property {number} firstKeyGroup the first key group that the instance owns
 * @property {number} lastKeyGroup the last key group that the instance owns
 * @property {string[]} inputs names of the inputs, by the index that `record.input` has
 * @property {string[]} outputs names of the output ports, by port
 * @property {string} config the operator's `config` table of the job file, as JSON
 * @property {number} hashSeed the secret seed for the operator's own hash tables whose keys come
 *   from records; neither emissions nor state may depend on it
 */
/**
 * Returns true if the instance owns `keyGroup`.
 *
 * @param {Context} context
 * @param {number} keyGroup
 * @returns {boolean}
 */
export declare function owns(context: Context, keyGroup: number): boolean;
