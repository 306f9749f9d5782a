import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BoxwrightError } from '@boxwright/errors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocatedError, plainValue } from '../yaml/index.ts';
import type { Project } from './project.ts';
import { findProjectFile, parseProject, readProject } from './read-project.ts';

function parse(text: string): Project {
  return parseProject(text, { file: 'prefect.yaml', directory: '/project' });
}

function fault(text: string): LocatedError {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof LocatedError) return error;
    throw error;
  }
  throw new Error('no fault was found');
}

const top = `
build: [{a: {}}]
push: [{b: {}}]
pull: [{c: {}}]
deployments:
  - `;

describe('sections', () => {
  it.each([
    ['name: x', ['project a', 'project b', 'project c']],
    // Prefect takes the push steps at the top for all of these.
    ['{build: null, push: null, pull: null}', ['deployment ', 'deployment ', 'project c']],
    ['{build: [], push: [], pull: []}', ['deployment ', 'deployment ', 'deployment ']],
    ['{build: {}, push: {}, pull: {}}', ['deployment ', 'deployment ', 'project c']],
    ['{build: [{d: }], push: {e: {x: 1}}}', ['deployment d', 'deployment e', 'project c']],
    ['{build: [null, {}, {d: {}}, {e: {}}]}', ['deployment d,e', 'project b', 'project c']],
  ])('%s', (deployment, expected) => {
    const [first] = parse(top + deployment).deployments;
    const sections = first ? [first.build, first.push, first.pull] : [];
    expect(sections.map(({ origin, steps }) => `${origin} ${steps.map(({ name }) => name.value).join(',')}`)).toEqual(
      expected,
    );
  });

  it('are none where nobody has them', () => {
    expect(parse('deployments: [{name: a}]').deployments[0]?.build).toMatchObject({ origin: 'none', steps: [] });
    expect(parse('build:').build).toMatchObject({ origin: 'project', steps: [] });
  });
});

describe('steps', () => {
  it('have name, inputs, id and requires with their places', () => {
    const [step] = parse('build:\n  - a.b:\n      id: x-1\n      requires: [p>=1, q]\n      tag: 1.10\n').build.steps;
    expect(step).toMatchObject({
      name: { value: 'a.b', range: { start: { line: 2, column: 5 } } },
      id: { value: 'x-1', range: { start: { line: 3, column: 11 } } },
      requires: [{ value: 'p>=1' }, { value: 'q' }],
    });
    expect(step && Object.entries(Object(plainValue(step.inputs)))).toEqual([['tag', 1.1]]);
    expect(step?.inputs.entries.get('tag')?.value).toMatchObject({ text: '1.10' });
  });

  it.each([
    [
      'build:\n  - a.b:\n    id: x\n    tag: y',
      3,
      5,
      'Step has unexpected additional keys: id, tag',
      'indented further',
    ],
    ['build: [{a: {}, b: {}}]', 1, 17, 'Step has unexpected additional keys: b', 'item of its own'],
    ['build: [a.b]', 1, 9, 'a step is a mapping, not text', '- a.b: {}'],
    ['build: [[a]]', 1, 9, 'a step is a mapping', undefined],
    ['build: [{a: text}]', 1, 13, 'the inputs of a must be a mapping', 'name: value'],
    ['build: [{"": {}}]', 1, 9, 'a step without a name', undefined],
    ['build: [{a: {id: [1]}}]', 1, 18, 'the id of a step must be text', undefined],
    ['build: [{a: {requires: {b: 1}}}]', 1, 24, 'requires must be the name of a package', undefined],
  ])('%j', (text, line, column, reason, hint) => {
    const error = fault(text);
    expect(error).toMatchObject({ code: 'STEP_INVALID', details: { line, column } });
    expect(error.reason).toContain(reason);
    if (hint !== undefined) expect(error.hint).toContain(hint);
  });
});

