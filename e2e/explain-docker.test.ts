import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { missingBuildah, openBuildah } from './components/buildah.ts';
import { dockerOk, type StartedEngine, startEngine } from './components/docker-engine.ts';
import { buildWithBuildah, buildWithEngine, imageName } from './explain/build-images.ts';
import { type Builder, explainedCases } from './explain/cases.ts';
import { engineHistory, engineInspect, inspectFormOf } from './explain/engine-view.ts';
import { type OurSide, ourHistory, ourInspect } from './explain/our-view.ts';

const bases = inject('bases');
const engine = inject('engine');
const directory = join(inject('workDirectory'), 'explain');
const home = join(directory, 'home');

/**
 * Images are looked at in an engine that has not made them: the one that has counts links as nothing in layers of its own
 * BuildKit, and shows images between that its classic builder has left. An engine that we were told to use is only one.
 */
const hasSecondEngine = (process.env['BOXWRIGHT_E2E_DOCKER_HOST'] ?? '') === '';
const noBuildah = 'value' in engine && hasSecondEngine ? await missingBuildah() : 'no engine to compare with';

describe.skipIf(!('value' in bases && 'value' in engine && hasSecondEngine))(
  'we say of images what Docker says',
  () => {
    if (!('value' in bases) || !('value' in engine)) return;
    let loading: StartedEngine;
    let ours: OurSide;

    beforeAll(async () => {
      mkdirSync(directory);
      loading = await startEngine(directory);
      ours = { home, env: { ...process.env, ...loading.access.env } };
    });
    afterAll(async () => {
      await loading?.stop();
      for (const path of [directory, `${home}-tmp`]) rmSync(path, { recursive: true, force: true });
    });

    describe.each<'BuildKit' | 'classic'>(['BuildKit', 'classic'])('built by Docker: %s', (builder) => {
      const cases = explainedCases(builder);
      const archive = join(directory, `${builder}.tar`);

      beforeAll(async () => {
        await buildWithEngine(engine.value, builder, cases, archive);
        await dockerOk(loading.access, ['load', '--quiet', '--input', archive]);
      });

      it.concurrent.each(cases)('history: $name', async (corpusCase) => {
        const name = imageName(builder, corpusCase);
        const expected = await engineHistory(loading.access, name);
        expect(await ourHistory(ours, `docker-archive:${archive}:${name}`)).toEqual(expected);
        expect(await ourHistory(ours, `docker-daemon:${name}`)).toEqual(expected);
      });

      it.each([`docker-archive:${archive}:`, 'docker-daemon:'])('inspect: %s', async (place) => {
        const names = cases.map((corpusCase) => imageName(builder, corpusCase));
        const expected = await engineInspect(loading.access, names);
        const form = inspectFormOf(loading.access);
        const images = await ourInspect(
          ours,
          form,
          names.map((name) => `${place}${name}`),
        );
        expectSameTexts(images, expected);
      });
    });

    describe.skipIf(noBuildah !== undefined)('built by buildah', () => {
      const builder: Builder = 'buildah';
      const cases = explainedCases(builder);
      const images = join(directory, 'buildah');

      beforeAll(async () => {
        mkdirSync(images);
        const buildah = await openBuildah(join(images, 'storage'), Object.values(bases.value.archives));
        await buildWithBuildah(buildah, cases, images);
        for (const { name } of cases)
          await dockerOk(loading.access, ['load', '--quiet', '--input', `${images}/${name}.tar`]);
      });

      it.concurrent.each(cases)('history: $name', async (corpusCase) => {
        const expected = await engineHistory(loading.access, imageName(builder, corpusCase));
        expect(await ourHistory(ours, `docker-archive:${images}/${corpusCase.name}.tar`)).toEqual(expected);
        // Its OCI form has another config, so another id; all else is the same.
        const oci = await ourHistory(ours, `oci:${images}/${corpusCase.name}:it`);
        expect(oci.map((row) => ({ ...row, id: '' }))).toEqual(expected.map((row) => ({ ...row, id: '' })));
        expect(oci[0]?.id).toMatch(/^sha256:[0-9a-f]{64}$/);
      });

      it('inspect', async () => {
        const expected = await engineInspect(
          loading.access,
          cases.map((corpusCase) => imageName(builder, corpusCase)),
        );
        const form = inspectFormOf(loading.access);
        const archives = cases.map(({ name }) => `docker-archive:${images}/${name}.tar`);
        expectSameTexts(await ourInspect(ours, form, archives), expected);
        const layouts = cases.map(({ name }) => `oci:${images}/${name}:it`);
        const differs = { Id: '', RepoTags: [] };
        expect((await ourInspect(ours, form, layouts)).map((image) => ({ ...image, ...differs }))).toEqual(
          expected.map((image) => ({ ...image, ...differs })),
        );
      });
    });
  },
);

/** Key by key, in their order. */
function expectSameTexts(actual: readonly unknown[], expected: readonly unknown[]): void {
  const text = (images: readonly unknown[]): string => JSON.stringify(images, undefined, 2);
  expect(text(actual)).toBe(text(expected));
}
