/**
 * Takes away functions that would make an operator depend on when or where it runs. The entry of a
 * component imports this module before the author's code.
 *
 * @module
 */
/**
 * @param {string} what
 * @returns {() => never}
 */
declare function refuse(what: string): () => never;
declare const OriginalDate: DateConstructor;
/**
 * Makes a `Date` from given parts, which is deterministic.
 *
 * @param {any[]} parts
 * @returns {Date}
 */
declare function DeterministicDate(...parts: any[]): Date;
declare namespace DeterministicDate {
    var prototype: Date;
    var UTC: {
        (year: number, monthIndex: number, date?: number, hours?: number, minutes?: number, seconds?: number, ms?: number): number;
        (year: number, monthIndex?: number, date?: number, hours?: number, minutes?: number, seconds?: number, ms?: number): number;
    };
    var parse: (s: string) => number;
    var now: () => never;
}
