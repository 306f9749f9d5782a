import { readFileSync, writeFileSync } from 'node:fs';
import { schemaErrors } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { stepDefinitions } from '../steps/step-registry.ts';
import { parseYaml, plainValue } from '../yaml/index.ts';
import { parseProject } from './read-project.ts';
import { examples } from './testing/examples.ts';
import { projectSchema } from './testing/project-schema.ts';

const file = new URL('../../../../docs/schema/boxwright.schema.json', import.meta.url);
const made = projectSchema(stepDefinitions);
// After a change: BOXWRIGHT_UPDATE_SCHEMA=1 vitest run packages/deploy/src/project/schema.test.ts
if (process.env['BOXWRIGHT_UPDATE_SCHEMA']) writeFileSync(file, `${JSON.stringify(made, undefined, 2)}\n`);
const published: unknown = JSON.parse(readFileSync(file, 'utf8'));

function errorsOf(text: string): string[] {
  const node = parseYaml(text, 'boxwright.yaml');
  return schemaErrors(published, node === undefined ? {} : plainValue(node));
}

describe('docs/schema/boxwright.schema.json', () => {
  it('is what the tables of the reader come to', () => {
    expect(published).toEqual(JSON.parse(JSON.stringify(made)));
  });

  it.each([...examples])('takes the example: %s', (_, text) => {
    expect(errorsOf(text)).toEqual([]);
    expect(parseProject(text, { file: 'prefect.yaml', directory: '/' }).warnings).toEqual([]);
  });

  it.each([
    ['an unknown key', 'pusch: []'],
    ['an unknown key of a deployment', 'deployments: [{entrypiont: a}]'],
    ['two names in one step', 'build: [{a: {}, b: {}}]'],
    ['a step that is text', 'build: [prefect.deployments.steps.git_clone]'],
    ['inputs that are text', 'build: [{git_clone: x}]'],
    ['an unknown input', 'push: [{prefect_docker.deployments.steps.push_docker_image: {image: a}}]'],
    ['an input of another type', 'build: [{build_docker_image: {image_name: a, ignore_cache: maybe}}]'],
    ['a pool that is text', 'deployments: [{work_pool: a}]'],
  ])('refuses %s', (_, text) => {
    expect(errorsOf(text)).not.toEqual([]);
  });
});
