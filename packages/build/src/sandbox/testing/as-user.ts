import { ensureUserNamespace } from '../user-namespace.ts';
import { SandboxBed } from './bed.ts';

// Run without privileges: enters a user namespace, runs one command there, prints what came of it, ends with code 7.
const code = await ensureUserNamespace();
if (code === undefined) {
  const [, , tier = 'native', command = 'true'] = process.argv;
  const bed = new SandboxBed(tier);
  try {
    const { exitCode, stdout, stderr } = await bed
      .run(command)
      .catch((error: unknown) => ({ exitCode: -1, stdout: '', stderr: String(error) }));
    process.stdout.write(JSON.stringify({ exitCode, stdout, stderr }));
  } finally {
    bed.remove();
  }
  process.exitCode = 7;
} else {
  process.exitCode = code;
}
