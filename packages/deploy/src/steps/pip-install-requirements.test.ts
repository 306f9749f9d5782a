import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { testStepContext } from '../testing/step-context.ts';
import { pipInstallRequirements } from './pip-install-requirements.ts';

/** A Python that only says how it was called, and with `broken.txt` that it cannot. */
function fakePython(name: string): string {
  const directory = temporaryDirectory();
  const script = `#!/bin/sh
if [ "$5" = broken.txt ]; then echo 'no such package' >&2; exit 1; fi
echo "${name} $* in $(basename "$PWD")"
`;
  writeFileSync(join(directory, name), script, { mode: 0o755 });
  return directory;
}

describe('pipInstallRequirements', () => {
  it('takes the python3 of PATH, or the one that PYTHON names', async () => {
    const PATH = `${fakePython('python3')}:/usr/bin:/bin`;
    const context = testStepContext({ env: { PATH } });
    mkdirSync(join(context.directory.path, 'sub'));
    const result = await pipInstallRequirements({ directory: 'sub', requirementsFile: 'r.txt' }, context);
    expect(result).toEqual({ stdout: 'python3 -m pip install -r r.txt in sub', stderr: '' });
    expect(context.lines).toEqual([result.stdout]);
    const other = join(fakePython('python9'), 'python9');
    const quiet = testStepContext({ env: { PATH, PYTHON: other } });
    const { stdout } = await pipInstallRequirements({ streamOutput: false }, quiet);
    expect(stdout).toMatch(/^python9 -m pip install -r requirements\.txt in /);
    expect(quiet.lines).toEqual([]);
  });

  it('says why it has failed', async () => {
    const context = testStepContext({ env: { PATH: `${fakePython('python3')}:/usr/bin:/bin` } });
    await expect(pipInstallRequirements({ requirementsFile: 'broken.txt' }, context)).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringContaining('no such package'),
    });
    const none = testStepContext({ env: { PATH: '/nowhere' } });
    await expect(pipInstallRequirements({}, none)).rejects.toMatchObject({ code: 'COMMAND_NOT_FOUND' });
  });
});
