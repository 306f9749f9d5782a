import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Buildah } from '../components/buildah.ts';
import { dockerOk, type EngineAccess } from '../components/docker-engine.ts';
import { buildArguments } from '../runner/build-arguments.ts';
import type { CorpusCase } from '../runner/corpus-case.ts';
import { prepareContext } from '../runner/prepare-context.ts';
import type { Builder } from './cases.ts';

/** The name of the image that `builder` made of a case. */
export function imageName(builder: Builder, corpusCase: CorpusCase): string {
  return `e2e-explain/${corpusCase.name}:${builder.toLowerCase()}`;
}

/** Builds all cases with BuildKit or the classic builder of one engine, and saves them to one docker-archive. */
export async function buildWithEngine(
  access: EngineAccess,
  builder: 'BuildKit' | 'classic',
  cases: readonly CorpusCase[],
  archive: string,
): Promise<void> {
  const names = cases.map((corpusCase) => imageName(builder, corpusCase));
  await inPairs(cases, async (corpusCase) => {
    const context = `${archive}.${corpusCase.name}`;
    try {
      await prepareContext(corpusCase, context);
      const tag = ['--no-cache', '--tag', imageName(builder, corpusCase)];
      const flags = buildArguments(corpusCase, context);
      const isClassic = builder === 'classic';
      await dockerOk(
        access,
        isClassic
          ? ['build', ...tag, ...flags.filter((flag) => !flag.startsWith('--progress'))]
          : ['buildx', 'build', '--provenance=false', ...tag, ...flags],
        { env: { ...process.env, ...corpusCase.env, DOCKER_BUILDKIT: isClassic ? '0' : '1' } },
      );
    } finally {
      rmSync(context, { recursive: true, force: true });
    }
  });
  await dockerOk(access, ['save', '--output', archive, ...names]);
  await dockerOk(access, ['image', 'rm', '--force', ...names]);
}

/** Builds cases with buildah in Docker's format; every third one with a layer for each instruction, which is slow. */
export async function buildWithBuildah(
  buildah: Buildah,
  cases: readonly CorpusCase[],
  directory: string,
): Promise<void> {
  await inPairs([...cases.entries()], async ([position, corpusCase]) => {
    const context = join(directory, `context-${corpusCase.name}`);
    const name = imageName('buildah', corpusCase);
    try {
      await prepareContext(corpusCase, context);
      const flags = buildArguments(corpusCase, context).filter((flag) => !/^--(?:progress|network)/.test(flag));
      const layers = `--layers=${position % 3 === 0}`;
      await buildah.run(['bud', '--quiet', '--format=docker', '--no-cache', layers, '--tag', name, ...flags]);
      await buildah.run(['push', '--quiet', name, `docker-archive:${directory}/${corpusCase.name}.tar:${name}`]);
      await buildah.run(['push', '--quiet', name, `oci:${directory}/${corpusCase.name}:it`]);
    } finally {
      rmSync(context, { recursive: true, force: true });
    }
  });
}

/** Two at a time is what two cores can do. */
async function inPairs<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all([worker(), worker()]);
}
