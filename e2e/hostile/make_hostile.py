"""Writes docker-archives whose layers try to reach outside of where they are unpacked.

usage: make_hostile.py OUTPUT_DIR VICTIM

VICTIM is an absolute path outside of every target: no image may create or change anything there. Prints the names.
Raw headers are written by hand: tarfile itself would refuse or mend many of these names.
"""
import hashlib
import io
import json
import os
import struct
import sys
import tarfile

output, victim = sys.argv[1:]


def header(name, kind=b"0", size=0, link=b"", mode=0o777, dev=(0, 0), prefix=b"", magic=b"ustar\x0000"):
    name = name if isinstance(name, bytes) else name.encode()
    link = link if isinstance(link, bytes) else link.encode()
    block = struct.pack(
        "100s8s8s8s12s12s8s1s100s8s32s32s8s8s155s12x",
        name[:100], b"%07o\0" % mode, b"0000000\0", b"0000000\0", b"%011o\0" % size, b"00000000000\0", b" " * 8,
        kind, link[:100], magic, b"", b"", b"%07o\0" % dev[0], b"%07o\0" % dev[1], prefix[:155],
    )
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def entry(name, kind=b"0", data=b"", **rest):
    return header(name, kind, len(data), **rest) + data + b"\0" * (-len(data) % 512)


def pax(name_of_header, records, kind=b"x"):
    body = b""
    for key, value in records:
        key = key if isinstance(key, bytes) else key.encode()
        value = value if isinstance(value, bytes) else value.encode()
        length = len(key) + len(value) + 3
        while len(str(length)) + len(key) + len(value) + 3 != length:
            length = len(str(length)) + len(key) + len(value) + 3
        body += b"%d %s=%s\n" % (length, key, value)
    return entry(name_of_header, kind, body)


def gnu_long(name, kind=b"L"):
    data = (name if isinstance(name, bytes) else name.encode()) + b"\0"
    return entry("././@LongLink", kind, data)


EVIL = b"written outside\n"
up = "../" * 20
END = b"\0" * 1024
v = victim.lstrip("/")

LAYERS = {
    "dotdot": [entry(up + v + "/dotdot", data=EVIL)],
    "absolute": [entry("/" + v + "/absolute", data=EVIL)],
    "double-slash": [entry("//" + v + "/slash", data=EVIL)],
    "dotdot-inside": [entry("a/b/../../../../../../../../" + v + "/inside", data=EVIL)],
    "pax-path": [pax("x", [("path", up + v + "/pax")]) + entry("harmless", data=EVIL)],
    "global-pax-path": [pax("x", [("path", up + v + "/global")], b"g") + entry("harmless", data=EVIL)],
    "gnu-long-name": [gnu_long(up + v + "/gnu") + entry("harmless", data=EVIL)],
    "ustar-prefix": [entry(v[-60:] + "/prefix", data=EVIL, prefix=b"../../../../../../../../../../..")],
    "symlink-then-write": [entry("out", b"2", link=victim) + entry("out/symlink", data=EVIL)],
    "symlink-relative": [entry("out", b"2", link=up + v) + entry("out/relative", data=EVIL)],
    "symlink-chain": [entry("a", b"2", link="b") + entry("b", b"2", link=victim) + entry("a/chain", data=EVIL)],
    "symlink-next-layer": [entry("out", b"2", link=victim), entry("out/next", data=EVIL)],
    "symlink-mkdir-through": [entry("out", b"2", link=victim) + entry("out/made", b"5")],
    "symlink-to-file-then-write": [entry("f", b"2", link=victim + "/sentinel") + entry("f", data=EVIL)],
    "symlink-chmod": [entry("s", b"2", link=victim + "/sentinel", mode=0o777)],
    "dir-over-symlink": [entry("d", b"2", link=victim) + entry("d", b"5", mode=0o700) + entry("d/x", data=EVIL)],
    "hardlink-outside": [entry("h", b"1", link=victim + "/sentinel") + entry("h", data=EVIL)],
    "hardlink-dotdot": [entry("h", b"1", link=up + v + "/sentinel")],
    "hardlink-through-symlink": [entry("s", b"2", link=victim) + entry("h", b"1", link="s/sentinel")],
    "hardlink-to-symlink": [entry("s", b"2", link=victim + "/sentinel") + entry("h", b"1", link="s") + entry("h", data=EVIL)],
    "whiteout-dotdot": [entry("x", data=b"x"), entry(".wh...", data=b"")],
    "whiteout-empty": [entry("x", data=b"x"), entry(".wh.", data=b"")],
    "whiteout-outside": [entry("s", b"2", link=victim), entry("s/.wh.sentinel", data=b"")],
    "opaque-through-symlink": [entry("s", b"2", link=victim), entry("s/.wh..wh..opq", data=b"")],
    "whiteout-absolute": [entry("x", data=b"x"), entry("/" + v + "/.wh.sentinel", data=b"")],
    "char-device": [entry("dev", b"3", dev=(1, 3))],
    "char-zero": [entry("zero", b"3", dev=(0, 0))],
    "block-device": [entry("blk", b"4", dev=(8, 0))],
    "overlay-xattr": [pax("x", [("SCHILY.xattr.trusted.overlay.redirect", victim)]) + entry("d", b"5")],
    "nul-in-pax": [pax("x", [("path", b"ok\0" + victim.encode())]) + entry("harmless", data=EVIL)],
    "negative-size": [header("neg")[:124] + b"\xff" * 12 + header("neg")[136:]],
    "pax-size-lie": [pax("x", [("size", "1024")]) + entry("lie", data=b"x" * 512) + entry("out", b"2", link=victim)],
    "deep": [entry("/".join(["d"] * 49) + "/f", data=b"x", prefix=b"/".join([b"p"] * 70))],
    "truncated": [entry("cut", data=b"x" * 4096)[:2000]],
    "escape-in-name": [entry("esc\x1b]52;c;aGk=\x07\x1b[31m", data=b"x")],
    "proc-self": [entry("p", b"2", link="/proc/self/cwd") + entry("p/proc-cwd", data=EVIL)],
}

for name, layers in LAYERS.items():
    contents = [layer + (b"" if name == "truncated" else END) for layer in layers]
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest for digest in digests]},
        "history": [{"created_by": name} for _ in digests],
    }).encode()
    manifest = json.dumps([{
        "Config": "config.json", "RepoTags": ["hostile/" + name + ":1"],
        "Layers": ["layer%d.tar" % index for index in range(len(contents))],
    }]).encode()
    with tarfile.open(os.path.join(output, name + ".tar"), "w") as archive:
        for path, data in [("config.json", config)] + [
            ("layer%d.tar" % index, content) for index, content in enumerate(contents)
        ] + [("manifest.json", manifest)]:
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    print(name)
