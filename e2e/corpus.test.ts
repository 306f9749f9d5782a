import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { compareImages } from './compare/compare-images.ts';
import { applyLayer, type FileTree } from './compare/flatten.ts';
import type { ImageSummary } from './compare/summary.ts';
import { buildWithBoxwright } from './runner/build-with-boxwright.ts';
import { buildWithDocker, type Outcome } from './runner/build-with-docker.ts';
import { corpusCases } from './runner/corpus-case.ts';
import { prepareContext } from './runner/prepare-context.ts';
import { boxwrightOk } from './support/boxwright.ts';

const work = inject('workDirectory');
const bases = inject('bases');
const engine = inject('engine');
const home = join(work, 'corpus-home');
/** For work on the corpus itself: compare the engine with itself. */
const engineWithItself = process.env['BOXWRIGHT_E2E_SUBJECT'] === 'docker';

describe.skipIf(!('value' in bases && 'value' in engine))('builds equal those of Docker with BuildKit', () => {
  if (!('value' in bases) || !('value' in engine)) return;
  beforeAll(async () => {
    if (engineWithItself) return;
    for (const archive of Object.values(bases.value.archives)) await boxwrightOk(home, ['load', '--input', archive]);
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it.concurrent.each(corpusCases())('$name: $title', async (corpusCase) => {
    const context = join(work, `corpus-${corpusCase.name}`);
    try {
      await prepareContext(corpusCase, context);
      const ofDocker = (keep: boolean): Promise<Outcome> =>
        buildWithDocker(engine.value, corpusCase, context, bases.value.hash, { keep });
      const expected = corpusCase.withoutEngine === undefined ? await ofDocker(true) : undefined;
      const actual = engineWithItself ? await ofDocker(false) : await buildWithBoxwright(home, corpusCase, context);
      if (corpusCase.fails !== undefined) {
        if (expected !== undefined) expect(expected, 'the engine has to refuse it too').toHaveProperty('failure');
        expect(actual).toHaveProperty('failure');
        if (!('failure' in actual) || engineWithItself) return;
        expect(actual.failure).toMatch(new RegExp(`\\[(${corpusCase.fails.code})\\]`));
        expect(actual.failure).toMatch(new RegExp(corpusCase.fails.message ?? ''));
        return;
      }
      if (!('image' in actual)) throw new Error(actual.failure);
      if (expected !== undefined) {
        if (!('image' in expected)) throw new Error(`the engine refused it:\n${expected.failure}`);
        const ignore = Object.keys(corpusCase.differs ?? {});
        expect(compareImages(expected.image, actual.image, { ignore }).join('\n')).toBe('');
      }
      for (const path of corpusCase.paths ?? []) expectPath(actual.image, path);
    } finally {
      rmSync(context, { recursive: true, force: true });
    }
  });
});

/** `path` has to be in the image, `!path` must not be. */
function expectPath(image: ImageSummary, expectation: string): void {
  let tree: FileTree = new Map();
  for (const layer of image.layers) tree = applyLayer(tree, layer).tree;
  const path = expectation.replace(/^!/, '');
  expect(tree.has(path), expectation).toBe(path === expectation);
}
