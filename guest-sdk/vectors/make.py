#!/usr/bin/env python3
"""Writes the vectors beside it, by the words of ../FORMAT.md and nothing of an SDK.

This is the smallest implementation of the format that there is, and the one that all SDKs are held
to. Run it after adding a case: `guest-sdk/vectors/make.py`; `--check` fails if a file would change.
"""

import json
import math
import struct
import sys
from pathlib import Path

UNSIGNED = {"u16": 16, "u32": 32, "u64": 64}
SIGNED = {"i16": 16, "i32": 32, "i64": 64}
NAN = {"f32": 0x7FC00000, "f64": 0x7FF8000000000000}


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def value(kind, given):
    """The bytes of a value as the vectors write it: integers as text, floats as their bits."""
    match kind:
        case "unit":
            return b""
        case "bool":
            return b"\1" if given else b"\0"
        case "u8":
            return int(given).to_bytes(1, "little")
        case "i8":
            return int(given).to_bytes(1, "little", signed=True)
        case "u16" | "u32" | "u64":
            assert 0 <= int(given) < 1 << UNSIGNED[kind]
            return varint(int(given))
        case "i16" | "i32" | "i64":
            bits = SIGNED[kind]
            number = int(given)
            assert -1 << bits - 1 <= number < 1 << bits - 1
            return varint(number << 1 if number >= 0 else (-number << 1) - 1)
        case "f32" | "f64":
            width, code = (4, "<f") if kind == "f32" else (8, "<d")
            bits = int(given, 16).to_bytes(width, "little")
            if math.isnan(struct.unpack(code, bits)[0]):
                bits = NAN[kind].to_bytes(width, "little")
            return bits
        case "string":
            text = given.encode()
            return varint(len(text)) + text
        case "bytes":
            data = bytes.fromhex(given)
            return varint(len(data)) + data
        case {"option": inner}:
            return b"\0" if given is None else b"\1" + value(inner, given[0])
        case {"list": inner}:
            return varint(len(given)) + b"".join(value(inner, item) for item in given)
        case {"tuple": kinds}:
            assert len(kinds) == len(given)
            return b"".join(value(kind, item) for kind, item in zip(kinds, given))
        case {"map": [key, inner]}:
            entries = b"".join(value(key, k) + value(inner, v) for k, v in given)
            return varint(len(given)) + entries
    raise ValueError(kind)


def key_group(key, max_parallelism):
    mask = 0xFFFFFFFF
    code = 0x811C9DC5
    for byte in key:
        code = (code ^ byte) * 0x01000193 & mask
    rotated = lambda number, by: (number << by | number >> 32 - by) & mask
    code = rotated(code * 0xCC9E2D51 & mask, 15) * 0x1B873593 & mask
    code = (rotated(code, 13) * 5 + 0xE6546B64 & mask) ^ 4
    code = (code ^ code >> 16) * 0x85EBCA6B & mask
    code = (code ^ code >> 13) * 0xC2B2AE35 & mask
    code ^= code >> 16
    if code == 0x80000000:
        return 0
    return (code if code < 0x80000000 else 0x100000000 - code) % max_parallelism


def keyed(entries):
    body = b"".join(varint(len(k)) + k + varint(len(v)) + v for k, v in entries)
    return b"TGK\1" + varint(len(entries)) + body


