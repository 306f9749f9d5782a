FROM e2e/busybox:1
COPY . /c/
