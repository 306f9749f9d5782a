printf '\357\273\277FROM e2e/busybox:1\nENV A=1\n' > Dockerfile
