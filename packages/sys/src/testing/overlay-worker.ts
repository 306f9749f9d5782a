import fs from 'node:fs';
import os from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import * as sys from '../index.ts';

// Mounts an overlay in this thread's own namespaces and reports what it saw.
const { dir } = workerData as { dir: string }; // as sys.test.ts passes it
sys.unshare(sys.CLONE_NEWNS | sys.CLONE_NEWUTS);
sys.mount('none', '/', null, sys.MS_REC | sys.MS_PRIVATE);
sys.sethostname('box');
const options = `lowerdir=${dir}/lower,upperdir=${dir}/upper,workdir=${dir}/work`;
sys.mount('overlay', `${dir}/merged`, 'overlay', sys.MS_NODEV, options);
fs.writeFileSync(`${dir}/merged/new`, 'new');
const merged = fs.readdirSync(`${dir}/merged`).toSorted();
fs.unlinkSync(`${dir}/merged/file`);
sys.umount(`${dir}/merged`, sys.MNT_DETACH);
const whiteout = sys.splitDevice(fs.lstatSync(`${dir}/upper/file`).rdev);
parentPort?.postMessage({ merged, hostname: os.hostname(), whiteout, unmounted: fs.readdirSync(`${dir}/merged`) });
