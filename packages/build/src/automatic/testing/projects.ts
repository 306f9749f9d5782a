import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseDockerfile } from '@boxwright/dockerfile';
import { temporaryDirectories } from '@boxwright/testing';
import { expect } from 'vitest';
import { type AutomaticDockerfile, type AutomaticOptions, automaticDockerfile } from '../automatic-dockerfile.ts';

/** A new directory that goes after the test. */
export const temporary: (prefix?: string) => string = temporaryDirectories();

/** Files of a project; objects are written as JSON. */
export type Files = Readonly<Record<string, string | object>>;

/** A project directory with these files. */
export function project(files: Files, name = 'app'): string {
  const directory = join(temporary(), name);
  mkdirSync(directory);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return directory;
}

/** Made, and lawful: it parses, nothing in it is warned about, and commands are in exec form. */
export function made(files: Files, options: AutomaticOptions = {}): AutomaticDockerfile {
  const dockerfile = automaticDockerfile(project(files), { env: {}, ...options });
  const { stages, warnings } = parseDockerfile(dockerfile.text);
  expect(warnings).toEqual([]);
  if (dockerfile.kind !== 'prefect') {
    for (const instruction of stages.flatMap((stage) => stage.instructions)) {
      if ('form' in instruction) expect(instruction.form).toBe('exec');
    }
    const last = stages.at(-1);
    const isRootless = last?.from.image.includes('unprivileged') === true;
    expect(isRootless || last?.instructions.some(({ kind }) => kind === 'user')).toBe(true);
  }
  return dockerfile;
}
