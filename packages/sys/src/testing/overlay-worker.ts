import fs from 'node:fs';
import os from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import * as sys from '../index.ts';

// Mounts an overlay in this thread's own namespaces and reports what it saw.
const { dir, layers } = workerData as { dir: string; layers: number }; // as sys.test.ts passes it
sys.unshare(sys.CLONE_NEWNS | sys.CLONE_NEWUTS);
sys.mount('none', '/', null, sys.MS_REC | sys.MS_PRIVATE);
sys.sethostname('box');
const lowerDirs = Array.from({ length: layers }, (_, index) => `${dir}/lower:${index}`);
sys.mountOverlay({
  lowerDirs,
  upperDir: `${dir}/up,per`,
  workDir: `${dir}/work`,
  target: `${dir}/merged`,
  flags: sys.MS_NODEV,
});
fs.writeFileSync(`${dir}/merged/new`, 'new');
const merged = fs.readdirSync(`${dir}/merged`).length;
const content = fs.readFileSync(`${dir}/merged/file`, 'utf8');
fs.unlinkSync(`${dir}/merged/file`);
sys.umount(`${dir}/merged`, sys.MNT_DETACH);
const whiteout = sys.splitDevice(fs.lstatSync(`${dir}/up,per/file`).rdev);
parentPort?.postMessage({
  merged,
  content,
  hostname: os.hostname(),
  whiteout,
  unmounted: fs.readdirSync(`${dir}/merged`),
});
