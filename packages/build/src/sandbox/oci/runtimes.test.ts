import { describe, expect, it } from 'vitest';
import { parseVersion } from './runtimes.ts';

describe('parseVersion', () => {
  it.each([
    ['runc version 1.1.5+ds1\ncommit: x\nlibseccomp: 2.5.4\n', 'runc', '1.1.5+ds1', true, true],
    ['runc version 1.1.15\n', 'runc', '1.1.15', false, true],
    ['runc version 1.2.8\nlibseccomp: 2.5.5\n', 'runc', '1.2.8', true, true],
    ['runc version 1.3.6\nlibseccomp: 2.6.0\n', 'runc', '1.3.6', true, false],
    ['runc version 1.4.0-rc.3\nlibseccomp: 2.6.0\n', 'runc', '1.4.0-rc.3', true, true],
    ['runc version 1.4.3\nlibseccomp: 2.6.0\n', 'runc', '1.4.3', true, false],
    ['runc version 2.0.0\nlibseccomp: 2.6.0\n', 'runc', '2.0.0', true, false],
    ['crun version 1.8.1\nspec: 1.0.0\n+SYSTEMD +SELINUX +SECCOMP +YAJL\n', 'crun', '1.8.1', true, false],
    ['youki 0.5.3\n', 'youki', '0.5.3', false, false],
  ])('%j', (text, name, version, seccomp, advisory) => {
    const runtime = parseVersion('/usr/bin/x', text);
    expect(runtime).toMatchObject({ name, version, seccomp, path: '/usr/bin/x' });
    expect(runtime.advisory !== undefined).toBe(advisory);
  });

  it('takes the name of the file when it does not answer', () => {
    expect(parseVersion('/opt/kata-runtime', '')).toMatchObject({
      name: 'kata-runtime',
      version: undefined,
      seccomp: false,
    });
  });
});
