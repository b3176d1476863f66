//! Adds the customer's city to each order. An order waits until the city is known.

use serde::{Deserialize, Serialize};
use tidegate_sdk::prelude::*;

/// The index of the orders among the `inputs` in the job file. The other input is the customers.
const ORDERS: u32 = 0;

struct Deliveries;

/// The state of a customer, part of every checkpoint.
#[derive(Default, Serialize, Deserialize)]
struct Customer {
    city: Option<String>,
    /// The items that were ordered before the city was known.
    waiting: Vec<String>,
}

impl Operator for Deliveries {
    type Config = (); // any type that serde can read, from `config` in the job file
    type State = Customer;

    fn open(_config: (), _context: &Context) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        customer: &mut Customer,
        out: &mut Output,
    ) -> Result<(), Failure> {
        let text = record.value_str()?;
        if record.input() == ORDERS {
            match &customer.city {
                Some(city) => out.emit(record.key(), (text, " to ", city)),
                None => customer.waiting.push(text.to_owned()),
            }
        } else {
            for item in customer.waiting.drain(..) {
                out.emit(record.key(), (item, " to ", text));
            }
            customer.city = Some(text.to_owned());
        }
        Ok(())
    }
}

export_operator!(Deliveries);

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_sdk::raw::{Batch, NO_TIMESTAMP};
    use tidegate_sdk::testing::Harness;

    const CUSTOMERS: u32 = 1;

    fn ann(value: &str) -> Batch {
        let mut batch = Batch::default();
        batch.push(NO_TIMESTAMP, b"ann", value.as_bytes());
        batch
    }

    #[test]
    fn an_order_waits_for_the_city_also_over_a_failure() -> Result<(), Failure> {
        let mut deliveries = Harness::<Deliveries>::builder().open()?;
        deliveries.send_batch(ORDERS, ann("lamp"))?;
        assert_eq!(deliveries.take_text(), []);
        deliveries.restart()?;
        deliveries.send_batch(CUSTOMERS, ann("Oslo"))?;
        deliveries.send_batch(ORDERS, ann("rug"))?;
        let emitted = deliveries.take_text();
        let values: Vec<&str> = emitted.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["lamp to Oslo", "rug to Oslo"]);
        Ok(())
    }
}
