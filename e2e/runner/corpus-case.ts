import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** `case.json`: what to build from the directory it lies in, and what has to come out. */
export interface CaseFile {
  /** One sentence: what this case would catch. */
  readonly title: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly platform?: string;
  /** Dockerfile, relative to the context; default `Dockerfile`. */
  readonly file?: string;
  /** `--build-context`: name → value; `{context}` stands for the prepared context's path. */
  readonly contexts?: Readonly<Record<string, string>>;
  /** `--secret` values, for example `id=token,src={context}/token.txt`. */
  readonly secrets?: readonly string[];
  /** Environment of both builders, for example SOURCE_DATE_EPOCH. */
  readonly env?: Readonly<Record<string, string>>;
  /** Other flags that both builders take. */
  readonly flags?: readonly string[];
  /** Both have to refuse it; ours with this code and a message that matches. */
  readonly fails?: { readonly code: string; readonly message?: string };
  /** Not given to the engine, with the reason; then `paths` and `config` say what is expected. */
  readonly withoutEngine?: string;
  /** Differences that are wanted, as prefixes of the comparer's lines, each with its reason. */
  readonly differs?: Readonly<Record<string, string>>;
  /** Paths the image has to have (`path`) or must not have (`!path`), for cases that the engine cannot judge. */
  readonly paths?: readonly string[];
}

/** One directory of the corpus. */
export interface CorpusCase extends CaseFile {
  readonly name: string;
  readonly directory: string;
  /** Changes whenever a file of the case changes. */
  readonly hash: string;
}

const CORPUS = join(import.meta.dirname, '../corpus');

/** Files of a case that are no part of its build context. */
export const CASE_FILES: readonly string[] = ['case.json', 'setup.sh'];

/** All cases, by name. `BOXWRIGHT_E2E_ONLY`, a regular expression, picks some. */
export function corpusCases(): CorpusCase[] {
  const only = new RegExp(process.env['BOXWRIGHT_E2E_ONLY'] ?? '');
  return readdirSync(CORPUS)
    .toSorted()
    .filter((name) => existsSync(join(CORPUS, name, 'case.json')) && only.test(name))
    .map((name) => {
      const directory = join(CORPUS, name);
      // Written by us, beside the code that reads it.
      const file = JSON.parse(readFileSync(join(directory, 'case.json'), 'utf8')) as CaseFile;
      return { ...file, name, directory, hash: hashDirectory(directory) };
    });
}

function hashDirectory(directory: string): string {
  const hash = createHash('sha256');
  const visit = (path: string): void => {
    for (const name of readdirSync(join(directory, path)).toSorted()) {
      const inside = join(path, name);
      const stat = lstatSync(join(directory, inside));
      hash.update(`${inside}\0${stat.isDirectory() ? 'd' : (stat.mode & 0o100).toString()}\0`);
      if (stat.isDirectory()) visit(inside);
      else if (stat.isSymbolicLink()) hash.update(readlinkSync(join(directory, inside)));
      else hash.update(readFileSync(join(directory, inside)));
    }
  };
  visit('');
  return hash.digest('hex');
}
