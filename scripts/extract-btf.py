#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Cuts the raw BTF out of a kernel image: x86 bzImage, arm64 Image, Image.gz or EFI zboot, or a vmlinux.

usage: extract-btf.py KERNEL-IMAGE OUTPUT

The image is unpacked if need be, then searched for BTF headers (include/uapi/linux/btf.h); the longest blob
that is consistent in itself is the kernel's. Little-endian kernels only.
"""
import lzma
import struct
import subprocess
import sys
import zlib

BTF_HEADER = struct.Struct("<HBBIIIII")  # magic, version, flags, hdr_len, type_off, type_len, str_off, str_len
BTF_START = struct.pack("<HBBI", 0xEB9F, 1, 0, BTF_HEADER.size)


def run(command, data):
    """Output of a decompressor. Its exit code says nothing: kernel payloads have a length behind the stream."""
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout


FORMATS = [
    (b"\x1f\x8b\x08", lambda data: zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data)),
    (b"\xfd7zXZ\x00", lambda data: lzma.LZMADecompressor().decompress(data)),
    (b"\x28\xb5\x2f\xfd", lambda data: run(["zstd", "-dcq"], data)),
    (b"\x02\x21\x4c\x18", lambda data: run(["lz4", "-dcq"], data)),
]


def payload(image):
    """The compressed part of an image, or the image itself."""
    if image[0x202:0x206] == b"HdrS":  # Documentation/arch/x86/boot.rst
        sectors = image[0x1F1] or 4
        offset, length = struct.unpack_from("<II", image, 0x248)
        start = (sectors + 1) * 512 + offset
        return image[start : start + length]
    if image[4:8] == b"zimg":  # drivers/firmware/efi/libstub/zboot-header.S
        offset, length = struct.unpack_from("<II", image, 8)
        return image[offset : offset + length]
    return image


def unpack(data):
    for magic, decompress in FORMATS:
        if data.startswith(magic):
            return decompress(data)
    return data


def btf_at(data, at):
    """The BTF blob whose header stands at this offset, or nothing if it does not hold together."""
    _, _, _, header_len, type_off, type_len, str_off, str_len = BTF_HEADER.unpack_from(data, at)
    end = at + header_len + str_off + str_len
    if type_off or str_off < type_len or str_len == 0 or end > len(data):
        return b""
    strings = at + header_len + str_off
    if data[strings] != 0 or data[end - 1] != 0:
        return b""
    return data[at:end]


def find_btf(data):
    best = b""
    at = data.find(BTF_START)
    while 0 <= at <= len(data) - BTF_HEADER.size:
        blob = btf_at(data, at)
        if len(blob) > len(best):
            best = blob
        at = data.find(BTF_START, at + 1)
    return best


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: extract-btf.py KERNEL-IMAGE OUTPUT")
    with open(sys.argv[1], "rb") as file:
        image = file.read()
    try:
        blob = find_btf(unpack(payload(image)))
    except (OSError, EOFError, zlib.error, lzma.LZMAError, struct.error) as error:
        sys.exit(f"extract-btf.py: {sys.argv[1]}: cannot unpack: {error}")
    if not blob:
        sys.exit(f"extract-btf.py: {sys.argv[1]}: no BTF in this image")
    with open(sys.argv[2], "wb") as file:
        file.write(blob)


if __name__ == "__main__":
    main()
