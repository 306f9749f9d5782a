import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { temporaryDirectories } from '@boxwright/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sshSources } from './ssh-agents.ts';

const temporary = temporaryDirectories();

describe('sshSources', () => {
  it('tells agents from keys', async () => {
    const directory = temporary();
    const [socket, key] = [join(directory, 's'), join(directory, 'k')];
    const server = createServer().listen(socket);
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    writeFileSync(key, '');
    const found = sshSources(['default', `a=${socket}`, `b=${key}`], { SSH_AUTH_SOCK: socket });
    expect(found).toEqual({
      agents: new Map([
        ['default', socket],
        ['a', socket],
      ]),
      keys: ['b'],
    });
  });

  it.each([
    ['default', /SSH_AUTH_SOCK is not set/],
    ['a=/no/where', /no \/no\/where/],
  ])('%s: says what is missing', (text, why) => {
    expect(() => sshSources([text], {})).toThrowError(
      expect.objectContaining({ code: 'SSH_AGENT_NOT_FOUND', message: expect.stringMatching(why) }),
    );
  });
});
