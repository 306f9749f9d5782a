import { useThisThreadForSandboxes } from '../thread/client.ts';
import { SandboxBed } from './bed.ts';

// A process of its own because of the thread: in this one a signal is sent before anything can be heard of the command.
useThisThreadForSandboxes();
const bed = new SandboxBed(process.argv[2] ?? 'native');
try {
  const { exitCode } = await bed.run('sleep 5', { onStart: (command) => command.send('SIGTERM') });
  process.stdout.write(`exit code ${exitCode}\n`);
} finally {
  bed.remove();
}
