import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '@boxwright/testing';
import { expect, it } from 'vitest';
import { projectOf } from '../testing/project-of.ts';
import { mayRunCommands } from './may-run-commands.ts';

it.each([
  ['{dockerfile: Copies}', false],
  ['{dockerfile: Runs}', true],
  ['{}', true],
  ['{dockerfile: auto}', true],
  ['{dockerfile: "{{ $FILE }}"}', true],
])('%s: %s', (inputs, expected) => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'Copies'), 'FROM scratch\nCOPY . /\n# RUN x\n');
  writeFileSync(join(directory, 'Runs'), 'FROM scratch\n  run true\n');
  const project = projectOf(`build: {build_docker_image: ${inputs}}`, directory);
  expect(mayRunCommands(project, { names: [], all: false })).toBe(expected);
});
