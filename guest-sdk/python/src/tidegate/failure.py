"""The reasons why a call into an operator fails.

The job's reaction depends on the class. Any other exception is a fault in the operator's code: the
SDK writes it to the job's log with its stack, and traps, so that the job's policy for traps
applies.
"""

__all__ = ["Failure", "IncompatibleState", "InvalidRecord", "OtherFailure", "unknown_version"]


class Failure(Exception):
    """The base of an operator's reasons why it can't continue; raise a subclass."""


class InvalidRecord(Failure):
    """One record can't be processed.

    The job's policy decides whether the job fails or the record goes to the dead-letter output.
    Made by [`Record.invalid`][tidegate.Record.invalid], which knows the row.
    """

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(f"invalid record {row}: {reason}")
        #: The row of the batch.
        self.row = row
        #: The reason, for the user.
        self.reason = reason


class IncompatibleState(Failure):
    """The restored state can't be read by this version of the operator. The job does not start."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"incompatible state: {reason}")
        #: The reason, for the user.
        self.reason = reason


class OtherFailure(Failure):
    """Any other failure. The attempt ends, and the job restarts from its last checkpoint."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        #: The reason, for the user.
        self.reason = reason


def unknown_version(version: int) -> IncompatibleState:
    """Makes [`Operator.migrate`][tidegate.Operator.migrate]'s failure for an unknown version."""
    return IncompatibleState(f"this operator does not read version {version}")
