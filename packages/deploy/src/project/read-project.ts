import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { BoxwrightError } from '@boxwright/errors';
import {
  LocatedError,
  type LocatedWarning,
  mappingNode,
  maxYamlSize,
  parseYaml,
  type YamlNode,
} from '../yaml/index.ts';
import { createSource, rangeAt } from '../yaml/source.ts';
import { checkFields } from './check-fields.ts';
import { projectFields } from './fields.ts';
import type { Project } from './project.ts';
import { readDeployment, readSection, readText } from './read-deployment.ts';
import { findSurprises } from './yaml-warnings.ts';

/** Names of project files, in the order in which they are looked for. */
export const projectFileNames: readonly string[] = ['boxwright.yaml', 'boxwright.yml', 'prefect.yaml', 'prefect.yml'];

/** As many deployments may be in one file. */
const maxDeployments = 10_000;

/** Where a project's text comes from. */
export interface ParseProjectOptions {
  /** Name for messages. */
  readonly file: string;
  /** Where its steps begin: absolute. */
  readonly directory: string;
}

/**
 * The project file of a directory: the first of {@link projectFileNames}.
 *
 * @throws BoxwrightError `PROJECT_NOT_FOUND`
 */
export function findProjectFile(directory: string): string {
  for (const name of projectFileNames) if (existsSync(join(directory, name))) return join(directory, name);
  throw new BoxwrightError('PROJECT_NOT_FOUND', `there is no project file in ${directory}`, {
    hint: `Write a ${projectFileNames[0]}, or name another file with --file.`,
  });
}

/**
 * Reads a project file.
 *
 * @param path of the file; relative ones start at the process's directory
 * @throws BoxwrightError `PROJECT_NOT_FOUND` where there is no regular file of that name; and what {@link parseProject} throws
 */
export function readProject(path: string): Project {
  return parseProject(readTextFile(path), { file: path, directory: dirname(resolve(path)) });
}

/**
 * Reads the text of a project file: `boxwright.yaml`, or `prefect.yaml` as Prefect has it. Values are checked, but not resolved.
 *
 * @throws LocatedError `YAML_SYNTAX`, `YAML_TOO_LARGE`, `PROJECT_INVALID` or `STEP_INVALID`.
 */
export function parseProject(text: string, options: ParseProjectOptions): Project {
  const { file, directory } = options;
  const nothing = mappingNode([], rangeAt(createSource(file, text), 0));
  const node = parseYaml(text, file) ?? nothing;
  if (node.kind !== 'mapping') {
    throw new LocatedError('PROJECT_INVALID', node.range, 'a project file is a mapping: build, push, deployments', {
      hint: 'docs/prefect.md has examples.',
    });
  }
  const warnings: LocatedWarning[] = [];
  checkFields(node, projectFields, 'a project file', warnings);
  const sections = {
    build: readSection(node, 'build', 'project', warnings),
    push: readSection(node, 'push', 'project', warnings),
    pull: readSection(node, 'pull', 'project', warnings),
  };
  const deployments = listOf(node.entries.get('deployments')?.value).map((item, index) =>
    readDeployment(item, index, sections, warnings),
  );
  warnings.push(...findSurprises(node));
  return {
    file,
    directory,
    name: readText(node, 'name'),
    prefectVersion: readText(node, 'prefect-version'),
    ...sections,
    deployments,
    warnings: warnings.sort((a, b) => a.range.start.line - b.range.start.line),
  };
}

function listOf(node: YamlNode | undefined): readonly YamlNode[] {
  if (node?.kind !== 'sequence') return [];
  if (node.items.length > maxDeployments) {
    throw new LocatedError('PROJECT_INVALID', node.range, `more than ${maxDeployments} deployments`);
  }
  return node.items;
}

/** The text of a regular file of bounded size, in UTF-8. */
function readTextFile(path: string): string {
  let descriptor: number;
  try {
    // Not blocking: a named pipe must not be waited for.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (!missing) throw cause;
    throw new BoxwrightError('PROJECT_NOT_FOUND', `there is no project file ${path}`, {
      hint: 'Name it with --file.',
      cause,
    });
  }
  try {
    const facts = fstatSync(descriptor);
    if (!facts.isFile())
      throw new BoxwrightError('PROJECT_NOT_FOUND', `the project file ${path} is not a regular file`);
    if (facts.size > 4 * maxYamlSize) {
      throw new BoxwrightError('YAML_TOO_LARGE', `the project file ${path} has ${facts.size} bytes`);
    }
    return decode(readFileSync(descriptor), path);
  } finally {
    closeSync(descriptor);
  }
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new BoxwrightError('YAML_SYNTAX', `the project file ${path} is not UTF-8`, { cause });
  }
}
