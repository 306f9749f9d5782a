import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** A signal came: everything cleans up and ends, nothing is said. */
export class Stopped extends Error {
  /** @param {'SIGINT' | 'SIGTERM' | 'SIGHUP'} signal */
  constructor(signal) {
    super(`stopped by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
/** @type {'SIGINT' | 'SIGTERM' | 'SIGHUP' | undefined} */
let stopped;

/** Hands ending signals to the children, which know how to clean up, and waits for them instead of dying at once. */
export function handleSignals() {
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      stopped ??= signal;
      for (const child of running) child.kill(signal);
    });
  }
}

/** @throws Stopped once a signal has come */
export function throwIfStopped() {
  if (stopped !== undefined) throw new Stopped(stopped);
}

/**
 * Starts a program; `ended` resolves with its exit code.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 */
export function start(program, args, options) {
  throwIfStopped();
  const child = spawn(program, args, options);
  running.add(child);
  /** @type {Promise<number>} */
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  }).finally(() => running.delete(child));
  // Whoever waits sees the failure.
  ended.catch(() => {});
  return { child, ended };
}
