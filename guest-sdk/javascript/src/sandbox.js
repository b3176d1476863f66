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
function refuse(what) {
  return () => {
    throw new TypeError(`${what} is not there: an operator depends on nothing but its input`);
  };
}

const OriginalDate = Date;

/**
 * Makes a `Date` from given parts, which is deterministic.
 *
 * @param {any[]} parts
 * @returns {Date}
 */
function DeterministicDate(...parts) {
  if (new.target === undefined || parts.length === 0) refuse("the clock")();
  return Reflect.construct(OriginalDate, parts, new.target ?? OriginalDate);
}

DeterministicDate.prototype = OriginalDate.prototype;
DeterministicDate.prototype.constructor = DeterministicDate;
DeterministicDate.UTC = OriginalDate.UTC;
DeterministicDate.parse = OriginalDate.parse;
DeterministicDate.now = refuse("the clock");

Math.random = refuse("Math.random");
Object.assign(globalThis, { Date: DeterministicDate, performance: undefined });
