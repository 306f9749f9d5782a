import { SandboxBed } from './bed.ts';

// Run under script(1), which gives it a terminal: lends that to a command.
const bed = new SandboxBed(process.argv[2] ?? 'native');
try {
  const { exitCode } = await bed.run('tty; read line; echo got $line; exit 9', { stdio: 'tty' });
  process.stdout.write(`exit code ${exitCode}\n`);
} finally {
  bed.remove();
}
