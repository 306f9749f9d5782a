import type { VariablesPlace } from '@boxwright/deploy';
import { escapeForTerminal, UsageError } from '@boxwright/errors';

/**
 * `NAME` of a variable.
 *
 * @throws UsageError for what no placeholder can name
 */
export function parseVariableName(text: string): VariablesPlace {
  if (/^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u.test(text)) return { kind: 'variable', name: text };
  throw new UsageError(`'${escapeForTerminal(text)}' cannot be the name of a variable`, {
    hint: 'Names have letters, digits, _ . and -.',
  });
}

/**
 * `TYPE/NAME` of a block.
 *
 * @throws UsageError for what no placeholder can name
 */
export function parseBlockName(text: string): VariablesPlace {
  const [, type, name] = /^([\p{L}\p{N}_-]+)\/([\p{L}\p{N}_-]+)$/u.exec(text) ?? [];
  if (type !== undefined && name !== undefined) return { kind: 'block', type, name };
  throw new UsageError(`'${escapeForTerminal(text)}' is not the name of a block`, {
    hint: 'Write TYPE/NAME, for example docker-registry-credentials/dev-registry.',
  });
}

/** What a place is called in messages. */
export function placeText(place: VariablesPlace): string {
  return place.kind === 'variable' ? `variable ${place.name}` : `block ${place.type}/${place.name}`;
}