describe('deployments', () => {
  it('have text where text is wanted, as it is written', () => {
    const { deployments, name } = parse(
      'name: 1.0\ndeployments:\n- {name: a, version: 1.10, flow_name: f, work_pool: {name: 2.50, work_queue_name: null}}',
    );
    expect(name?.value).toBe('1.0');
    expect(deployments[0]).toMatchObject({
      name: { value: 'a' },
      version: { value: '1.10' },
      flowName: { value: 'f' },
      workPool: { name: { value: '2.50' }, workQueueName: undefined, jobVariables: undefined },
      entrypoint: undefined,
    });
  });

  it('take schedule for schedules', () => {
    const [first] = parse('deployments: [{schedule: {cron: x}}]').deployments;
    expect(first?.schedules?.kind).toBe('mapping');
  });

  it.each([
    ['deployments: {name: a}', 'deployments must be a list, not a mapping'],
    ['deployments: [a]', 'a deployment must be a mapping'],
    ['deployments: [{tags: true}]', 'tags must be a list of texts, not true or false'],
    ['deployments: [{tags: [[a]]}]', 'tags must be a list of texts'],
    ['deployments: [{paused: maybe}]', 'paused must be true or false, not text'],
    ['deployments: [{name: [a]}]', 'name must be text, not a list'],
    ['deployments: [{name: true}]', 'name must be text, not true or false'],
    ['deployments: [{parameters: [a]}]', 'parameters must be a mapping, not a list'],
    ['deployments: [{concurrency_limit: 1.5}]', 'concurrency_limit must be a whole number'],
    ['deployments: [{work_pool: p}]', 'work_pool must be a mapping, not text'],
    ['deployments: [{work_pool: {job_variables: 1}}]', 'job_variables must be a mapping, not a number'],
    ['build: "{{ x }}"', 'build must be a list of steps, not text'],
    ['[]', 'a project file is a mapping'],
    ['text', 'a project file is a mapping'],
  ])('%s', (text, reason) => {
    expect(fault(text)).toMatchObject({ code: 'PROJECT_INVALID', reason: expect.stringContaining(reason) });
  });

  it('may have placeholders where other types are wanted', () => {
    const text = 'deployments: [{tags: "{{ a }}", paused: "{{ b }}", parameters: "{{ c }}"}]';
    expect(parse(text).warnings).toEqual([]);
  });
});

describe('warnings', () => {
  it.each([
    ['pusch: 1', 'a project file has no key pusch; it is ignored', 'Did you mean push?'],
    ['deployments: [{entrypiont: a}]', 'a deployment has no key entrypiont', 'Did you mean entrypoint?'],
    ['deployments: [{work_pool: {queue: a}}]', 'work_pool has no key queue', 'Known are name'],
    ['deployments: [{parameters: {a: yes}}]', 'yes is text in YAML 1.2', 'Write true'],
    ['deployments: [{parameters: {a: 0777}}]', '0777 is the number 777', '"0777"'],
    ['build: [{a: {id: a.b}}]', 'no placeholder can name the id a.b', 'Use letters'],
    ['build: [{a: {id: x}}, {b: {id: x}}]', 'the id x is that of another step, in line 1', undefined],
    ['build: [null, {a: {}}]', 'an empty step is left out', undefined],
    ['build: [{a: {tag: "{{ $TAG | x }}"}}]', '{{ $TAG | x }} is no placeholder', 'one name'],
    ['build: [{a: {tag: "{{ a.tag | x }}"}}]', '{{ a.tag | x }} is no placeholder', 'one name'],
  ])('%s', (text, message, hint) => {
    const { warnings } = parse(text);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.message).toContain(message);
    if (hint !== undefined) expect(warnings[0]?.hint).toContain(hint);
  });

  it.each([
    'x-mine: {a: 1}',
    'build: [{a: {script: "docker ps --format \'{{json .}} {{.Names}}\'"}}]',
    'a: &a "yes"\nx-b: *a',
  ])('none for %s', (text) => {
    expect(parse(text).warnings.filter(({ message }) => !message.includes('no key a'))).toEqual([]);
  });
});

describe('files', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'boxwright-project-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  function code(run: () => unknown): string {
    try {
      run();
    } catch (error) {
      if (error instanceof BoxwrightError) return error.code;
      throw error;
    }
    return 'none';
  }

  it('are found, ours first', () => {
    expect(code(() => findProjectFile(directory))).toBe('PROJECT_NOT_FOUND');
    writeFileSync(join(directory, 'prefect.yaml'), 'name: a');
    expect(findProjectFile(directory)).toBe(join(directory, 'prefect.yaml'));
    writeFileSync(join(directory, 'boxwright.yaml'), 'name: b');
    const project = readProject(findProjectFile(directory));
    expect(project).toMatchObject({ directory, name: { value: 'b' } });
  });

  it('are refused when they are none, not UTF-8, or too long', () => {
    const path = join(directory, 'boxwright.yaml');
    expect(code(() => readProject(path))).toBe('PROJECT_NOT_FOUND');
    writeFileSync(path, Buffer.from([0x61, 0x3a, 0xff]));
    expect(code(() => readProject(path))).toBe('YAML_SYNTAX');
    writeFileSync(path, Buffer.alloc(5 * 1024 * 1024));
    expect(code(() => readProject(path))).toBe('YAML_TOO_LARGE');
    mkdirSync(join(directory, 'prefect.yaml'));
    expect(code(() => readProject(join(directory, 'prefect.yaml')))).toBe('PROJECT_NOT_FOUND');
  });
});
