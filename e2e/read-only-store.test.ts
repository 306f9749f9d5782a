import { describe, expect, it } from 'vitest';
import { boxwrightPath } from './support/boxwright.ts';
import { run } from './support/run.ts';
import { baseArchive, makeScene, missingBases } from './support/scene.ts';
import { removeTemporaryDirectoriesAfterEach } from './support/temporary.ts';

removeTemporaryDirectoriesAfterEach();

/** Mounting takes root. */
const isRoot = process.getuid?.() === 0;

/** The mount lives in a namespace of the script: it ends with it. */
const script = `
"$BOXWRIGHT" history e2e/busybox:1 >/dev/null || exit 90
mount --bind "$BOXWRIGHT_HOME" "$BOXWRIGHT_HOME" && mount -o remount,bind,ro "$BOXWRIGHT_HOME" || exit 91
try() { "$BOXWRIGHT" "$@" >/dev/null; echo "$1 $?"; }
try images
try inspect e2e/busybox:1
try history e2e/busybox:1
try page e2e/busybox:1
try files e2e/busybox:1
try cat e2e/busybox:1 /etc/passwd
try waste e2e/busybox:1
try dockerfile e2e/busybox:1
try diff e2e/busybox:1 "oci-archive:$OUT/1.tar"
try copy --quiet e2e/busybox:1 "oci:$OUT/layout:1"
try load --input "$BASE"
`;

describe.skipIf(!isRoot || missingBases() !== undefined)('a store that cannot be written', () => {
  it('shows images and gives them away; what writes says what is wrong', async () => {
    const scene = await makeScene({}, ['busybox']);
    const save = await run(
      boxwrightPath,
      ['save', '--format', 'oci', '-o', `${scene.context}/1.tar`, 'e2e/busybox:1'],
      {
        env: { ...process.env, BOXWRIGHT_HOME: scene.home },
      },
    );
    expect(save).toMatchObject({ code: 0 });
    const result = await run('unshare', ['--mount', '--propagation=private', 'sh', '-c', script], {
      env: {
        ...process.env,
        BOXWRIGHT_HOME: scene.home,
        BOXWRIGHT: boxwrightPath,
        BASE: baseArchive('busybox'),
        OUT: scene.context,
      },
    });
    const codes = result.stdout.toString().trim().split('\n');
    expect(codes.filter((line) => !line.endsWith(' 0'))).toEqual(['load 1']);
    expect(codes).toHaveLength(11);
    const errors = result.stderr.split('\n').filter((line) => line.startsWith('error:'));
    expect(errors).toEqual([expect.stringMatching(/image store .* cannot be written \[STORE_READ_ONLY\]/)]);
  });
});
