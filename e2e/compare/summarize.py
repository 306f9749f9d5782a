"""Describes a docker-archive with Python's own tar and JSON readers, so that a fault of our codec cannot hide in its own reader.

usage: summarize.py ARCHIVE.tar [IMAGE_INDEX]

Prints one JSON object: the image config as parsed, and per layer (base first) its entries in archive order.
Bytes of names that are no UTF-8 or are control characters are written as \\xNN, a backslash as \\\\.
"""
import hashlib
import json
import sys
import tarfile

# Same-named constants exist in tarfile, but GNU sparse and contiguous files are plain files to a reader of layers.
TYPES = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.CONTTYPE: "file",
    tarfile.GNUTYPE_SPARSE: "file",
    tarfile.LNKTYPE: "hardlink",
    tarfile.SYMTYPE: "symlink",
    tarfile.CHRTYPE: "char",
    tarfile.BLKTYPE: "block",
    tarfile.DIRTYPE: "dir",
    tarfile.FIFOTYPE: "fifo",
}


def printable(text):
    out = []
    for byte in text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape"):
        code = ord(byte)
        if byte == "\\":
            out.append("\\\\")
        elif 0xDC80 <= code <= 0xDCFF:
            out.append("\\x%02x" % (code - 0xDC00))
        elif code < 0x20 or code == 0x7F:
            out.append("\\x%02x" % code)
        else:
            out.append(byte)
    return "".join(out)


def xattrs_of(member):
    prefix = "SCHILY.xattr."
    return {
        name[len(prefix):]: value.encode("utf-8", "surrogateescape").hex()
        for name, value in member.pax_headers.items()
        if name.startswith(prefix)
    }


def mtime_of(member):
    """Nanoseconds as text: the float that tarfile keeps cannot hold them."""
    text = member.pax_headers.get("mtime")
    if text is None:
        return "%d.000000000" % int(member.mtime)
    whole, _, fraction = text.partition(".")
    return "%s.%s" % (whole, (fraction + "000000000")[:9])


def entry_of(archive, member):
    kind = TYPES.get(member.type)
    if kind is None:
        raise ValueError("tar entry type %r of %r" % (member.type, member.name))
    name = member.name
    while name.startswith("./"):
        name = name[2:]
    name = name.strip("/")
    entry = {
        "path": printable("" if name == "." else name),
        "type": kind,
        "mode": member.mode & 0o7777,
        "uid": member.uid,
        "gid": member.gid,
        "mtime": mtime_of(member),
        "xattrs": xattrs_of(member),
    }
    if kind == "file":
        digest = hashlib.sha256()
        content = archive.extractfile(member)
        size = 0
        while True:
            block = content.read(1 << 20)
            if not block:
                break
            size += len(block)
            digest.update(block)
        entry["size"] = size
        entry["sha256"] = digest.hexdigest()
    elif kind in ("hardlink", "symlink"):
        entry["link"] = printable(member.linkname)
    elif kind in ("char", "block"):
        entry["dev"] = "%d:%d" % (member.devmajor, member.devminor)
    return entry


def main():
    with tarfile.open(sys.argv[1], "r:") as outer:
        manifest = json.load(outer.extractfile("manifest.json"))
        image = manifest[int(sys.argv[2]) if len(sys.argv) > 2 else 0]
        config_bytes = outer.extractfile(image["Config"]).read()
        layers = []
        for name in image["Layers"]:
            member = outer.getmember(name)
            while member.issym():  # older engines link repeated layers
                member = outer.getmember(member.linkname.removeprefix("../"))
            with tarfile.open(fileobj=outer.extractfile(member), mode="r:*") as layer:
                layers.append([entry_of(layer, inner) for inner in layer])
    json.dump(
        {
            "imageId": "sha256:" + hashlib.sha256(config_bytes).hexdigest(),
            "repoTags": image.get("RepoTags") or [],
            "config": json.loads(config_bytes),
            "layers": layers,
        },
        sys.stdout,
    )


main()
