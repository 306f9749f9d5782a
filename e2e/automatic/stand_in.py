#!/usr/bin/env python3
"""Stands in for tools that Debian does not have: uv, Poetry, pnpm, Yarn, Bun, Go.

Reports how it was called to $STAND_IN_URL, leaves a file in every cache that is mounted, and does what can be seen of
the tool's work: the module or package `dep` in the version that the lock file has, `dev` beside it.
"""
import json
import os
import re
import shutil
import sys
import urllib.request

TOOL = os.path.basename(sys.argv[0])
ARGS = sys.argv[1:]
PRODUCTION = any(flag in ARGS for flag in ("--production", "--prod"))


def caches():
    """What each mounted cache holds, by its place."""
    found = {}
    with open("/proc/self/mountinfo") as lines:
        for line in lines:
            place = line.split(" ")[4]
            if place.startswith(("/root/", "/pnpm/", "/go/", "/usr/local/share/")):
                found[place] = sorted(os.listdir(place))
                write(os.path.join(place, "left-by-" + TOOL), "")
    return found


def report():
    call = {"tool": TOOL, "args": ARGS, "cwd": os.getcwd(), "uid": os.getuid(), "files": sorted(os.listdir("."))}
    body = json.dumps({**call, "caches": caches()}).encode()
    urllib.request.urlopen(os.environ["STAND_IN_URL"], body).close()


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def locked():
    for name in ("uv.lock", "poetry.lock", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "requirements.txt"):
        if os.path.exists(name):
            with open(name) as file:
                return re.search(r"dep==(\S+)", file.read()).group(1)
    sys.exit(TOOL + ": no lock file here")


def environment():
    write(".venv/pyvenv.cfg", "home = /usr/bin\n")
    packages = ".venv/lib/python%d.%d/site-packages/" % sys.version_info[:2]
    write(packages + "dep.py", "version = %r\n" % locked())
    os.makedirs(".venv/bin", exist_ok=True)
    for name in ("python", "python3"):
        if not os.path.lexists(".venv/bin/" + name):
            os.symlink("/usr/bin/python3", ".venv/bin/" + name)


def modules():
    write("node_modules/dep/index.js", "exports.version = %r;\n" % locked())
    if not PRODUCTION:
        write("node_modules/dev/index.js", "")
    elif TOOL != "bun":  # which removes nothing
        shutil.rmtree("node_modules/dev", ignore_errors=True)


def script(name):
    with open("package.json") as file:
        command = json.load(file)["scripts"][name]
    os.execvp("sh", ["sh", "-c", command])


def main():
    name = ARGS[0] if ARGS else ""
    if TOOL in ("pnpm", "yarn", "bun") and (name in ("run", "start", "node") or name.endswith(".js")):
        if name == "node":
            os.execvp("node", ARGS)
        elif name.endswith(".js"):
            os.execvp("node", ["node", *ARGS])
        if ARGS[-1] != "start":
            report()
        script(ARGS[-1])
    report()
    if TOOL in ("uv", "poetry") and name in ("sync", "install"):
        environment()
    elif TOOL == "uv" and ARGS[:2] == ["pip", "install"]:
        os.execvp("pip", ["pip", *ARGS[1:]])
    elif TOOL == "uv" and name == "export":
        os.chdir(ARGS[ARGS.index("--project") + 1])
        write(ARGS[ARGS.index("-o") + 1], "dep==%s\n" % locked())
    elif TOOL == "go" and name == "build":
        os.makedirs("/out", exist_ok=True)
        shutil.copy("/sbin/ldconfig", ARGS[ARGS.index("-o") + 1])  # a program without libraries
    elif TOOL in ("pnpm", "yarn", "bun"):
        modules()


if __name__ == "__main__":
    main()
