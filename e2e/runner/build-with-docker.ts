import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ImageSummary, summarizeArchive } from '../compare/summary.ts';
import { docker, dockerOk, type EngineAccess } from '../components/docker-engine.ts';
import { cacheDirectory } from '../support/environment.ts';
import { buildArguments } from './build-arguments.ts';
import type { CorpusCase } from './corpus-case.ts';

/** What came out of a build: an image, or a refusal with what was printed. */
export type Outcome = { readonly image: ImageSummary } | { readonly failure: string };

/** Raise it when the meaning of kept results changes. */
const FORMAT = 1;

/**
 * Builds a case with the real engine, without its cache, and reads the image from `docker save`. Results are kept in the
 * cache directory by case, bases and engine version, so that a second run of the suite asks the engine nothing.
 */
export async function buildWithDocker(
  access: EngineAccess,
  corpusCase: CorpusCase,
  context: string,
  basesHash: string,
  options: { readonly keep: boolean },
): Promise<Outcome> {
  const key = createHash('sha256')
    .update([FORMAT, corpusCase.hash, basesHash, access.version].join('\n'))
    .digest('hex');
  const kept = join(cacheDirectory(), 'docker-results', `${key}.json`);
  // Written below, by this same code.
  if (options.keep && existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8')) as Outcome;
  const outcome = await build(access, corpusCase, context);
  if (options.keep) {
    mkdirSync(join(cacheDirectory(), 'docker-results'), { recursive: true });
    writeFileSync(`${kept}.${process.pid}`, JSON.stringify(outcome));
    renameSync(`${kept}.${process.pid}`, kept);
  }
  return outcome;
}

async function build(access: EngineAccess, corpusCase: CorpusCase, context: string): Promise<Outcome> {
  const tag = `e2e-result/${corpusCase.name}:${process.pid}`;
  const archive = `${context}.docker.tar`;
  const env = { ...process.env, ...corpusCase.env };
  const result = await docker(
    access,
    ['buildx', 'build', '--no-cache', '--provenance=false', '--tag', tag, ...buildArguments(corpusCase, context)],
    { env },
  );
  if (result.code !== 0) return { failure: result.stderr };
  try {
    await dockerOk(access, ['save', '--output', archive, tag]);
    return { image: await summarizeArchive(archive) };
  } finally {
    rmSync(archive, { force: true });
    await docker(access, ['image', 'rm', '--force', tag]);
  }
}
