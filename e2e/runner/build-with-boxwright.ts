import { rmSync } from 'node:fs';
import { summarizeArchive } from '../compare/summary.ts';
import { boxwright } from '../support/boxwright.ts';
import { buildArguments } from './build-arguments.ts';
import type { Outcome } from './build-with-docker.ts';
import type { CorpusCase } from './corpus-case.ts';

/** Builds a case with the built command, its store at `home`, and reads the image from the docker-archive it writes. */
export async function buildWithBoxwright(home: string, corpusCase: CorpusCase, context: string): Promise<Outcome> {
  const archive = `${context}.boxwright.tar`;
  const result = await boxwright(
    home,
    ['build', '--no-cache', '--output', `type=docker,dest=${archive}`, ...buildArguments(corpusCase, context)],
    { env: { ...process.env, ...corpusCase.env } },
  );
  try {
    if (result.code !== 0) return { failure: `exit code ${result.code}\n${result.stderr}` };
    return { image: await summarizeArchive(archive) };
  } finally {
    rmSync(archive, { force: true });
  }
}
