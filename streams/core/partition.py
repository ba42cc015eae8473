"""The partition of a person: computable by anyone from the id alone (design 3)."""

from schemas.person import home_of


def murmur2(data: bytes) -> int:
    """Return Kafka's murmur2 of ``data`` as an unsigned 32-bit number.

    As in ``org.apache.kafka.common.utils.Utils.murmur2`` (seed 0x9747b28c).
    """
    mask, m, r = 0xFFFFFFFF, 0x5BD1E995, 24
    length = len(data)
    h = (0x9747B28C ^ length) & mask
    end = length & ~3
    for i in range(0, end, 4):
        k = int.from_bytes(data[i : i + 4], "little")
        k = (k * m) & mask
        k ^= k >> r
        k = (k * m) & mask
        h = ((h * m) & mask) ^ k
    tail = data[end:]
    if tail:
        h ^= int.from_bytes(tail, "little")
        h = (h * m) & mask
    h ^= h >> 13
    h = (h * m) & mask
    return h ^ (h >> 15)


def partition_of(person_id: str, shards: int) -> int:
    """Return the partition of a person, from the home in the id alone."""
    return (murmur2(home_of(person_id).encode()) & 0x7FFFFFFF) % shards
