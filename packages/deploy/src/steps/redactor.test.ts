import { describe, expect, it } from 'vitest';
import { Redactor } from './redactor.ts';

describe('Redactor', () => {
  it('hides a secret in all its forms', () => {
    const redactor = new Redactor();
    redactor.addLogin('ann', 'correct "horse"');
    const base64 = Buffer.from('ann:correct "horse"').toString('base64');
    expect(redactor.redact(`a correct "horse" b ${encodeURIComponent('correct "horse"')} c ${base64}`)).toBe(
      'a *** b *** c ***==',
    );
    expect(redactor.redact(JSON.stringify({ p: 'correct "horse"' }))).toBe('{"p":"***"}');
    expect(redactor.redact('ann')).toBe('ann');
  });

  it('hides the longer one first, each line of a key, and nothing tiny', () => {
    const redactor = new Redactor();
    redactor.add('abcd');
    redactor.add('abcdefgh');
    redactor.add('-----BEGIN\nMIIEfirst\nMIIEsecond');
    redactor.add('x');
    redactor.add('');
    expect(redactor.redact('abcdefgh abcd x')).toBe('*** *** x');
    expect(redactor.redact('log: MIIEsecond')).toBe('log: ***');
  });

  it('knows what has the name of a secret', () => {
    const redactor = new Redactor();
    redactor.addNamed({
      credentials: { username: 'annette', password: 'horse1', registry_url: 'example.com' },
      build_args: { NPM_TOKEN: 'token1', MODE: 'production' },
    });
    expect(redactor.redact('annette horse1 example.com token1 production')).toBe(
      'annette *** example.com *** production',
    );
  });

  it('leaves a value whole whose JSON is a secret by itself', () => {
    const redactor = new Redactor();
    const credentials = { username: 'annette', password: 'horse1', pin: 123456 };
    redactor.add(JSON.stringify(credentials));
    redactor.add('horse1');
    redactor.add('123456');
    expect(redactor.redactValue({ credentials, list: ['a horse1', 7, null, true], horse1: 1 })).toEqual({
      credentials: { username: 'annette', password: '***', pin: '***' },
      list: ['a ***', 7, null, true],
      '***': 1,
    });
  });
});
