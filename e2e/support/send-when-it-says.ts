import type { ChildProcess } from 'node:child_process';

/** Sends a signal to a command once it has printed a text. */
export function sendWhenItSays(
  child: ChildProcess,
  stream: 'stdout' | 'stderr',
  text: string,
  signal: NodeJS.Signals,
): void {
  let said = '';
  const listen = (chunk: Buffer): void => {
    said += chunk.toString();
    if (!said.includes(text)) return;
    child[stream]?.off('data', listen);
    child.kill(signal);
  };
  child[stream]?.on('data', listen);
}
