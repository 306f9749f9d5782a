"""Makes packages for pip and npm.

usage: make_packages.py OUTPUT_DIR < SPECS

SPECS is a JSON array of {"kind": "wheel" or "npm", "name", "version", "files": {path: text}, "command": name or null}.
A command is a program: of a wheel the function `main` of its module, of an npm package its file `command`.
"""
import io
import json
import os
import sys
import tarfile
import zipfile


def wheel(spec, output):
    name, version, files, command = spec["name"], spec["version"], dict(spec["files"]), spec["command"]
    info = "%s-%s.dist-info/" % (name, version)
    files[info + "METADATA"] = "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version)
    files[info + "WHEEL"] = "Wheel-Version: 1.0\nGenerator: e2e\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if command:
        files[info + "entry_points.txt"] = "[console_scripts]\n%s = %s:main\n" % (command, name)
    files[info + "RECORD"] = "".join("%s,,\n" % path for path in files)
    with zipfile.ZipFile(os.path.join(output, "%s-%s-py3-none-any.whl" % (name, version)), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


def npm(spec, output):
    manifest = {"name": spec["name"], "version": spec["version"]}
    if spec["command"]:
        manifest["bin"] = {spec["command"]: "command"}
    path = os.path.join(output, "%s-%s.tgz" % (spec["name"].replace("/", "-").replace("@", ""), spec["version"]))
    with tarfile.open(path, "w:gz") as archive:
        for name, text in {"package.json": json.dumps(manifest), **spec["files"]}.items():
            data = text.encode()
            entry = tarfile.TarInfo("package/" + name)
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))


for one in json.load(sys.stdin):
    {"wheel": wheel, "npm": npm}[one["kind"]](one, sys.argv[1])
