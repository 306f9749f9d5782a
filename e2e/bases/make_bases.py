"""Writes the base images of the corpus as docker-archives, with Python's own tar writer (none of our code).

usage: make_bases.py BUSYBOX OUTPUT_DIR

Every base is deterministic: same busybox, same bytes. BUSYBOX has to be statically linked.
"""
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

# A capability set as the kernel keeps it (VFS_CAP_REVISION_2, effective, CAP_NET_RAW).
CAP_NET_RAW = bytes.fromhex("0100000200200000000000000000000000000000")
BASE_TIME = 1_600_000_000


class Layer:
    """One layer tar under construction."""

    def __init__(self):
        self.buffer = io.BytesIO()
        self.tar = tarfile.open(
            fileobj=self.buffer, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8", errors="surrogateescape"
        )
        self.clock = BASE_TIME

    def add(self, name, kind, mode, data=b"", uid=0, gid=0, link="", dev=(0, 0), xattrs=None):
        info = tarfile.TarInfo(name)
        info.type = kind
        info.mode = mode
        info.uid = uid
        info.gid = gid
        info.size = len(data)
        info.linkname = link
        info.devmajor, info.devminor = dev
        info.mtime = self.clock
        self.clock += 1
        info.pax_headers = {
            "SCHILY.xattr." + key: value.decode("utf-8", "surrogateescape") for key, value in (xattrs or {}).items()
        }
        self.tar.addfile(info, io.BytesIO(data))

    def dir(self, name, mode=0o755, **rest):
        self.add(name, tarfile.DIRTYPE, mode, **rest)

    def file(self, name, data, mode=0o644, **rest):
        self.add(name, tarfile.REGTYPE, mode, data=data if isinstance(data, bytes) else data.encode(), **rest)

    def symlink(self, name, target, **rest):
        self.add(name, tarfile.SYMTYPE, 0o777, link=target, **rest)

    def hardlink(self, name, target, mode=0o644, **rest):
        """Names of one inode have one time: a link follows its target directly, and does not move the clock."""
        self.clock -= 1
        self.add(name, tarfile.LNKTYPE, mode, link=target, **rest)

    def bytes(self):
        self.tar.close()
        return self.buffer.getvalue()


def time_text(offset):
    """RFC 3339 with nanoseconds, one distinct time per offset."""
    minutes, seconds = divmod(offset, 60)
    return "2020-09-13T12:%02d:%02d.%09dZ" % (26 + minutes, seconds, 123_456_701 + offset)


def write_image(path, reference, layers, config, history, architecture="amd64", extra=None):
    contents = [layer.bytes() if isinstance(layer, Layer) else layer for layer in layers]
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    document = {
        "architecture": architecture,
        "config": config,
        "created": history[-1]["created"],
        "history": history,
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest for digest in digests]},
    }
    document.update(extra or {})
    config_bytes = json.dumps(document, separators=(",", ":")).encode()
    config_name = hashlib.sha256(config_bytes).hexdigest() + ".json"
    manifest = [
        {"Config": config_name, "RepoTags": [reference], "Layers": [digest + "/layer.tar" for digest in digests]}
    ]
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in [(config_name, config_bytes)] + [
            (digest + "/layer.tar", content) for digest, content in zip(digests, contents)
        ] + [("manifest.json", json.dumps(manifest).encode())]:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.mtime = BASE_TIME
            archive.addfile(info, io.BytesIO(data))


def row(offset, text, empty=False, **rest):
    entry = {"created": time_text(offset), "created_by": text}
    if empty:
        entry["empty_layer"] = True
    entry.update(rest)
    return entry


PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
app:x:1000:1000:App User:/home/app:/bin/sh
other:x:1001:100::/home/other:/bin/sh
# a comment, then a broken line and an empty one
broken

