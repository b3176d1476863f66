// Fails in the way that the value of a record names. In TypeScript, and checked by `tsc`.

import type { Output, Record, State } from "@tidegate/sdk";
import { Failure, le64, log, map, operator, option, string, struct, u64 } from "@tidegate/sdk";

const seen = struct({ count: u64, last: option(string), each: map(string, u64.asNumber) });

type Seen = { count: bigint; last: string | null; each: Map<string, number> };

function goWrong(how: string, record: Record, out: Output): unknown {
  switch (how) {
    case "type-error":
      return (undefined as unknown as { length: number }).length;
    case "range-error":
      throw new RangeError("too far");
    case "text":
      throw "only text";
    case "failure":
      throw new Failure("declared");
    case "invalid":
      throw record.invalid("not this one");
    case "overflow":
      return goWrong(how, record, out);
    case "memory": {
      const all = [];
      for (;;) all.push(new Uint8Array(16_000_000).fill(1));
    }
    case "endless":
      for (;;);
    case "clock":
      return Date.now();
    case "random":
      return Math.random();
    case "port":
      return out.emitTo(7, "a", "b");
    case "half":
      return out.emit("half", 0.5);
    case "surrogate":
      log("info", "\ud800");
      return out.emit("\ud800", "\udc00 潮");
    default:
      return undefined;
  }
}

export default operator({
  state: seen,
  onRecord(record: Record, state: State<Seen>, out: Output) {
    const how = record.value.text();
    state.value.count += 1n;
    state.value.last = how;
    state.value.each.set(how, (state.value.each.get(how) ?? 0) + 1);
    goWrong(how, record, out);
    out.emit(record.key, state.value.count);
    out.emit(record.value, le64(state.value.count), 9_007_199_254_740_991);
  },
});
