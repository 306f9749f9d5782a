import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BoxwrightError } from '@boxwright/errors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveNode, StepOutputs } from '../template/index.ts';
import { LocatedError, parseYaml, plainValue } from '../yaml/index.ts';
import { createResolver, keepUnknown, withOutputs } from './create-resolver.ts';
import { encryptVariables } from './encryption.ts';
import { type Environment, environmentSource } from './environment-source.ts';
import { loadSources } from './load-sources.ts';
import type { VariableSource } from './variable-source.ts';
import { parseVariables } from './variables-document.ts';

const credentials = 'prefect.blocks.docker-registry-credentials.dev-registry';

interface Setting {
  readonly env?: Environment;
  readonly sources?: readonly VariableSource[];
}

async function resolved(text: string, setting: Setting, secrets: string[] = []): Promise<unknown> {
  const env = setting.env ?? {};
  const resolver = createResolver({
    outputs: new StepOutputs(),
    env,
    sources: setting.sources ?? [environmentSource(env)],
  });
  const node = parseYaml(JSON.stringify(text), 'a.yaml');
  if (node === undefined) throw new Error('nothing is written');
  const made = await resolveNode(node, resolver, {
    onSecret: (secret) => {
      secrets.push(secret);
    },
  });
  return JSON.parse(JSON.stringify(plainValue(made)));
}

async function fault(run: () => Promise<unknown>): Promise<BoxwrightError> {
  const error: unknown = await run().catch((caught: unknown) => caught);
  if (error instanceof BoxwrightError) return error;
  throw new Error('no fault was found', { cause: error });
}

describe('the environment', () => {
  it('has variables, blocks as JSON, and their fields', async () => {
    const env = {
      BOXWRIGHT_VARIABLE_BASE_TAG: '1.10',
      BOXWRIGHT_BLOCK_DOCKER_REGISTRY_CREDENTIALS__DEV_REGISTRY: '{"username": "me", "password": "old"}',
      BOXWRIGHT_BLOCK_DOCKER_REGISTRY_CREDENTIALS__DEV_REGISTRY__PASSWORD: 'new',
      BOXWRIGHT_BLOCK_SECRET__NPM: 'token',
    };
    expect(await resolved('{{ prefect.variables.base_tag }}', { env })).toBe('1.10');
    const secrets: string[] = [];
    expect(await resolved(`{{ ${credentials} }}`, { env }, secrets)).toEqual({ username: 'me', password: 'new' });
    expect(secrets).toEqual(['new']);
    expect(await resolved(`{{ ${credentials}.username }}`, { env })).toBe('me');
    expect(await resolved('{{ prefect.blocks.secret.npm }}', { env }, secrets)).toBe('token');
    expect(await resolved('{{ prefect.blocks.secret.npm.value }}', { env })).toBe('token');
    expect(secrets).toEqual(['new', 'token']);
  });

  it('gives variables of its own, and hides those with names of secrets', async () => {
    const secrets: string[] = [];
    const env = { A: '{{ $B }}', NPM_TOKEN: 's3cret', EMPTY: '' };
    expect(await resolved('{{ $A }}{{ $NPM_TOKEN }}{{ $EMPTY }}', { env }, secrets)).toBe('{{ $B }}s3cret');
    expect(secrets).toEqual(['s3cret']);
    const error = await fault(() => resolved('{{ $NPM_TOKN }}', { env }));
    expect(error).toMatchObject({ code: 'TEMPLATE_UNKNOWN', hint: 'Did you mean NPM_TOKEN?' });
    expect((await fault(() => resolved('{{ $toString }}', { env }))).code).toBe('TEMPLATE_UNKNOWN');
  });

  it('shows nothing of a block that is no JSON', async () => {
    const env = { BOXWRIGHT_BLOCK_X__Y: '{"password": s3cret' };
    const error = await fault(() => resolved('{{ prefect.blocks.x.y }}', { env }));
    expect(error).toBeInstanceOf(LocatedError);
    expect(error.code).toBe('VARIABLES_INVALID');
    expect(`${error.message} ${error.hint} ${JSON.stringify(error.details)}`).not.toContain('s3cret');
  });
});

