import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import type { CredentialEnvironment } from '../auth-file-paths.ts';

/** A user's home with nothing of the real one in reach. */
export interface Home extends CredentialEnvironment {
  readonly env: Record<string, string>;
  /** Writes a file below the home directory: text, or a value as JSON. Returns its path. */
  write(path: string, content: unknown): string;
}

/** Registers the removal of homes; call at the top of a test file, then the result for each new home. */
export function homes(): () => Home {
  const made: string[] = [];
  afterEach(() => {
    for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
  });
  return () => {
    const home = mkdtempSync(join(tmpdir(), 'boxwright-auth-'));
    made.push(home);
    return {
      home,
      env: { PATH: '/usr/bin:/bin' },
      write: (name, content) => {
        const path = join(home, name);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
        return path;
      },
    };
  };
}

/** The `auth` member of an entry. */
export function basic(username: string, password: string): { auth: string } {
  return { auth: Buffer.from(`${username}:${password}`).toString('base64') };
}
