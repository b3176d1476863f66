"""Adds the customer's city to each order. An order waits until the city is known."""

from dataclasses import dataclass, field

from tidegate import Output, Record, State, Struct, operator

#: The index of the orders among the `inputs` in the job file. The other input is the customers.
ORDERS = 0


@dataclass
class Customer:
    """The state of a customer, part of every checkpoint."""

    city: str | None = None
    #: The items that were ordered before the city was known.
    waiting: list[str] = field(default_factory=list)


@operator(state=Struct(Customer))
def deliveries(record: Record, state: State[Customer], out: Output) -> None:
    customer = state.value
    text = record.value_text()
    if record.input != ORDERS:
        for item in customer.waiting:
            out.emit(record.key, f"{item} to {text}")
        customer.city = text
        customer.waiting.clear()
    elif customer.city is None:
        customer.waiting.append(text)
    else:
        out.emit(record.key, f"{text} to {customer.city}")
