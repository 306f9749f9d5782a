/**
 * Run by collect-race.test.ts: makes, finds again and uses content while another process collects garbage as fast as
 * it can. Ends with exit code 1 and a word on standard error when something that it uses went away.
 */
import { existsSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../names/digest.ts';
import { ImageStore } from '../store.ts';
import { putBlob, putExampleImage } from './example-image.ts';

const [root = '', id = '', rounds = '100'] = process.argv.slice(2);
writeSync(1, 'ready\n');
for (let round = 0; round < Number(rounds); round++) {
  // A new session each time: leases come and go while collections run.
  const store = ImageStore.open(root);
  for (let index = 0; index < 5; index++) {
    // Few distinct contents, shared by all workers: mostly found, made by somebody else, named by nothing.
    const content = `shared ${Math.floor(Math.random() * 8)}`;
    const digest = digestOf(content);
    if (!store.hasBlob(digest)) putBlob(store, content);
    if (store.readBlob(digest, 1000).toString() !== content) throw new Error('blob lost while in use');
    const found = store.snapshots.get(digest);
    if (found === undefined) {
      const snapshot = store.snapshots.begin();
      writeFileSync(join(snapshot.dir, 'file'), content);
      snapshot.commit(digest);
    }
    if (!existsSync(join(store.root, 'snapshots', digest.slice(7), 'fs', 'file')))
      throw new Error('snapshot lost while in use');
  }
  const image = putExampleImage(store, `worker ${id} round ${round}`);
  // The last thing before the lease goes: the tag must be enough from here on.
  store.tag(`example.test/worker:${id}`, image);
  store.close();
  const later = ImageStore.open(root);
  const tagged = later.resolve(`example.test/worker:${id}`);
  if (tagged === undefined || !later.hasBlob(tagged.digest)) throw new Error('tagged image lost');
  if (
    later
      .image(tagged)
      .layers()
      .some((layer) => !later.hasBlob(layer.descriptor.digest))
  )
    throw new Error('tagged layer lost');
  later.close();
}
