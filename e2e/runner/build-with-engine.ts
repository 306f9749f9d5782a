import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { summarizeArchive } from '../compare/summary.ts';
import { docker, dockerOk, type EngineAccess } from '../components/docker-engine.ts';
import { boxwright } from '../support/boxwright.ts';
import { buildArguments } from './build-arguments.ts';
import type { Outcome } from './build-with-docker.ts';
import type { CorpusCase } from './corpus-case.ts';

/** Who builds, as the words of `boxwright build` and its environment; `classic` is Docker's older builder. */
export const engines = {
  docker: { args: ['--engine', 'docker'], env: {} },
  classic: { args: ['--engine', 'docker'], env: { DOCKER_BUILDKIT: '0' } },
  buildx: { args: ['--engine', 'buildx'], env: {} },
} as const;

/** Variables that let the command find the engine, and a `docker` that lives beside the engine. */
export function engineVariables(access: EngineAccess, directory: string): Readonly<Record<string, string>> {
  const bin = join(directory, 'bin');
  mkdirSync(bin, { recursive: true });
  const words = [...access.prefix, 'docker'].map((word) => `'${word}'`).join(' ');
  // Without a prefix it is the one of PATH, which must not find itself.
  const script = `#!/bin/sh\nPATH="\${PATH#${bin}:}"\nexec ${words} "$@"\n`;
  const path = join(bin, 'docker');
  // Written by another process: what tests beside this one start would inherit the open file, and it could not be run.
  if (!existsSync(path))
    execFileSync('sh', ['-c', 'cat > "$1.new" && chmod 755 "$1.new" && mv "$1.new" "$1"', 'sh', path], {
      input: script,
    });
  return { ...access.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
}

/** Builds a case with one of the outer engines, without its cache, and reads the image from `docker save`. */
export async function buildWithEngine(
  access: EngineAccess,
  home: string,
  corpusCase: CorpusCase,
  context: string,
  engine: keyof typeof engines,
): Promise<Outcome> {
  const tag = `e2e-engine/${engine}-${corpusCase.name}:${process.pid}`;
  const archive = `${context}.${engine}.tar`;
  const { args, env } = engines[engine];
  const variables = { ...process.env, ...engineVariables(access, home), ...env, ...corpusCase.env };
  const words = ['build', ...args, '--no-cache', '--tag', tag, ...buildArguments(corpusCase, context)];
  const result = await boxwright(home, words, { env: variables });
  if (result.code !== 0) return { failure: `exit code ${result.code}\n${result.stderr}` };
  try {
    await dockerOk(access, ['save', '--output', archive, tag]);
    return { image: await summarizeArchive(archive) };
  } finally {
    rmSync(archive, { force: true });
    await docker(access, ['image', 'rm', '--force', tag]);
  }
}
