import { describe, expect, it } from 'vitest';
import { LocatedError } from './located-error.ts';
import { parseYaml } from './parse-yaml.ts';
import { isSecretName, withoutSecrets } from './secret-name.ts';

describe('secrets in files', () => {
  it.each<[string, boolean]>([
    ['password', true],
    ['NPM_TOKEN', true],
    ['registry_password', true],
    ['api_key', true],
    ['registry_url', false],
    ['username', false],
    ['tag', false],
    ['author', false],
  ])('%s: %s', (name, expected) => {
    expect(isSecretName(name)).toBe(expected);
  });

  it.each<[string, string]>([
    ['  password: hunter2, and more', '  password: *****************'],
    ["{username: ann, 'password': hunter2, x: y}", "{username: ann, 'password': *******, x: y}"],
    ['token: "a\\"b" # note', 'token: ****** # note'],
    ["token: 'never closed", 'token: *************'],
    ['script: curl --header Authorization=abc', 'script: curl --header Authorization=***'],
    ['credentials: "{{ prefect.blocks.x.y }}"', 'credentials: "{{ prefect.blocks.x.y }}"'],
    ['credentials: {username: ann}', 'credentials: {username: ann}'],
    ['password:', 'password:'],
    ['image_name: a/b:1', 'image_name: a/b:1'],
  ])('%s is shown as %s', (line, shown) => {
    expect(withoutSecrets(line)).toBe(shown);
    expect(withoutSecrets(shown)).toHaveLength(line.length);
  });

  it('takes no longer than a line is long', () => {
    const line = 'token'.repeat(200_000);
    expect(withoutSecrets(line)).toBe(line);
  });

  it('are not shown by the error of a line that holds one', () => {
    const text = 'credentials: {password: hunter2}\ncredentials: {password: hunter3, x: y}\n';
    let error: unknown;
    try {
      parseYaml(text, 'file.yaml');
    } catch (thrown) {
      error = thrown;
    }
    if (!(error instanceof LocatedError)) throw new Error('nothing was thrown');
    expect(error.frame).not.toMatch(/hunter/);
    expect(error.frame).toContain('2 | >>> credentials: {password: *******, x: y}');
  });
});
