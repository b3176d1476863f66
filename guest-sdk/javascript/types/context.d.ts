/**
 * Where an operator instance runs.
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
     * which of the parallel instances this is, from 0
     */
    subtask: number;
    /**
     * how many parallel instances there are
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
     * names of the inputs, by the index that `record.input` gives
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
     * the secret seed for hash tables of the operator's own, whose keys
     * come from records; nothing that is emitted or remembered may depend on it
     */
    hashSeed: number;
};
/**
 * Where an operator instance runs; an argument of `open`.
 *
 * @typedef {object} Context
 * @property {string} job name of the job
 * @property {string} operator name of the operator in the job file
 * @property {number} subtask which of the parallel instances this is, from 0
 * @property {number} parallelism how many parallel instances there are
 * @property {number} maxParallelism number of key groups; never changes in the life of a job's
 *   state
 * @property {number} firstKeyGroup the first key group that the instance owns
 * @property {number} lastKeyGroup the last key group that the instance owns
 * @property {string[]} inputs names of the inputs, by the index that `record.input` gives
 * @property {string[]} outputs names of the output ports, by port
 * @property {string} config the operator's `config` table of the job file, as JSON
 * @property {number} hashSeed the secret seed for hash tables of the operator's own, whose keys
 *   come from records; nothing that is emitted or remembered may depend on it
 */
/**
 * True if the instance owns `keyGroup`.
 *
 * @param {Context} context
 * @param {number} keyGroup
 * @returns {boolean}
 */
export declare function owns(context: Context, keyGroup: number): boolean;
