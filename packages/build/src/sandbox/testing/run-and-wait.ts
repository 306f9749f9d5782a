import { SandboxBed } from './bed.ts';

// Run as a process of its own, to be killed: starts a command that does not end and does all to survive.
const [tier = 'native', marker = '4242'] = process.argv.slice(2);
const bed = new SandboxBed(tier);
process.stdout.write(`${bed.directory}\n`);
const stubborn = `trap "" TERM INT HUP; setsid sleep ${marker} & (sleep ${marker} &) ; echo started; sleep ${marker}; sleep ${marker}`;
await bed.run(stubborn, { onOutput: (_stream, chunk) => void process.stdout.write(chunk) });
