"""Reads a line of a document from JSON: `{"document": NAME, "text": TEXT, ...}`.

Emits the text with the document as its key. What is no such line is an invalid record.
"""

from tidegate import Output, Record, stateless


@stateless
def parse(record: Record, out: Output) -> None:
    line = record.value_json()
    match line:
        case {"document": str(document), "text": str(text)}:
            out.emit(document, text)
        case _:
            raise record.invalid("it is no line of a document: `document` and `text` are missing")
