import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { arch, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CallList } from './call-list.ts';
import { LIST_ADDRESS, machineCode } from './machine-code.ts';
import { initProgram, probeProgram } from './program.ts';
import { initArchitecture } from './server.ts';
import { LIST_FD, STATUS_FD } from './supervise.ts';

const architecture = initArchitecture();
const runnable = platform() === 'linux' && architecture !== undefined;

describe.skipIf(!runnable)(
  `the init${runnable ? '' : ` (needs Linux on x64 or arm64, this is ${platform()} ${arch()})`}`,
  () => {
    let directory: string;

    beforeAll(() => {
      directory = mkdtempSync(join(tmpdir(), 'boxwright-init-'));
      writeFileSync(join(directory, 'init'), initProgram(arch()) ?? '', { mode: 0o755 });
      writeFileSync(join(directory, 'probe'), probeProgram(arch()) ?? '', { mode: 0o755 });
    });
    afterAll(() => rmSync(directory, { recursive: true }));

    const newList = (): CallList => new CallList(architecture ?? 'x64');

    function run(
      list: CallList,
      stdin = '',
    ): { status: number | null; signal: string | null; stdout: string; message: Buffer } {
      writeFileSync(join(directory, 'list'), list.encode());
      const messages = openSync(join(directory, 'messages'), 'w');
      const input = openSync(join(directory, 'list'), 'r');
      const stdio = ['pipe', 'pipe', 'pipe', messages, input] as const;
      const { status, signal, stdout } = spawnSync(join(directory, 'init'), {
        stdio: [...stdio],
        encoding: 'utf8',
        input: stdin,
      });
      closeSync(messages);
      closeSync(input);
      return { status, signal, stdout, message: readFileSync(join(directory, 'messages')) };
    }

    it('makes the calls in order, with strings and arrays', () => {
      const list = newList();
      const bytes = Buffer.from('first ');
      list.call('write', 'write', 1, list.memory(bytes), bytes.length);
      list.call(
        'run',
        'execve',
        '/bin/sh',
        list.stringArray(['sh', '-c', 'echo $0 $A', 'ü']),
        list.stringArray(['A=b c']),
      );
      expect(run(list)).toMatchObject({ status: 0, stdout: 'first ü b c\n' });
    });

    it('reports the call that failed, and passes over those that may fail', () => {
      const list = newList();
      list.tryCall('try', 'chdir', '/nonexistent');
      list.call('go there', 'chdir', '/nonexistent/either');
      list.call('end', 'exit_group', 0);
      const { status, message } = run(list);
      expect(status).toBe(125);
      const failed = list.failedCall(message.readBigInt64LE(0), message.readBigUInt64LE(8));
      expect(failed).toEqual({ call: 'chdir', purpose: 'go there', errno: 2 });
    });

    it('sends the child on and the parent to the label, and keeps results', () => {
      const list = newList();
      const result = list.fork('fork', 'parent').lastResult(9n);
      list.call('child says', 'write', 1, 'child\n', 6);
      list.call('child ends', 'exit_group', 7);
      list.label('parent');
      const status = list.memory(Buffer.alloc(16));
      list.call('wait', 'wait4', -1, status);
      list.call('tell', 'write', STATUS_FD, result, 16);
      list.call('tell', 'write', STATUS_FD, status, 16);
      list.call('end', 'exit_group', 3);
      const ended = run(list);
      expect(ended).toMatchObject({ status: 3, stdout: 'child\n' });
      expect(ended.message.readBigInt64LE(0)).toBeGreaterThan(1n);
      expect(ended.message.readBigInt64LE(8)).toBe(9n);
      expect(ended.message.readUInt32LE(16) >> 8).toBe(7);
    });

    it('passes six arguments and 64-bit values', () => {
      const list = newList();
      // prctl(PR_CAPBSET_READ, 2^40) is EINVAL; cut to 32 bits it would be 0, a valid capability.
      list.call('wide', 'prctl', 23, 2 ** 40);
      const { message } = run(list);
      expect(list.failedCall(message.readBigInt64LE(0), message.readBigUInt64LE(8))?.errno).toBe(22);
    });

    it('can go back and make calls again', () => {
      const list = newList();
      const seen = list.memory(Buffer.alloc(16));
      list.label('again');
      list.callAndJump('read', 'more', 'read', 0, seen, 1);
      list.call('end', 'exit_group', 4);
      list.label('more');
      list.call('write', 'write', 1, seen, 1);
      list.callAndJump('back', 'again', 'getpid');
      expect(run(list, 'three')).toMatchObject({ status: 4, stdout: 'three' });
    });

    it('has a probe that succeeds', () => {
      expect(spawnSync(join(directory, 'probe')).status).toBe(0);
    });

    it('knows its descriptors', () => {
      expect([STATUS_FD, LIST_FD]).toEqual([3, 4]); // as the machine code says
    });
  },
);

describe('CallList', () => {
  it('puts numbers, negative ones too, and addresses into records', () => {
    const list = new CallList('x64');
    list.call('a', 'mkdirat', -100, 'x', 0o755);
    const bytes = list.encode();
    expect(bytes.readBigUInt64LE(0)).toBe(258n);
    expect(bytes.readBigInt64LE(8)).toBe(-100n);
    const address = Number(bytes.readBigUInt64LE(16)) - LIST_ADDRESS;
    expect(bytes.toString('utf8', address, address + 2)).toBe('x\0');
    expect(bytes.readBigUInt64LE(24)).toBe(0o755n);
  });

  it('has a 16-byte aligned place for everything', () => {
    const list = new CallList('arm64');
    expect([1, 16, 17].map((size) => list.memory(Buffer.alloc(size)).address % 16)).toEqual([0, 0, 0]);
  });

  it('refuses what does not fit', () => {
    const list = new CallList('x64');
    list.memory(Buffer.alloc(16 << 20));
    expect(() => list.encode()).toThrow(expect.objectContaining({ code: 'SANDBOX_COMMAND_TOO_LONG' }) as Error);
  });
});

describe('machineCode', () => {
  it('has every byte of its listing', () => {
    expect(machineCode('x64')?.init.length).toBe(142);
    expect(machineCode('arm64')?.init.length).toBe(29 * 4);
    expect(machineCode('mips')).toBeUndefined();
    expect(initProgram('s390x')).toBeUndefined();
  });
});
