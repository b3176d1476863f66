/**
 * Takes away what would make an operator depend on when or where it runs. Imported before the
 * author's code by the entry of a component.
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
 * A `Date` that is made of something is fine.
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
