import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { boxwrightPath } from './support/boxwright.ts';
import { run } from './support/run.ts';
import { baseArchive, makeScene, missingBases } from './support/scene.ts';
import { removeTemporaryDirectoriesAfterEach } from './support/temporary.ts';

removeTemporaryDirectoriesAfterEach();

/** A file system of its own takes root to mount. */
const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot || missingBases() !== undefined)('a full disk', () => {
  // The mount lives in a namespace of the script: it ends with it.
  const script = `
set -u
mount -t tmpfs -o size=$SIZE none "$BOXWRIGHT_HOME"
"$BOXWRIGHT" load --input "$BASE" >/dev/null || exit 90
timeout 100 "$BOXWRIGHT" build --network=none --progress=plain --tag big:1 --file "$CONTEXT/Dockerfile" "$CONTEXT"
echo "exit code $?" >&2
"$BOXWRIGHT" images --quiet | wc -l
ls -A "$BOXWRIGHT_HOME/tmp" | wc -l
"$BOXWRIGHT" build --network=none --quiet --tag small:1 --file "$CONTEXT/Dockerfile.small" "$CONTEXT" >/dev/null || exit 91
"$BOXWRIGHT" images --quiet | wc -l
`;

  it.each([
    ['COPY', 'FROM e2e/busybox:1\nCOPY big /big\n', '/big'],
    ['RUN', 'FROM e2e/busybox:1\nRUN dd if=/dev/zero of=/big bs=1M count=64\n', ''],
  ])(
    'during %s is one clear error; nothing half made is kept, and the store stays usable',
    async (_step, dockerfile) => {
      const scene = await makeScene(
        { Dockerfile: dockerfile, 'Dockerfile.small': 'FROM e2e/busybox:1\nCOPY small /small\n', small: 'small\n' },
        ['busybox'],
      );
      writeFileSync(join(scene.context, 'big'), Buffer.alloc(32 << 20, 'x'));
      const result = await run('unshare', ['--mount', '--propagation=private', 'sh', '-c', script], {
        env: {
          ...process.env,
          BOXWRIGHT_HOME: scene.home,
          BOXWRIGHT: boxwrightPath,
          BASE: baseArchive('busybox'),
          CONTEXT: scene.context,
          SIZE: '16m',
        },
      });
      expect(result.stderr).toMatch(/exit code 1$/m);
      expect(result.stderr).toMatch(/\[(STORE_FULL|ENOSPC|RUN_FAILED)\]/);
      expect(result.stderr).toMatch(/no space left|full/i);
      expect(result.stderr).not.toMatch(/INTERNAL/);
      expect(result.stdout.toString().trim().split(/\s+/)).toEqual(['1', '0', '2']);
      expect(result.code).toBe(0);
    },
  );
});