def values():
    big = (1 << 64) - 1
    cases = [
        ("unit", []),
        ("bool", False),
        ("bool", True),
        *[("u8", n) for n in (0, 1, 127, 128, 255)],
        *[("i8", n) for n in (0, 1, -1, 127, -128)],
        *[("u16", n) for n in (0, 127, 128, 16383, 16384, 65535)],
        *[("i16", n) for n in (0, -1, 1, -64, 64, 32767, -32768)],
        *[("u32", n) for n in (0, 127, 128, 300, (1 << 21) - 1, 1 << 21, (1 << 32) - 1)],
        *[("i32", n) for n in (0, -1, 63, -64, 64, -65, (1 << 31) - 1, -(1 << 31))],
        *[("u64", n) for n in (0, 1, 127, 128, 300, (1 << 32) - 1, 1 << 32)],
        *[("u64", n) for n in ((1 << 53) - 1, 1 << 53, (1 << 53) + 1, 1 << 63, big)],
        *[("i64", n) for n in (0, -1, 1, 63, -64, 64, -65, (1 << 53) + 1, -(1 << 53) - 1)],
        *[("i64", n) for n in ((1 << 63) - 1, -(1 << 63))],
        *[("f32", b) for b in ("00000000", "80000000", "3fc00000", "00000001", "7f7fffff")],
        *[("f32", b) for b in ("7f800000", "ff800000", "7fc00000", "3dcccccd")],
        *[("f64", b) for b in ("0000000000000000", "8000000000000000", "3ff8000000000000")],
        *[("f64", b) for b in ("0000000000000001", "7fefffffffffffff", "7ff0000000000000")],
        *[("f64", b) for b in ("fff0000000000000", "7ff8000000000000", "3fb999999999999a")],
        *[("string", t) for t in ("", "tide", "Zähler", "潮門", "🌊", "a\0b", "x" * 127)],
        ("string", "y" * 128),
        *[("bytes", h) for h in ("", "00", "ff0080", "ab" * 127, "cd" * 128)],
        ({"option": "u64"}, None),
        ({"option": "u64"}, ["300"]),
        ({"option": {"option": "u8"}}, None),
        ({"option": {"option": "u8"}}, [None]),
        ({"option": {"option": "u8"}}, [["7"]]),
        ({"option": "unit"}, [[]]),
        ({"list": "u64"}, []),
        ({"list": "u64"}, ["1", "300", str(big)]),
        ({"list": "u16"}, [str(n) for n in range(130)]),
        ({"list": "i64"}, ["0", "-1", "1", "-300"]),
        ({"list": "f64"}, ["3ff8000000000000", "8000000000000000"]),
        ({"list": "bool"}, [True, False, True]),
        ({"list": "string"}, ["ebb", "", "flow"]),
        ({"list": {"list": "u8"}}, [["1", "2"], [], ["255"]]),
        ({"list": "unit"}, [[], [], []]),
        ({"map": ["string", "u64"]}, []),
        ({"map": ["string", "u64"]}, [["", "1"], ["a", "300"], ["ab", "2"], ["b", "0"]]),
        (
            {"map": ["string", "u64"]},
            [["a", "1"], ["z", "2"], ["ä", "3"], ["\uffff", "4"], ["🌊", "5"]],
        ),
        ({"map": ["u32", "string"]}, [["1", "a"], ["2", "b"], ["128", "c"], ["300", "d"]]),
        ({"map": ["i32", "bool"]}, [["-300", True], ["-1", False], ["0", True], ["1", False]]),
        ({"map": ["bytes", "unit"]}, [["", []], ["00", []], ["00ff", []], ["ff", []]]),
        ({"map": ["bool", "u8"]}, [[False, "1"], [True, "2"]]),
        (
            {"map": [{"tuple": ["string", "i64"]}, "u64"]},
            [[["a", "-2"], "1"], [["a", "1"], "2"], [["b", "-9"], "3"]],
        ),
        ({"map": ["string", {"list": "u64"}]}, [["a", ["1", "2"]], ["b", []]]),
        ({"tuple": ["u64", "i64"]}, ["300", "-300"]),
        ({"tuple": ["string", {"option": "f64"}, "bool"]}, ["tide", ["3ff8000000000000"], True]),
        (
            {"tuple": [{"tuple": ["u8", "u8"]}, {"list": {"tuple": ["string", "u64"]}}]},
            [["1", "2"], [["a", "1"]]],
        ),
        (
            {"tuple": ["u64", {"option": "i64"}, {"map": ["string", "f64"]}]},
            ["7", None, [["a", "4000000000000000"]]],
        ),
    ]
    text = lambda kind, v: str(v) if isinstance(v, int) and not isinstance(v, bool) else v
    written = [
        {"type": kind, "value": text(kind, v), "bytes": value(kind, v).hex()} for kind, v in cases
    ]
    # Longer forms of a number, and maps out of order: read, never written.
    also_read = [
        ("u64", "0", "8000"),
        ("u64", "1", "81808080808080808000"),
        ("u16", "5", "858000"),
        ("i32", "-1", "818000"),
        ("string", "a", "810061"),
        ("f64", "7ff8000000000000", "010000000000f0ff"),
        ("f32", "7fc00000", "0100c0ff"),
        ({"map": ["string", "u64"]}, [["a", "1"], ["b", "2"]], "02016202016101"),
        ({"map": ["string", "u64"]}, [["a", "2"]], "02016101016102"),
    ]
    refused = [
        ("bool", "02", "neither true nor false"),
        ("bool", "", "ends too early"),
        ("u8", "", "ends too early"),
        ("u8", "0102", "a byte is left over"),
        ("unit", "00", "a byte is left over"),
        ("u64", "80", "ends too early"),
        ("u64", "0001", "a byte is left over"),
        ("u64", "ffffffffffffffffff02", "passes 64 bits"),
        ("u64", "8080808080808080808000", "more than ten bytes"),
        ("u32", "ffffffff10", "passes 32 bits"),
        ("u32", "808080808000", "more than five bytes"),
        ("u16", "ffff04", "passes 16 bits"),
        ("u16", "80808000", "more than three bytes"),
        ("i64", "ffffffffffffffffff02", "passes 64 bits"),
        ("i32", "ffffffff10", "passes 32 bits"),
        ("f32", "000000", "ends too early"),
        ("f64", "00000000000000", "ends too early"),
        ("f64", "000000000000000000", "a byte is left over"),
        ("string", "0261", "ends too early"),
        ("string", "01ff", "is not UTF-8"),
        ("string", "03eda080", "is not UTF-8: a surrogate"),
        ("string", "ffffffff0f61", "a length beyond the end"),
        ("bytes", "0261", "ends too early"),
        ("bytes", "ffffffffffffffffff01", "a length beyond the end"),
        ({"option": "u8"}, "02", "neither none nor some"),
        ({"option": "u8"}, "01", "ends too early"),
        ({"list": "u64"}, "0201", "ends too early"),
        ({"list": "u64"}, "ffffffff0f01", "a length beyond the end"),
        ({"list": "string"}, "010561", "ends too early"),
        ({"map": ["string", "u64"]}, "01016180", "ends too early"),
        ({"map": ["string", "u64"]}, "ffffffff0f", "a length beyond the end"),
        ({"tuple": ["u8", "u8"]}, "01", "ends too early"),
    ]
    return {
        "written": written,
        "also-read": [{"type": k, "value": v, "bytes": b} for k, v, b in also_read],
        "refused": [{"type": k, "bytes": b, "because": w} for k, b, w in refused],
    }


