"""word-count's counter in PyFlink, for the table in guest-sdk/README.md.

Needs Java 17, and `pip install apache-flink==2.3.0` in an environment of its own. Counts keys of
the same shape as `benches/languages.rs`, at parallelism 1. A job is run over few records and over
many, and the difference is what a record costs, so that neither the start of Flink nor that of
Python's workers is in it: `python counter.py [process|thread] [records]`.
"""

import sys
import tempfile
import time
from pathlib import Path

from pyflink.common import Configuration, Types
from pyflink.common.watermark_strategy import WatermarkStrategy
from pyflink.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import FileSource, StreamFormat
from pyflink.datastream.state import ValueStateDescriptor

KEYS = 10_000
SYLLABLES = "ti de ga te wa ter lo mi ra ne so ku ba li on ve".split()


def word(number):
    parts, rest = [], number + 16
    while rest > 0:
        parts.append(SYLLABLES[rest % 16])
        rest //= 16
    return "".join(parts)


def frequent(index):
    even = (index * 0x9E3779B97F4A7C15 & (1 << 64) - 1) >> 48
    return (even * even * even >> 32) * KEYS >> 16


class Count(KeyedProcessFunction):
    def open(self, context):
        self.count = context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, value, context):
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        # Nothing is emitted but the last: a sink would be measured too.
        if count < 0:
            yield value


def seconds(mode, records, folder):
    configuration = Configuration()
    configuration.set_string("python.execution-mode", mode)
    configuration.set_string("python.executable", sys.executable)
    configuration.set_string("pipeline.object-reuse", "true")
    environment = StreamExecutionEnvironment.get_execution_environment(configuration)
    environment.set_parallelism(1)
    path = Path(folder) / f"{records}.txt"
    path.write_text("".join(f"{word(frequent(index))}\n" for index in range(records)))
    source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), str(path)).build()
    words = environment.from_source(source, WatermarkStrategy.no_watermarks(), "words")
    words.key_by(lambda text: text, key_type=Types.STRING()).process(
        Count(), output_type=Types.STRING()
    ).print()
    started = time.monotonic()
    environment.execute("counter")
    return time.monotonic() - started


def main():
    mode = sys.argv[1] if len(sys.argv) > 1 else "process"
    records = int(sys.argv[2]) if len(sys.argv) > 2 else 400_000
    with tempfile.TemporaryDirectory() as folder:
        few = seconds(mode, records // 10, folder)
        many = seconds(mode, records, folder)
    nanoseconds = (many - few) / (records - records // 10) * 1e9
    print(f"{mode}: {nanoseconds:.0f} ns/record ({few:.1f} s and {many:.1f} s in all)")


if __name__ == "__main__":
    main()
