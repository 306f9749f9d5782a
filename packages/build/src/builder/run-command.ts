import { pythonRepr } from './python-repr.ts';

/**
 * Prefect's `to_run_command`: a RUN instruction of a list of arguments, the first as it is, the others as Python writes
 * text. An empty list gives an empty line. The result equals Prefect's, faults included: this is not how a shell quotes
 * (an argument with `'` in it breaks). `execLine('RUN', command)`, or `builder.run([...])`, has no such limits.
 */
export function toRunCommand(command: readonly string[]): string {
  const [program, ...args] = command;
  return program === undefined ? '' : ['RUN', program, ...args.map(pythonRepr)].join(' ');
}