def chunks():
    u64 = lambda n: value("u64", n)
    one = keyed([(b"a", u64(1))])
    name = lambda text: text.encode().hex()
    case = lambda because, data, group=7, said="": {
        "because": because,
        "key-group": group,
        "bytes": data.hex(),
        "says": said,
    }
    assert key_group(b"a", 128) == 7
    early, order, shortest = "ends too early", "do not strictly rise", "its shortest form"
    begin = "does not begin as a chunk of this format"
    refused = [
        case("no bytes", b"", said=begin),
        case("another magic", b"TGX\1" + one[4:], said=begin),
        case("an item", b"TGI\1\1", said=begin),
        case("another format version", b"TGK\2" + one[4:], said=begin),
        case("no count", b"TGK\1", said=early),
        case("no entries", b"TGK\1\0", said="has no entries"),
        case("more entries than bytes", b"TGK\1" + varint(0xFFFFFFFF) + one[5:], said=early),
        case("a count in a longer form", b"TGK\1\x81\0" + one[5:], said=shortest),
        case("a count beyond 32 bits", b"TGK\1\xff\xff\xff\xff\x10" + one[5:], said=shortest),
        case("a key that ends too early", b"TGK\1\1\5a", said=early),
        case("no value", b"TGK\1\1\1a", said=early),
        case("a value that ends too early", b"TGK\1\1\1a\2\1", said=early),
        case("a key length in a longer form", b"TGK\1\1\x81\0a\1\1", said=shortest),
        case("a key twice", keyed([(b"a", u64(1)), (b"a", u64(1))]), said=order),
        case("bytes behind the last entry", one + b"\0\0", said="2 bytes are left over"),
        case("a key of another group", keyed([(b"a", u64(1))]), 8, "a key of another key group"),
        case("a value with a byte too many", keyed([(b"a", b"\1\0")]), said="1 bytes more than"),
        case("a value of no bytes", keyed([(b"a", b"")]), said="a value can't be read"),
    ]
    # Two keys of one group, in the wrong order.
    same = [k for k in (f"k{i}".encode() for i in range(10_000)) if key_group(k, 128) == 7][:2]
    falling = keyed([(k, u64(1)) for k in sorted(same)[::-1]])
    refused.append(case("keys that fall", falling, said=order))
    refused += [case(f"cut to {n} bytes", one[:n]) for n in range(len(one))]
    item_refused = [
        {"because": "no bytes", "bytes": "", "says": begin},
        {"because": "keyed state", "bytes": one.hex(), "says": begin},
        {"because": "another format version", "bytes": "5447490207", "says": begin},
        {"because": "no value", "bytes": "54474901", "says": "a value can't be read"},
        {"because": "a byte too many", "bytes": "544749010700", "says": "1 bytes more than"},
    ]
    words = ["", "a", "b", "flow", "ebb", "tide", "gate", "潮", "x" * 200]
    states = [
        ("u64", 128, [(w, str(i * 100)) for i, w in enumerate(words)]),
        ("u64", 1, [(w, str(i)) for i, w in enumerate(words)]),
        ("u64", 3, [(f"key-{i}", str(i)) for i in range(40)]),
        ({"tuple": ["string", {"option": "i64"}]}, 4, [("a", ["x", None]), ("b", ["", ["-5"]])]),
        (
            {"map": ["string", "u64"]},
            4,
            [("a", [["p", "1"], ["q", "2"]]), ("l", [[f"{i:03}", str(i)] for i in range(100)])],
        ),
        ({"list": "f64"}, 4, [("a", []), ("b", ["3ff8000000000000"])]),
    ]
    snapshots = []
    for kind, groups, entries in states:
        by_group = {}
        for key, given in sorted((k.encode(), v) for k, v in entries):
            by_group.setdefault(key_group(key, groups), []).append((key, value(kind, given)))
        snapshots.append({
            "type": kind,
            "max-parallelism": groups,
            "entries": [{"key": name(k), "value": v} for k, v in entries],
            "chunks": [
                {"key-group": g, "bytes": keyed(by_group[g]).hex()} for g in sorted(by_group)
            ],
        })
    offset = {"tuple": ["u32", "u64"]}
    items = [("u64", "7"), ("string", "tide"), (offset, ["3", "300"]), ("unit", [])]
    return {
        "snapshots": snapshots,
        "items": [
            {"type": k, "value": v, "bytes": (b"TGI\1" + value(k, v)).hex()} for k, v in items
        ],
        "refused-keyed": {"type": "u64", "max-parallelism": 128, "cases": refused},
        "refused-items": {"type": "u64", "cases": item_refused},
    }


