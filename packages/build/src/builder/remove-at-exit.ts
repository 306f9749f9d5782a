import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What has to go when the process does. */
const paths = new Set<string>();

/** Removes the file or directory when the process ends, by exit or signal, unless it is removed before: call the result. */
export function removeAtExit(path: string): () => void {
  if (paths.size === 0) watch();
  paths.add(path);
  return () => {
    removeTree(path);
    paths.delete(path);
    if (paths.size === 0) unwatch();
  };
}

/** Removes whatever is there, also what lies in directories that may not be written to. */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    makeWritable(path);
    rmSync(path, { recursive: true, force: true });
  }
}

function makeWritable(directory: string): void {
  if (!lstatSync(directory, { throwIfNoEntry: false })?.isDirectory()) return;
  chmodSync(directory, 0o700);
  for (const name of readdirSync(directory)) makeWritable(join(directory, name));
}

function removeAll(): void {
  for (const path of paths) {
    try {
      removeTree(path);
    } catch {
      // The process ends: nobody is left to be told.
    }
  }
}

/** A signal that nobody else waits for ends the process, as it would without us. */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  removeAll();
  unwatch();
  process.kill(process.pid, signal);
}

function watch(): void {
  process.on('exit', removeAll);
  for (const signal of endingSignals) process.on(signal, onSignal);
}

function unwatch(): void {
  process.off('exit', removeAll);
  for (const signal of endingSignals) process.off(signal, onSignal);
}
