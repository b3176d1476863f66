/**
 * An operator's `config` table: its settings, and their defaults.
 *
 * @module
 */
/**
 * A setting that is one of several texts; the first is the default.
 *
 * @template {string} T
 */
export declare class Choice<T extends string> {
    /** @internal */
    _choices: readonly T[];
}
/**
 * Makes a setting that is one of these texts; the first is the default.
 *
 * @template {string} T
 * @param {T} first
 * @param {T[]} others
 * @returns {Choice<T>}
 */
export declare function oneOf<T extends string>(first: T, ...others: T[]): Choice<T>;
/**
 * A required setting.
 *
 * @template {string | number | boolean | any[] | object} T
 */
export declare class Required<T extends string | number | boolean | any[] | object> {
    /** @internal */
    _example: T;
}
/**
 * Makes a required setting, of the type of the example.
 *
 * ```js
 * config: { column: required(""), limit: 10 }
 * ```
 *
 * @template {string | number | boolean | any[] | object} T
 * @param {T} example
 * @returns {Required<T>}
 */
export declare function required<T extends string | number | boolean | any[] | object>(example: T): Required<T>;
export type Settings = {
    [name: string]: unknown;
};
export type Config<S> = S extends Choice<infer T> ? T : S extends Required<infer T> ? T : S extends string ? string : S extends number ? number : S extends boolean ? boolean : S extends readonly any[] ? any[] : {
    -readonly [N in keyof S]: Config<S[N]>;
};
/**
 * The settings of an operator, each with its default, which is also its type. A setting with an
 * unknown name or of another type is rejected. The entries of an array, and of an object that has
 * no fields, are not checked.
 *
 * @typedef {{ [name: string]: unknown }} Settings
 */
/**
 * The configuration that `open` receives.
 *
 * @template S
 * @typedef {S extends Choice<infer T> ? T : S extends Required<infer T> ? T
 *   : S extends string ? string : S extends number ? number : S extends boolean ? boolean
 *   : S extends readonly any[] ? any[] : { -readonly [N in keyof S]: Config<S[N]> }} Config
 */
/**
 * Reads the `config` table.
 *
 * @template {Settings} S
 * @param {string} json
 * @param {S} settings
 * @returns {Config<S>}
 * @throws {Failure} if the table does not fit the settings
 */
export declare function readConfig<S extends Settings>(json: string, settings: S): Config<S>;