4242:x:7:8:named like a number:/:/bin/sh
"""
GROUP = """root:x:0:
daemon:x:1:
users:x:100:app
app:x:1000:
staff:x:50:app,other
"""


def busybox_layer(busybox, applets):
    layer = Layer()
    for name, mode in [
        ("bin", 0o755), ("dev", 0o755), ("etc", 0o755), ("home", 0o755), ("home/app", 0o750), ("proc", 0o555),
        ("root", 0o700), ("run", 0o755), ("sys", 0o555), ("tmp", 0o1777), ("usr", 0o755), ("usr/bin", 0o755),
        ("usr/lib", 0o755), ("var", 0o755), ("var/tmp", 0o1777),
    ]:
        owner = {"uid": 1000, "gid": 1000} if name == "home/app" else {}
        layer.dir(name, mode, **owner)
    layer.file("bin/busybox", busybox, 0o755)
    for applet in applets:
        if applet != "busybox":
            layer.symlink("bin/" + applet, "busybox")
    layer.file("etc/passwd", PASSWD)
    layer.file("etc/group", GROUP)
    layer.file("etc/os-release", "ID=e2e\n")
    return layer.bytes()


def rich_layers():
    one = Layer()
    one.dir("opt")
    one.dir("opt/gone")
    one.file("opt/gone/file", "removed by layer two\n")
    one.dir("opt/opaque", 0o711)
    one.file("opt/opaque/below", "hidden by an opaque marker\n")
    one.dir("opt/tolink")
    one.file("opt/tolink/inside", "its directory becomes a symlink\n")
    one.file("opt/todir", "becomes a directory\n")
    one.dir("target", 0o750, uid=1000, gid=1000)
    one.file("target/existing", "old\n", 0o600, uid=1000, gid=50)
    one.symlink("lnabs", "/target")
    one.symlink("lnrel", "usr/../target")
    one.symlink("lnchain", "lnabs")
    one.symlink("lndangling", "/made/later")
    one.symlink("lnout", "../../../../target")
    one.symlink("lib", "usr/lib")
    one.symlink("var/run", "/run")
    one.dir("usr/share", 0o2775, gid=50)
    one.file("usr/bin/suid", "#!/bin/sh\n", 0o4755)
    one.file("usr/bin/sgid", "#!/bin/sh\n", 0o2755, gid=50)
    one.file("usr/bin/ping", "#!/bin/sh\n", 0o755, xattrs={"security.capability": CAP_NET_RAW})
    one.file("usr/lib/tagged", "user xattr\n", xattrs={"user.note": b"kept", "user.bin": b"\x00\xff\x01"})
    one.dir("links")
    one.file("links/a", "one inode\n", 0o640)
    one.hardlink("links/b", "links/a", 0o640)
    one.hardlink("links/c", "links/a", 0o640)
    one.dir("odd")
    one.file("odd/sp ace", "1\n")
    one.file("odd/\u00fcml\u00e4ut-\u4e2d\u6587", "2\n")
    one.file("odd/bytes-\udcff\udcfe", "3\n")
    one.file("odd/" + "n" * 200, "4\n")
    one.dir("odd/" + "d" * 120)
    one.file("odd/" + "d" * 120 + "/" + "f" * 120, "5\n")
    one.add("odd/fifo", tarfile.FIFOTYPE, 0o622)
    one.add("odd/null", tarfile.CHRTYPE, 0o666, dev=(1, 3))
    two = Layer()
    two.dir("opt")
    two.file("opt/.wh.gone", "", 0)
    two.dir("opt/opaque", 0o755)
    two.file("opt/opaque/.wh..wh..opq", "", 0)
    two.file("opt/opaque/above", "the only one\n")
    three = Layer()
    three.dir("opt")
    three.symlink("opt/tolink", "../target")
    three.dir("opt/todir", 0o701)
    three.file("opt/todir/inside", "now a directory\n")
    return [one, two, three]


def main():
    busybox_path, output = sys.argv[1:]
    with open(busybox_path, "rb") as stream:
        busybox = stream.read()
    applets = subprocess.run([busybox_path, "--list"], check=True, capture_output=True, text=True).stdout.split()
    base = busybox_layer(busybox, applets)
    path_env = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    base_row = row(0, "# made by e2e/bases/make_bases.py")

    def image(name, layers, config, history, **rest):
        write_image(os.path.join(output, name + ".tar"), "e2e/" + name + ":1", layers, config, history, **rest)

    image("busybox", [base], {"Env": [path_env], "Cmd": ["sh"]}, [base_row, row(0, 'CMD ["sh"]', True)])
    rich_history = [
        base_row,
        row(1, "RUN /bin/sh -c one # buildkit", comment="buildkit.dockerfile.v0"),
        row(1, "ENV A=base", True, comment="buildkit.dockerfile.v0"),
        row(2, "RUN /bin/sh -c two # buildkit", comment="buildkit.dockerfile.v0"),
        row(3, "RUN /bin/sh -c three # buildkit", comment="buildkit.dockerfile.v0"),
        row(3, "LABEL base=yes", True, comment="buildkit.dockerfile.v0"),
    ]
    image(
        "rich",
        [base] + rich_layers(),
        {
            "Env": [path_env, "A=base", "EMPTY=", "WITHEQ=a=b"],
            "Cmd": ["base-cmd"],
            "WorkingDir": "/srv/base",
            "User": "app",
            "Labels": {"base": "yes", "over": "base"},
            "ExposedPorts": {"80/tcp": {}},
            "Volumes": {"/vol": {}},
            "StopSignal": "SIGQUIT",
            "Healthcheck": {"Test": ["CMD", "true"], "Interval": 30000000000},
        },
        rich_history,
        extra={"author": "e2e <e2e@example.invalid>"},
    )
    image(
        "entry",
        [base],
        {"Env": [path_env], "Entrypoint": ["/bin/echo", "entry"], "Cmd": ["base", "args"]},
        [base_row, row(0, "ENTRYPOINT", True)],
    )
    image(
        "onbuild",
        [base],
        {
            "Env": [path_env],
            "Cmd": ["sh"],
            "OnBuild": ["ARG WHO=nobody", "ENV TRIGGER=$WHO", "COPY . /src", "RUN echo trigger $WHO > /trigger"],
        },
        [base_row, row(0, 'CMD ["sh"]', True)],
    )
    image(
        "onbuild-from",
        [base],
        {"Env": [path_env], "OnBuild": ["COPY --from=e2e/rich:1 /target/existing /from-rich", "WORKDIR /ob"]},
        [base_row],
    )
    image("bare", [base], {}, [base_row])
    image("user", [base], {"Env": [path_env], "User": "app:staff", "WorkingDir": "/home/app"}, [base_row])
    image("shell", [base], {"Env": [path_env], "Shell": ["/bin/sh", "-ec"], "Cmd": ["sh"]}, [base_row])
    image(
        "arm64",
        [base],
        {"Env": [path_env], "Cmd": ["sh"]},
        [base_row],
        architecture="arm64",
        extra={"variant": "v8"},
    )
    untimed = {"created_by": "a layer whose row has no time"}
    image("timeless", [base], {"Env": [path_env]}, [untimed, row(5, "ENV X=1", True)])


main()
