"""TensorFlow checkpoints as the specification has them, written without TensorFlow; for several tests.

After tensor_bundle.proto, leveldb/doc/table_format.md and ordered_code.cc, and in another way than the reader: bit by
bit where that works on many numbers at once.
"""

import numpy as np

TYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "bool": 10, "float16": 19, "bfloat16": 14}


def crc32c(data):
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (0x82F63B78 * (state & 1))
    return state ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(bytes(data))
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def number(field, value):
    return varint(field << 3) + varint(value) if value else b""


def message(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content


def entry(dtype, shape, *, shard=0, offset=0, stored=b"", slices=(), crc=None, size=None):
    """Return a BundleEntryProto; `slices` are tuples of (start, length or None)."""
    dims = b"".join(message(2, number(1, size)) for size in shape)
    parts = []
    for extents in slices:
        fields = (number(1, s) + (varint(2 << 3) + varint(n) if n is not None else b"") for s, n in extents)
        parts.append(message(7, b"".join(message(1, one) for one in fields)))
    check = masked(stored) if crc is None else crc
    length = len(stored) if size is None else size
    place = number(3, shard) + number(4, offset) + number(5, length) + varint(6 << 3 | 5) + check.to_bytes(4, "little")
    return b"".join([number(1, dtype), message(2, dims), place, *parts])


def block(pairs, *, packed=None):
    """Return a block with its trailer; every second key shares what it can with the one before."""
    body, previous = bytearray(), b""
    for place, (key, value) in enumerate(pairs):
        shared = 0
        while place % 2 and shared < min(len(key), len(previous)) and key[shared] == previous[shared]:
            shared += 1
        body += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        previous = key
    body += (0).to_bytes(4, "little") + (1).to_bytes(4, "little")
    stored = packed(bytes(body)) + b"\1" if packed else bytes(body) + b"\0"
    return stored + masked(stored).to_bytes(4, "little")


def table(pairs, *, per_block=3, packed=None):
    pairs = sorted(pairs.items())
    content, handles = b"", []
    for start in range(0, len(pairs), per_block):
        part = pairs[start : start + per_block]
        one = block(part, packed=packed)
        handles.append((part[-1][0], varint(len(content)) + varint(len(one) - 5)))
        content += one
    filters = varint(len(content)) + varint(8)
    content += block([])
    index = block(handles)
    footer = filters + varint(len(content)) + varint(len(index) - 5)
    return content + index + footer.ljust(40, b"\0") + 0xDB4775248B80FB57.to_bytes(8, "little")


def literals(data):
    """Return data as a snappy block without any copy."""
    out = varint(len(data))
    for start in range(0, len(data), 60):
        part = data[start : start + 60]
        out += bytes([(len(part) - 1) << 2]) + part
    return out


def ordered(value):
    return bytes([1, value]) if value else b"\0"


def slice_key(name, extents):
    """Return the key of a slice whose numbers are below 64: one byte each."""
    key = b"\0" + name.encode() + b"\0\1" + ordered(len(extents))
    for start, length in extents:
        key += bytes([0x80 ^ start, 0x7F if length is None else 0x80 ^ length])
    return key


def write_checkpoint(prefix, tensors, *, n_shards=1, sliced=None, texts=(), packed=None, big=False):
    """Write ``prefix.index`` and its shards.

    `tensors` maps names to arrays, or to ("bfloat16", uint16 array); `sliced` maps names to lists of extents; `texts`
    maps names to bytes that are stored as text.
    """
    prefix.parent.mkdir(parents=True, exist_ok=True)
    shards = [bytearray() for _ in range(n_shards)]
    header = number(1, n_shards) + number(2, int(big)) + message(3, number(1, 1))
    pairs = {b"": header}

    def put(key, dtype, shape, content):
        shard = len(pairs) % n_shards
        pairs[key] = entry(dtype, shape, shard=shard, offset=len(shards[shard]), stored=content)
        shards[shard] += content

    for name, value in tensors.items():
        kind, array = value if isinstance(value, tuple) else (np.asarray(value).dtype.name, np.asarray(value))
        stored = array.astype(array.dtype.newbyteorder(">" if big else "<"))
        extents = (sliced or {}).get(name)
        if extents is None:
            put(name.encode(), TYPES[kind], array.shape, stored.tobytes())
            continue
        pairs[name.encode()] = entry(TYPES[kind], array.shape, slices=extents, crc=0)
        for one in extents:
            where = tuple(slice(start, None if n is None else start + n) for start, n in one)
            put(slice_key(name, one), TYPES[kind], stored[where].shape, stored[where].tobytes())
    for name, content in dict(texts).items():
        put(name.encode(), 7, (), content)
    prefix.with_name(prefix.name + ".index").write_bytes(table(pairs, packed=packed))
    for place, content in enumerate(shards):
        prefix.with_name(f"{prefix.name}.data-{place:05d}-of-{n_shards:05d}").write_bytes(content)
    return prefix


def object_graph(names):
    """Return a stored TrackableObjectGraph that calls keys by full names."""
    nodes = b"".join(
        message(1, message(2, message(1, b"VARIABLE_VALUE") + message(2, full.encode()) + message(3, key.encode())))
        for key, full in names.items()
    )
    return varint(len(nodes)) + bytes(4) + nodes
