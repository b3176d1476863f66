"""Where an operator instance runs."""

from dataclasses import dataclass

__all__ = ["Context"]


@dataclass(frozen=True, slots=True)
class Context:
    """Where an operator instance runs; the argument of `open`."""

    #: Name of the job.
    job: str
    #: Name of the operator in the job file.
    operator: str
    #: Which of the parallel instances this is, from 0.
    subtask: int
    #: How many parallel instances there are.
    parallelism: int
    #: Number of key groups; never changes in the life of a job's state.
    max_parallelism: int
    #: The first key group that the instance owns.
    first_key_group: int
    #: The last key group that the instance owns.
    last_key_group: int
    #: Names of the inputs, by the index that `Record.input` gives.
    inputs: tuple[str, ...]
    #: Names of the output ports, by port.
    outputs: tuple[str, ...]
    #: The operator's `config` table of the job file, as JSON.
    config: str
    #: The secret seed for hash tables of the operator's own, whose keys come from records. Nothing
    #: that is emitted or remembered may depend on it.
    hash_seed: int

    def owns(self, key_group: int) -> bool:
        """True if the instance owns `key_group`."""
        return self.first_key_group <= key_group <= self.last_key_group
