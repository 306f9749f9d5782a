import { parseDockerfile } from '@boxwright/dockerfile';
import { BoxwrightError } from '@boxwright/errors';
import { checkText, flag } from './dockerfile-text.ts';
import { instructionError } from './instruction-error.ts';

/** More of a FROM. */
export interface FromOptions {
  /** Name of the stage. */
  readonly as?: string;
  /** `linux/arm64`, `$BUILDPLATFORM`. */
  readonly platform?: string;
}

/** `FROM --platform=$BUILDPLATFORM golang:1.25 AS build`. @throws BoxwrightError INSTRUCTION_INVALID */
export function fromLine(image: string, options: FromOptions = {}): string {
  checkText('FROM', image);
  if (image === '' || /[\s"'\\]/u.test(image) || image.startsWith('-')) {
    throw instructionError('FROM', image, 'it is no image name', 'Name an image, a stage before this one, or scratch.');
  }
  const flags = options.platform === undefined ? [] : [flag('FROM', 'platform', options.platform)];
  const name = options.as === undefined ? [] : ['AS', options.as];
  const line = ['FROM', ...flags, image, ...name].join(' ');
  if (options.as !== undefined) checkText('FROM', options.as);
  try {
    const { stages } = parseDockerfile(`${line}\n`);
    if (stages.length === 1 && stages[0]?.from.image === image && stages[0].from.as === options.as) return line;
  } catch (error) {
    if (!(error instanceof BoxwrightError)) throw error;
    throw instructionError('FROM', options.as ?? image, error.message, error.hint, error);
  }
  throw instructionError('FROM', image, 'it would be read as something else');
}
