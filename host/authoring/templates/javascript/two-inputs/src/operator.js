// @ts-check
// Adds the customer's city to each order. An order waits until the city is known.

import { list, operator, option, string, struct } from "@tidegate/sdk";

// The index of the orders among the `inputs` in the job file. The other input is the customers.
const ORDERS = 0;

export default operator({
  // The state of a customer, part of every checkpoint. `waiting` has the items that were ordered
  // before the city was known.
  state: struct({ city: option(string), waiting: list(string) }),
  onRecord(record, state, out) {
    const customer = state.value;
    const text = record.value.text();
    if (record.input !== ORDERS) {
      for (const item of customer.waiting) out.emit(record.key, `${item} to ${text}`);
      state.value = { city: text, waiting: [] };
    } else if (customer.city === null) {
      customer.waiting.push(text);
    } else {
      out.emit(record.key, `${text} to ${customer.city}`);
    }
  },
});
