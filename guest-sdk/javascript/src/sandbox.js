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
function refuse(what) {
  return () => {
    throw new TypeError(`${what} is not there: an operator depends on nothing but its input`);
  };
}

const OriginalDate = Date;

/**
 * A `Date` that is made of something is fine.
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
