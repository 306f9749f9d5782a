import fc from 'fast-check';
import type { TarEntry } from '../../tar/entry.ts';
import { directory, fifo, file, hardlink, symlink } from './entries.ts';

/** Names so few that entries of different layers, and of one layer, keep meeting each other. */
const name = fc.constantFrom('a', 'b', 'c', 'd.e');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));

/** Any entry a layer may have, whiteouts included; times are whole seconds as GNU tar's default format has them. */
function layerEntry(asRoot: boolean): fc.Arbitrary<TarEntry> {
  const attributes = fc.record({
    // Without root setuid is dropped, and a directory that is closed to its owner could not be looked into.
    mode: asRoot ? fc.constantFrom(0o644, 0o755, 0o700, 0o1777, 0o2755, 0o4711) : fc.constantFrom(0o755, 0o700, 0o1777),
    uid: asRoot ? fc.constantFrom(0, 1, 1000) : fc.constant(process.geteuid?.() ?? 0),
    gid: asRoot ? fc.constantFrom(0, 5, 1000) : fc.constant(process.getegid?.() ?? 0),
    mtimeNs: fc.integer({ min: 1, max: 2_000_000_000 }).map((seconds) => BigInt(seconds) * 1_000_000_000n),
  });
  const target = fc.oneof(
    path,
    path.map((to) => `/${to}`),
    path.map((to) => `../${to}`),
    fc.constantFrom('.', '..'),
  );
  const hidden = path.map((at) => at.replace(/[^/]+$/, (last) => `.wh.${last}`));
  return fc.oneof(
    { weight: 4, arbitrary: fc.tuple(path, attributes, fc.nat(700)).map(([at, a, size]) => file(at, { ...a, size })) },
    { weight: 4, arbitrary: fc.tuple(path, attributes).map(([at, a]) => directory(at, a)) },
    {
      weight: 2,
      arbitrary: fc.tuple(path, target, attributes).map(([at, to, a]) => symlink(at, to, { ...a, mode: 0o777 })),
    },
    { weight: 2, arbitrary: fc.tuple(path, path, attributes).map(([at, to, a]) => hardlink(at, to, a)) },
    { weight: 1, arbitrary: fc.tuple(path, attributes).map(([at, a]) => fifo(at, a)) },
    { weight: 2, arbitrary: hidden.map((at) => file(at)) },
    { weight: 1, arbitrary: path.map((at) => file(`${at}/.wh..wh..opq`)) },
    { weight: 1, arbitrary: fc.constant(file('.wh..wh..opq')) },
    { weight: 1, arbitrary: attributes.map((a) => directory('.', a)) },
  );
}

/** Layers of an image, base first; some are not lawful. With `asRoot` also of any owner and mode. */
export function layerStack(asRoot: boolean): fc.Arbitrary<TarEntry[][]> {
  return fc.array(fc.array(layerEntry(asRoot), { maxLength: 10 }), { minLength: 1, maxLength: 3 });
}
