import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { eventually } from './leftovers.ts';

/** An SSH agent with one key that nobody else has. */
export interface SshAgent {
  readonly socket: string;
  /** `SHA256:…` of its key. */
  readonly fingerprint: string;
}

/** Starts an agent for one test; it ends with this process at the latest. @param socket where; the key is written beside it */
export async function sshAgent(socket: string): Promise<SshAgent> {
  const agent = spawn('setpriv', ['--pdeathsig=KILL', 'ssh-agent', '-D', '-a', socket], { stdio: 'ignore' });
  const ended = new Promise((fulfil) => agent.once('close', fulfil));
  onTestFinished(async () => {
    agent.kill('SIGKILL');
    await ended;
  });
  if (!(await eventually(() => existsSync(socket)))) throw new Error('ssh-agent did not start');
  const key = `${socket}.key`;
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  execFileSync('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  const [, fingerprint = ''] = execFileSync('ssh-keygen', ['-lf', key]).toString().split(' ');
  return { socket, fingerprint };
}
