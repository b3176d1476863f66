"""The key group of a key: Flink's function, to the bit.

In a component the host computes key groups; this is for tests, and for a look at a checkpoint.
"""

__all__ = ["key_group"]

_MASK = 0xFFFF_FFFF


def key_group(key: bytes, max_parallelism: int) -> int:
    """Returns the key group of `key`, out of `max_parallelism`."""
    return _murmur(_fnv1a(key)) % max_parallelism


def _fnv1a(key: bytes) -> int:
    """Returns the 32-bit FNV-1a hash."""
    digest = 0x811C_9DC5
    for byte in key:
        digest = (digest ^ byte) * 0x0100_0193 & _MASK
    return digest


def _murmur(code: int) -> int:
    """Returns one Murmur3 round over a number of 4 bytes, with the final mix; never negative."""
    code = code * 0xCC9E_2D51 & _MASK
    code = _rotate(code, 15)
    code = code * 0x1B87_3593 & _MASK
    code = _rotate(code, 13)
    code = (code * 5 + 0xE654_6B64) & _MASK
    code ^= 4
    code ^= code >> 16
    code = code * 0x85EB_CA6B & _MASK
    code ^= code >> 13
    code = code * 0xC2B2_AE35 & _MASK
    code ^= code >> 16
    signed = code - (1 << 32) if code >> 31 else code
    return 0 if signed == -(1 << 31) else abs(signed)


def _rotate(code: int, bits: int) -> int:
    return (code << bits | code >> (32 - bits)) & _MASK
