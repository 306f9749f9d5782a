#!/bin/sh
# usage: dockerd-in-chroot.sh ROOT WORK STATE [DOCKERD-ARGUMENT...]
# Runs as the first process of new mount and PID namespaces: every mount and process made here ends with it.
set -eu
root=$1 work=$2 state=$3
shift 3
mount --bind "$root" "$root" # dockerd makes its root a mount point, so it has to be one
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp" # the directory for the next mount is made there, and goes with it
mkdir -p "$root$work"
mount --bind "$work" "$root$work"
exec chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
  dockerd --data-root "$state/data" --exec-root "$state/exec" --pidfile "$state/pid" --host "unix://$state/docker.sock" \
  --bridge=none --iptables=false --ip6tables=false --ip-forward=false "$@"
