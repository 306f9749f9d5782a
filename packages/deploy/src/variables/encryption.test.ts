import { randomBytes } from 'node:crypto';
import { BoxwrightError } from '@boxwright/errors';
import { describe, expect, it } from 'vitest';
import { decryptVariables, encryptVariables, isEncrypted, type VariablesKey } from './encryption.ts';

const text = 'variables: {a: "ü 😀"}\n';
const passphrase: VariablesKey = { kind: 'passphrase', passphrase: 'caf\u00e9 secret' };
const key: VariablesKey = { kind: 'key', key: randomBytes(32) };

async function code(encrypted: string, with_: VariablesKey): Promise<string> {
  try {
    await decryptVariables(encrypted, with_, 'file');
  } catch (error) {
    if (error instanceof BoxwrightError) return error.code;
    throw error;
  }
  return 'none';
}

function changed(encrypted: string, change: (document: Record<string, unknown>) => void): string {
  const document: Record<string, unknown> = JSON.parse(encrypted);
  change(document);
  return JSON.stringify(document);
}

describe('encryptVariables', () => {
  it('gives back with a key what was put in, and never the same twice', async () => {
    const one = await encryptVariables(text, key);
    expect(isEncrypted(one)).toBe(true);
    expect(one).not.toContain('variables:');
    expect(one).not.toBe(await encryptVariables(text, key));
    expect(await decryptVariables(one, key, 'file')).toBe(text);
    expect(
      await decryptVariables(
        changed(one, () => {}),
        key,
        'file',
      ),
    ).toBe(text);
  });

  it('gives back with a passphrase, however its accents are typed', async () => {
    const one = await encryptVariables(text, passphrase);
    expect(await decryptVariables(one, { kind: 'passphrase', passphrase: 'cafe\u0301 secret' }, 'file')).toBe(text);
    expect(await code(one, { kind: 'passphrase', passphrase: 'other' })).toBe('VARIABLES_LOCKED');
    expect(await code(one, key)).toBe('VARIABLES_LOCKED');
  });

  it('opens nothing that was changed, or with another key', async () => {
    const one = await encryptVariables(text, key);
    expect(await code(one, { kind: 'key', key: randomBytes(32) })).toBe('VARIABLES_LOCKED');
    expect(await code(one, { kind: 'key', key: randomBytes(16) })).toBe('VARIABLES_LOCKED');
    expect(await code(one, passphrase)).toBe('VARIABLES_LOCKED');
    const flipped = changed(one, (document) => {
      const data = Buffer.from(String(document['data']), 'base64');
      data[0] = (data[0] ?? 0) ^ 1;
      document['data'] = data.toString('base64');
    });
    expect(await code(flipped, key)).toBe('VARIABLES_LOCKED');
    const otherNonce = changed(one, (document) => {
      document['nonce'] = randomBytes(12).toString('base64');
    });
    expect(await code(otherNonce, key)).toBe('VARIABLES_LOCKED');
  });

  it('refuses files that ask for too much, or are none', async () => {
    const one = await encryptVariables(text, key);
    const salt = randomBytes(16).toString('base64');
    for (const kdf of [
      { name: 'scrypt', n: 2 ** 20, r: 32, p: 1, salt },
      { name: 'scrypt', n: 2 ** 30, r: 8, p: 1, salt },
      { name: 'scrypt', n: 65537, r: 8, p: 1, salt },
      { name: 'scrypt', n: 65536, r: 8, p: 1, salt: '' },
      { name: 'scrypt', n: Number.POSITIVE_INFINITY, r: 8, p: 1, salt },
      { name: 'other' },
      null,
    ]) {
      const hostile = changed(one, (document) => {
        document['kdf'] = kdf;
      });
      expect(await code(hostile, passphrase)).toBe('VARIABLES_INVALID');
    }
    for (const member of ['version', 'cipher', 'nonce', 'data']) {
      const without = changed(one, (document) => {
        delete document[member];
      });
      expect(await code(without, key)).toBe('VARIABLES_INVALID');
    }
    expect(await code(one.slice(0, -20), key)).toBe('VARIABLES_INVALID');
    expect(isEncrypted(one.slice(0, 60))).toBe(true);
    expect(isEncrypted('variables: {}')).toBe(false);
  });
});
