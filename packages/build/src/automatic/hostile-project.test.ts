import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { automaticDockerfile } from './automatic-dockerfile.ts';
import { type Files, made, project } from './testing/projects.ts';

describe('hostile files', () => {
  const evil = 'x\nRUN touch /pwned\n"] $(touch /pwned) `id` \\ $PATH \' && <<EOF';

  it.each<[string, Files]>([
    ['start', { 'package.json': { scripts: { start: `node ${evil}`, build: evil } }, 'yarn.lock': evil }],
    ['main', { 'package.json': { main: evil }, 'package-lock.json': {}, [evil.replaceAll('/', '')]: '' }],
    ['versions', { 'package.json': { packageManager: `pnpm@9${evil}`, engines: { node: evil } }, '.nvmrc': evil }],
    ['workspaces', { 'package.json': { workspaces: [evil, `packages/${evil}`] }, 'pnpm-workspace.yaml': evil }],
    ['requirements', { 'requirements.txt': `-r ${evil}\n-c $(x).txt\nprefect==1 ${evil}`, '.python-version': evil }],
    ['TOML', { 'pyproject.toml': `[project]\nrequires-python = "${evil}"\n[project.scripts]\n"${evil}" = "x"\n` }],
    ['prefect', { 'requirements.txt': 'prefect==3.0; RUN x\n', 'uv.lock': `name = "prefect"\nversion = "${evil}"` }],
    ['Go', { 'go.mod': `module ${evil}\ngo 1.22${evil}\n`, 'cmd/a$(b) c/x.go': 'package main\n', 'go.sum': evil }],
  ])('write no instruction of their own: %s', (_name, files) => {
    const safe = /^(?:FROM|RUN|COPY|ENV|WORKDIR|USER|CMD|EXPOSE|ENTRYPOINT|)(?: |$)/;
    const { text } = made(files);
    for (const line of text.split('\n')) expect(line).toMatch(safe);
    expect(text).not.toMatch(/^RUN (?:touch|x)/m);
    expect(text).not.toContain('<<');
  });

  it('with names that no instruction can hold are a clear error', () => {
    const files = { 'package.json': { workspaces: ['packages/*'] }, 'packages/a\nRUN b/package.json': {} };
    expect(() => automaticDockerfile(project(files), { env: {} })).toThrowError(
      expect.objectContaining({ code: 'INSTRUCTION_INVALID' }),
    );
  });

  it('that are links in a circle, too long to be names, or outside are not there', () => {
    const long = 'n'.repeat(5000);
    const directory = project({ 'package.json': { main: long, workspaces: [long, `${long}/*`] }, 'bun.lock': '' });
    for (const name of ['package-lock.json', 'pyproject.toml', '.npmrc', 'requirements.txt', 'go.mod']) {
      symlinkSync(name, join(directory, name));
    }
    const { kind, text } = automaticDockerfile(directory, { env: {} });
    expect(kind).toBe('bun');
    expect(text).not.toContain('CMD');
    for (const main of ['../outside.js', '/etc/passwd', 'a\0b']) {
      const other = project({ 'package.json': { main } });
      writeFileSync(join(other, '../outside.js'), '');
      expect(automaticDockerfile(other, { env: {} }).text).not.toContain('CMD');
    }
  });

  it('do not take long', () => {
    const start = performance.now();
    made({
      'package.json': { workspaces: Array.from({ length: 200_000 }, () => 'packages/*') },
      'pnpm-lock.yaml': '',
      'pnpm-workspace.yaml': `packages:\n  - ${' '.repeat(200_000)}x'\n`,
      ...Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`packages/${index}/readme`, ''])),
    });
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});
