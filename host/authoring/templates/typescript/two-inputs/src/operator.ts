// Adds the customer's city to each order. An order waits until the city is known.

import {
  list,
  type Output,
  operator,
  option,
  type Record,
  type State,
  string,
  struct,
} from "@tidegate/sdk";

// The index of the orders among the `inputs` in the job file. The other input is the customers.
const ORDERS = 0;

/** The state of a customer, part of every checkpoint. */
type Customer = {
  city: string | null;
  /** The items that were ordered before the city was known. */
  waiting: string[];
};

export default operator({
  state: struct({ city: option(string), waiting: list(string) }),
  onRecord(record: Record, state: State<Customer>, out: Output): void {
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
