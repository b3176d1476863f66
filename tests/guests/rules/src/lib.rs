//! Emits the records of input 0 whose values are among the records of input 1, and keeps the latter
//! as operator state. Every subtask needs all of them, and a restore at another parallelism
//! distributes them: authors must not do this before there is broadcast state.

use tidegate_sdk::prelude::*;

struct Rules {
    allowed: Vec<String>,
}

impl Operator for Rules {
    type Config = ();
    type State = ();

    fn open(_config: (), _context: &Context) -> Result<Self, Failure> {
        let allowed = Vec::new();
        Ok(Self { allowed })
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        _state: &mut (),
        out: &mut Output,
    ) -> Result<(), Failure> {
        let value = record.value_str()?;
        if record.input() == 1 {
            self.allowed.push(value.to_owned());
        } else if self.allowed.iter().any(|allowed| allowed == value) {
            out.emit(record.key(), value);
        }
        Ok(())
    }

    fn operator_state(&self, items: &mut Items) -> Result<(), Failure> {
        self.allowed
            .iter()
            .try_for_each(|allowed| items.push(allowed))
    }

    fn restore_operator_state(&mut self, items: RestoredItems) -> Result<(), Failure> {
        self.allowed = items.read()?;
        Ok(())
    }
}

/// A name that the macro must not take for one of its own.
type Slot = Rules;

export_operator!(Slot);