def key_group_ranges(max_parallelism, parallelism):
    """The first and the last key group of each subtask: Flink's KeyGroupRangeAssignment."""
    return [
        [
            (index * max_parallelism + parallelism - 1) // parallelism,
            ((index + 1) * max_parallelism - 1) // parallelism,
        ]
        for index in range(parallelism)
    ]


def key_groups():
    keys = [b"", b"a", b"key-1", b"flink", "潮門".encode(), b"\0", b"\xff" * 9, b"x" * 1000]
    keys += [f"key-{i}".encode() for i in range(50)]
    parallelisms = [
        (groups, parallelism)
        for groups in (1, 2, 3, 100, 128, 1000, 32768)
        for parallelism in sorted({1, 2, 3, 5, 7, groups})
        # A subtask owns a key group. Ranges of one key group each are not written by the thousand.
        if parallelism <= groups and (parallelism < groups or groups <= 128)
    ]
    return {
        "keys": [
            {"key": key.hex(), "max-parallelism": groups, "key-group": key_group(key, groups)}
            for key in keys
            for groups in (1, 2, 3, 128, 32768)
        ],
        "ranges": [
            {
                "max-parallelism": groups,
                "parallelism": parallelism,
                "ranges": key_group_ranges(groups, parallelism),
            }
            for groups, parallelism in parallelisms
        ],
    }


def main():
    here = Path(__file__).parent
    check = "--check" in sys.argv[1:]
    for name, make in (("values", values), ("chunks", chunks), ("key-groups", key_groups)):
        path = here / f"{name}.json"
        text = json.dumps(make(), indent=1, ensure_ascii=True) + "\n"
        if check and path.read_text() != text:
            sys.exit(f"{path} is not what {__file__} writes")
        if not check:
            path.write_text(text)


if __name__ == "__main__":
    main()
