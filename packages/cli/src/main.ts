import { isatty } from 'node:tty';
import { runCli } from './cli.ts';
import type { CommandContext } from './command-context.ts';
import { endingSignals } from './interrupted.ts';
import { Interruption } from './interruption.ts';
import { wantsColors } from './terminal/colors.ts';

// `process` is the global one throughout: importing `node:process` would open all three standard streams.
const interruption = new Interruption((code) => process.exit(code));
for (const signal of endingSignals) process.on(signal, () => interruption.receive(signal));

// `boxwright images | head -1`: the reader has gone. Said by the exit code only, as by programs that SIGPIPE ends.
const brokenPipe = 128 + 13;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(brokenPipe);
  throw error;
});

const context: CommandContext = {
  env: process.env,
  cwd: process.cwd(),
  stdin: { isTTY: isatty(0), open: () => process.stdin },
  stdout: process.stdout,
  openStdout: () => process.stdout,
  stderr: process.stderr,
  signal: interruption.signal,
  onSecondSignal: (handle) => interruption.onSecond(handle),
  ownsProcess: true,
  colors: wantsColors(process.env, isatty(2)),
  setExitCode: (code) => {
    process.exitCode = code;
  },
};

// What Node itself says of a program that ends while something is waited for: never a success.
process.exitCode = 13;
void runCli(process.argv.slice(2), context).then((code) => {
  process.exitCode = code;
});
