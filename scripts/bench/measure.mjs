import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Runs a command to its end and returns its wall time and the peak memory of its largest process.
 *
 * @param {readonly string[]} command
 * @param {{ env?: NodeJS.ProcessEnv, input?: string }} [options]
 * @returns {Promise<{ seconds: number, peakMegabytes: number }>}
 */
export function measure(command, options = {}) {
  return new Promise((fulfil, reject) => {
    const [program = '', ...args] = command;
    const started = process.hrtime.bigint();
    const child = spawn(program, args, { env: options.env ?? process.env, stdio: ['pipe', 'pipe', 'pipe'] });
    /** @type {Buffer[]} */
    const output = [];
    let peak = 0;
    const sampler = setInterval(() => {
      peak = Math.max(peak, peakOfTree(child.pid));
    }, 20);
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    child.once('error', reject);
    child.once('close', (code) => {
      clearInterval(sampler);
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      if (code === 0) fulfil({ seconds, peakMegabytes: peak / 1000 });
      else
        reject(new Error(`${command.join(' ')}\nexit code ${code}\n${Buffer.concat(output).toString().slice(-4000)}`));
    });
  });
}

/** Highest resident size that a process below `pid` has had so far, in kB. @param {number | undefined} pid @returns {number} */
function peakOfTree(pid) {
  if (pid === undefined) return 0;
  let peak = 0;
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    peak = Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1] ?? 0);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    for (const child of children === '' ? [] : children.split(' ')) peak = Math.max(peak, peakOfTree(Number(child)));
  } catch {
    // It has ended.
  }
  return peak;
}

/** @param {readonly number[]} values @returns {number} */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
