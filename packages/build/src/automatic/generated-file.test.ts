// The linter reads tests without the project's library of types, and does not know Symbol.asyncDispose there.
// oxlint-disable typescript/await-thenable
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generateDefaultDockerfile, generateDockerfile } from './generated-file.ts';
import { project } from './testing/projects.ts';

describe('generated files', () => {
  it('are not in the project, and go', async () => {
    const directory = project({ 'requirements.txt': '', Dockerfile: 'FROM mine\n' });
    let path: string;
    {
      await using file = generateDefaultDockerfile(directory, { prefectVersion: '3.1.0', env: {} });
      ({ path } = file);
      expect(readFileSync(path, 'utf8')).toBe(file.text);
      expect(file.text).toContain(`COPY . /opt/prefect/${basename(directory)}/\n`);
      expect(existsSync(`${path}.dockerignore`)).toBe(false);
      expect(readFileSync(join(directory, 'Dockerfile'), 'utf8')).toBe('FROM mine\n');
    }
    expect(existsSync(dirname(path))).toBe(false);
  });

  it('have the ignore file beside them', async () => {
    await using file = generateDockerfile(project({ 'index.html': '' }));
    expect(readFileSync(`${file.path}.dockerignore`, 'utf8')).toBe(file.dockerfile.ignoreText);
  });

  it('take the current directory by its name', async () => {
    await using file = generateDefaultDockerfile();
    expect(file.text).toContain(`WORKDIR /opt/prefect/${basename(process.cwd())}/\n`);
  });
});
