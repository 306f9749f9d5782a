import { type Stats, statSync } from 'node:fs';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';

/** Where `--ssh` values lead, by id: `default` is the agent of SSH_AUTH_SOCK, `ID=PATH` a socket, or a file with a key. */
export interface SshSource {
  /** Sockets of agents. */
  readonly agents: ReadonlyMap<string, string>;
  /** Ids of files with keys. */
  readonly keys: readonly string[];
}

/**
 * Looks whether everything is there before a build begins: builders say it in the middle, or not at all.
 *
 * @param ssh values of `--ssh`: `ID`, or `ID=PATH[,PATH…]`
 * @throws BoxwrightError SSH_AGENT_NOT_FOUND
 */
export function sshSources(ssh: readonly string[], env: Readonly<Record<string, string | undefined>>): SshSource {
  const agents = new Map<string, string>();
  const keys: string[] = [];
  for (const text of ssh) {
    const at = text.indexOf('=');
    const id = at < 0 ? text : text.slice(0, at);
    for (const path of at < 0 ? [env['SSH_AUTH_SOCK'] ?? ''] : text.slice(at + 1).split(',')) {
      if (found(text, path).isSocket()) agents.set(id, path);
      else keys.push(id);
    }
  }
  return { agents, keys };
}

function found(text: string, path: string): Stats {
  const stats = path === '' ? undefined : statSync(path, { throwIfNoEntry: false });
  if (stats !== undefined) return stats;
  const why = path === '' ? 'SSH_AUTH_SOCK is not set' : `there is no ${escapeForTerminal(path)}`;
  throw new BoxwrightError('SSH_AGENT_NOT_FOUND', `--ssh ${escapeForTerminal(text)}: ${why}`, {
    hint: 'start an agent (eval "$(ssh-agent)") and ssh-add the key, or give its socket: --ssh ID=SOCKET',
  });
}