describe('a file of variables', () => {
  const text = `
variables: {tag: 1.10, list: [1], json: {key: v}}
blocks:
  docker-registry-credentials:
    dev-registry: {username: me, password: 1.10, registry_url: localhost:5000}
  json:
    settings: {value: {key: 1}}
  secret: {token: abc}
`;
  const sources = [parseVariables(text, 'boxwright.variables.yaml')];

  it.each<[string, unknown]>([
    ['prefect.variables.tag', '1.10'],
    ['prefect.variables.list', [1]],
    ['prefect.blocks.json.settings', { key: 1 }],
    ['prefect.blocks.json.settings.key', 1],
    ['prefect.blocks.json.settings.value.key', 1],
    ['prefect.blocks.secret.token', 'abc'],
    [`${credentials}.password`, '1.10'],
  ])('%s', async (name, value) => {
    expect(await resolved(`{{ ${name} }}`, { sources })).toEqual(value);
  });

  it('says what is not there, and where it was looked for', async () => {
    const block = await fault(() => resolved('{{ prefect.blocks.secret.toke }}', { sources }));
    expect(block.message).toContain("Block not found: 'toke' of type 'secret'");
    expect(block.hint).toBe('Did you mean token?');
    const none = await fault(() => resolved('{{ prefect.blocks.other.x }}', { sources }));
    expect(none.hint).toContain('boxwright.variables.yaml');
    expect(none.hint).toContain('BOXWRIGHT_BLOCK_OTHER__X');
    const path = await fault(() => resolved(`{{ ${credentials}.passwort }}`, { sources }));
    expect(path.message).toContain('Could not resolve the keypath in the block document data.');
    expect(path.hint).toContain('registry_url');
    const variable = await fault(() => resolved('{{ prefect.variables.tags }}', { sources }));
    expect(variable).toMatchObject({ code: 'TEMPLATE_UNKNOWN', hint: 'Did you mean tag?' });
    expect((await fault(() => resolved('{{ prefect.variables.json.key }}', { sources }))).code).toBe(
      'TEMPLATE_UNKNOWN',
    );
  });

  it.each([
    ['secrets: {a: s3cret}', 'VARIABLES_INVALID'],
    ['blocks: [s3cret]', 'VARIABLES_INVALID'],
    ['blocks: {a: s3cret}', 'VARIABLES_INVALID'],
    ['blocks: {a: {b: s3cret, b: s3cret}}', 'YAML_SYNTAX'],
    ['variables:\n\tpassword: s3cret', 'YAML_SYNTAX'],
  ])('refuses %j without showing it', async (wrong, code) => {
    const error = await fault(async () => parseVariables(wrong, 'v.yaml'));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/^v\.yaml:\d+:\d+: /);
    expect('frame' in error).toBe(false);
    expect(`${error.stack} ${String(error.cause)} ${error.hint}`).not.toContain('s3cret');
  });
});

describe('createResolver', () => {
  it('asks the sources in their order, and each once', async () => {
    const asked: string[] = [];
    const source = (description: string, value: string | undefined): VariableSource => ({
      description,
      variable: async () => {
        asked.push(description);
        return value;
      },
      block: async () => undefined,
      names: () => ({ variables: [], blocks: [] }),
    });
    const sources = [source('one', undefined), source('two', 'b'), source('three', 'c')];
    expect(await resolved('{{ prefect.variables.x }}{{ prefect.variables.x }}', { sources })).toBe('bb');
    expect(asked).toEqual(['one', 'two']);
  });

  it('keeps what is for the worker, and for pull steps what nobody knows', async () => {
    const base = createResolver({ outputs: new StepOutputs(), env: { A: 'a' }, sources: [] });
    const outputs = new StepOutputs();
    outputs.add('b', { tag: 't' });
    const node = parseYaml('x: "{{ ctx.flow.id }} {{ b.tag }} {{ $A }}"', 'a.yaml');
    const pull = parseYaml(
      'x: ["{{ no.tag }}", "{{ prefect.blocks.a.b }}", "{{ prefect.variables.x }}", "{{ $N }}"]',
      'a.yaml',
    );
    if (!node || !pull) throw new Error('nothing is written');
    const resolver = withOutputs(base, outputs);
    expect(plainValue(await resolveNode(node, resolver))).toEqual({ x: '{{ ctx.flow.id }} t a' });
    expect(plainValue(await resolveNode(pull, keepUnknown(resolver)))).toEqual(plainValue(pull));
  });
});

describe('loadSources', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'boxwright-variables-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it('finds the file beside the project, plain or encrypted', async () => {
    expect((await loadSources({ directory, env: {} })).map(({ description }) => description)).toEqual([
      'the environment',
    ]);
    const path = join(directory, 'boxwright.variables.yaml');
    writeFileSync(path, 'variables: {a: plain}');
    expect(await resolved('{{ prefect.variables.a }}', { sources: await loadSources({ directory, env: {} }) })).toBe(
      'plain',
    );
    const key = Buffer.alloc(32, 7);
    writeFileSync(path, await encryptVariables('variables: {a: locked}', { kind: 'key', key }));
    expect((await fault(() => loadSources({ directory, env: {} }))).code).toBe('VARIABLES_LOCKED');
    for (const encoding of ['hex', 'base64'] as const) {
      const env = { BOXWRIGHT_VARIABLES_KEY: key.toString(encoding) };
      const sources = await loadSources({ directory, env });
      expect(await resolved('{{ prefect.variables.a }}', { sources })).toBe('locked');
    }
    const short = { BOXWRIGHT_VARIABLES_KEY: 'abcd' };
    expect((await fault(() => loadSources({ directory, env: short }))).code).toBe('VARIABLES_LOCKED');
  });

  it('takes a passphrase from a file', async () => {
    writeFileSync(join(directory, 'passphrase'), 'horse\n');
    const locked = await encryptVariables('variables: {a: 1}', { kind: 'passphrase', passphrase: 'horse' });
    writeFileSync(join(directory, 'v'), locked);
    const env = {
      BOXWRIGHT_VARIABLES_FILE: join(directory, 'v'),
      BOXWRIGHT_VARIABLES_PASSPHRASE_FILE: join(directory, 'passphrase'),
    };
    expect(await resolved('{{ prefect.variables.a }}', { sources: await loadSources({ directory, env }) })).toBe(1);
  });

  it('misses a file that was named', async () => {
    const env = { BOXWRIGHT_VARIABLES_FILE: join(directory, 'none') };
    expect((await fault(() => loadSources({ directory, env }))).code).toBe('VARIABLES_NOT_FOUND');
  });
});
