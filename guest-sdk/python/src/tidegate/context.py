"""The place of an operator instance in its job."""

from dataclasses import dataclass

__all__ = ["Context"]


@dataclass(frozen=True, slots=True)
class Context:
    """The place of an operator instance in its job; the argument of `open`."""

    #: Name of the job.
    job: str
    #: Name of the operator in the job file.
    operator: str
    #: The index of this parallel instance, from 0.
    subtask: int
    #: The number of parallel instances.
    parallelism: int
    #: The number of key groups; never changes in the life of a job's state.
    max_parallelism: int
    #: The first key group that the instance owns.
    first_key_group: int
    #: The last key group that the instance owns.
    last_key_group: int
    #: Names of the inputs, by the index that `Record.input` has.
    inputs: tuple[str, ...]
    #: Names of the output ports, by port.
    outputs: tuple[str, ...]
    #: The operator's `config` table of the job file, as JSON.
    config: str
    #: The secret seed for the operator's own hash tables whose keys come from records. Neither
    #: emissions nor state may depend on it.
    hash_seed: int

    def owns(self, key_group: int) -> bool:
        """Returns true if the instance owns `key_group`."""
        return self.first_key_group <= key_group <= self.last_key_group
