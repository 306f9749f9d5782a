/**
 * Run by kill.test.ts: writes blobs, cache records, snapshots and tags into the store named on the command line until
 * it is killed. What it writes follows from a counter, so that several workers write the same things at the same time.
 */
import { writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../names/digest.ts';
import { ImageStore } from '../store.ts';
import { putBlob, putExampleImage } from './example-image.ts';

const [root = '', first = '0'] = process.argv.slice(2);
const store = ImageStore.open(root);
writeSync(1, 'ready\n');
for (let count = Number(first); ; count++) {
  const content = `layer ${count} `.repeat(5000);
  const image = putExampleImage(store, content);
  store.tag(`example.test/image:${count % 20}`, image);
  const step = putBlob(store, `step ${count}`);
  store.cache.put(`key ${count}`, { count }, { blobs: [step.digest] });
  const snapshot = store.snapshots.begin();
  for (let file = 0; file < 10; file++) writeFileSync(join(snapshot.dir, String(file)), content);
  snapshot.commit(digestOf(content));
}
