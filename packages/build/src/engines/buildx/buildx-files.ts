import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BoxwrightError } from '@boxwright/errors';
import type { BuildRequest, SecretSource } from '../../engine/engine.ts';
import { csvPairs } from '../csv.ts';
import type { BuildxFiles } from './buildx-arguments.ts';

/** Files of one call of buildx, in a directory that only this user can look into; removed when they are disposed of. */
export class TemporaryFiles implements Disposable, BuildxFiles {
  readonly directory: string;
  readonly metadata: string;
  readonly secrets: ReadonlyMap<string, string>;

  constructor(request: BuildRequest) {
    this.directory = mkdtempSync(join(tmpdir(), 'boxwright-buildx-'));
    this.metadata = join(this.directory, 'metadata.json');
    try {
      const values = request.secrets.map((secret, at) => [secret.id, this.#secret(secret, at)] as const);
      this.secrets = new Map(values);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** A secret given as bytes is the only one that has to become a file. */
  #secret({ id, source }: SecretSource, at: number): string {
    if (id.includes('\n')) throw new BoxwrightError('ENGINE_UNSUPPORTED', 'the id of a secret has a line end');
    if ('file' in source) {
      return csvPairs([
        ['id', id],
        ['src', source.file],
      ]);
    }
    if ('env' in source) {
      return csvPairs([
        ['id', id],
        ['env', source.env],
      ]);
    }
    const path = join(this.directory, `secret-${at}`);
    writeFileSync(path, source.value, { mode: 0o600 });
    return csvPairs([
      ['id', id],
      ['src', path],
    ]);
  }
}
