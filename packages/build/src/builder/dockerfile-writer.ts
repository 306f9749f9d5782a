import { assertHasLine, assertLineAbsent, assertLineBefore } from './assertions.ts';
import {
  type CommandText,
  cmdLine,
  entrypointLine,
  type HealthcheckOptions,
  healthcheckLine,
  type RunOptions,
  runLine,
  shellLine,
} from './instructions/command-lines.ts';
import { type CopyFromOptions, copyLine } from './instructions/copy-lines.ts';
import type { DockerfileText } from './instructions/dockerfile-text.ts';
import { type FromOptions, fromLine } from './instructions/from-line.ts';
import {
  argLine,
  envLine,
  exposeLine,
  type KeyValues,
  labelLine,
  stopSignalLine,
  userLine,
  volumeLine,
  workdirLine,
} from './instructions/settings-lines.ts';

/**
 * A Dockerfile line by line. The typed methods write one instruction each and cannot write an invalid one: values mean
 * exactly their characters, quoted as they must be (`expand('…$PATH')` lets the build replace variables), and what no
 * instruction can hold is refused. {@link addLine} takes anything.
 *
 * All typed methods throw BoxwrightError INSTRUCTION_INVALID and return the writer.
 */
export class DockerfileWriter {
  readonly #lines: string[] = [];

  /** The lines so far; one that was added with line breaks in it is one entry. */
  get dockerfileLines(): readonly string[] {
    return this.#lines;
  }

  /** The text of the Dockerfile. */
  get dockerfile(): string {
    return this.#lines.map((line) => `${line}\n`).join('');
  }

  /** Adds text as it is: nothing is checked before the build. */
  addLine(line: string): this {
    this.#lines.push(line);
    return this;
  }

  /** Adds several. */
  addLines(lines: Iterable<string>): this {
    // A string is iterable too, character by character.
    for (const line of typeof lines === 'string' ? [lines] : lines) this.addLine(line);
    return this;
  }

  /** FROM: starts another stage. */
  from(image: string, options?: FromOptions): this {
    return this.addLine(fromLine(image, options));
  }

  /** RUN: a list of arguments, or a script for the shell (several lines become a heredoc; begin those with `set -e`). */
  run(command: CommandText, options?: RunOptions): this {
    return this.addLine(runLine(command, options));
  }

  /** ENV: `env({ PORT: '80' })` or `env('PORT', '80')`. */
  env(values: KeyValues): this;
  env(name: string, value: DockerfileText): this;
  env(values: KeyValues | string, value: DockerfileText = ''): this {
    return this.addLine(envLine(typeof values === 'string' ? [[values, value]] : values));
  }

  /** LABEL: `label({ team: 'data' })` or `label('team', 'data')`. */
  label(values: KeyValues): this;
  label(name: string, value: DockerfileText): this;
  label(values: KeyValues | string, value: DockerfileText = ''): this {
    return this.addLine(labelLine(typeof values === 'string' ? [[values, value]] : values));
  }

  /** ARG, with its default if there is one. */
  arg(name: string, value?: DockerfileText): this {
    return this.addLine(argLine(name, value));
  }

  workdir(path: DockerfileText): this {
    return this.addLine(workdirLine(path));
  }

  /** USER: `user('app')`, `user('app:staff')`, `user(1000, 1000)`. */
  user(user: DockerfileText | number, group?: DockerfileText | number): this {
    return this.addLine(userLine(user, group));
  }

  entrypoint(command: CommandText): this {
    return this.addLine(entrypointLine(command));
  }

  cmd(command: CommandText): this {
    return this.addLine(cmdLine(command));
  }

  /** EXPOSE: `expose(8080, '53/udp', '8000-8010')`. */
  expose(...ports: readonly (number | string)[]): this {
    return this.addLine(exposeLine(ports));
  }

  volume(...paths: readonly DockerfileText[]): this {
    return this.addLine(volumeLine(paths));
  }

  stopSignal(signal: NodeJS.Signals | number): this {
    return this.addLine(stopSignalLine(signal));
  }

  /** SHELL: what runs the shell form of RUN, CMD and ENTRYPOINT. */
  shell(command: readonly string[]): this {
    return this.addLine(shellLine(command));
  }

  /** HEALTHCHECK; null means NONE. */
  healthcheck(command: CommandText | null, options?: HealthcheckOptions): this {
    return this.addLine(healthcheckLine(command, options));
  }

  /** COPY --from: files of another stage, an image or a named context. */
  copyFrom(
    from: string,
    sources: string | readonly string[],
    destination: DockerfileText,
    options: Omit<CopyFromOptions, 'from'> = {},
  ): this {
    const list = typeof sources === 'string' ? [sources] : sources;
    return this.addLine(copyLine(list, destination, { ...options, from }));
  }

  /** @throws DockerfileAssertionError unless the line is there, as a whole; case and blanks count */
  assertHasLine(line: string): void {
    assertHasLine(this.#lines, line);
  }

  /** @throws DockerfileAssertionError */
  assertLineAbsent(line: string): void {
    assertLineAbsent(this.#lines, line);
  }

  /** @throws DockerfileAssertionError unless both are there, the first one first */
  assertLineBefore(first: string, second: string): void {
    assertLineBefore(this.#lines, first, second);
  }

  /** The same in other words. @throws DockerfileAssertionError */
  assertLineAfter(second: string, first: string): void {
    assertLineBefore(this.#lines, first, second);
  }
}
