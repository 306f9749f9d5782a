/** What a placeholder names. */
export type Reference = StepReference | EnvReference | VariableReference | BlockReference | InvalidReference;

/** `{{ build-image.tag }}`: a result of an earlier step, by the step's id or by the result's own name. */
export interface StepReference {
  readonly kind: 'step';
  /** The first segment: a step's id, or a key of some step's result. */
  readonly name: string;
  readonly path: readonly string[];
}

/** `{{ $HOME }}`. */
export interface EnvReference {
  readonly kind: 'env';
  readonly name: string;
}

/** `{{ prefect.variables.NAME }}`. */
export interface VariableReference {
  readonly kind: 'variable';
  readonly name: string;
}

/** `{{ prefect.blocks.TYPE.NAME.path }}`. */
export interface BlockReference {
  readonly kind: 'block';
  /** The slug of the block's type: `docker-registry-credentials`. */
  readonly type: string;
  readonly name: string;
  readonly path: readonly string[];
}

/** A placeholder that names nothing. */
export interface InvalidReference {
  readonly kind: 'invalid';
  readonly reason: string;
}

/**
 * What the text between the braces means; the kind is told by how it begins. Prefect's rules: case counts; all leading `$` are dropped;
 * `prefect.blocks` without a dot after it is a step's name like any other.
 */
export function parseReference(name: string): Reference {
  if (name.startsWith('prefect.blocks.')) return parseBlock(name);
  if (name.startsWith('prefect.variables.')) {
    const variable = name.slice('prefect.variables.'.length);
    return variable === '' ? invalid('no variable is named') : { kind: 'variable', name: variable };
  }
  if (name.startsWith('$')) {
    const variable = name.replace(/^\$+/, '');
    return variable === '' ? invalid('no environment variable is named') : { kind: 'env', name: variable };
  }
  const [first = '', ...path] = parsePath(name);
  return first === '' ? invalid('no step is named') : { kind: 'step', name: first, path };
}

function parseBlock(name: string): Reference {
  const [, , type = '', block = '', ...rest] = name.split('.');
  if (type === '' || block === '') {
    return invalid(
      `Invalid block placeholder format: '{{ ${name} }}'. Expected format: prefect.blocks.<block-type-slug>.<block-document-name>`,
    );
  }
  // A path may begin without a dot: prefect.blocks.json.settings[0]
  const bracket = block.indexOf('[');
  if (bracket === -1) return { kind: 'block', type, name: block, path: parsePath(rest.join('.')) };
  const path = [block.slice(bracket), ...rest].join('.');
  return { kind: 'block', type, name: block.slice(0, bracket), path: parsePath(path).filter((_, index) => index > 0) };
}

function invalid(reason: string): InvalidReference {
  return { kind: 'invalid', reason };
}

/** `a.b[0].c` as `a`, `b`, `0`, `c`: brackets are another way to write dots. */
export function parsePath(path: string): string[] {
  return path === '' ? [] : path.replaceAll('[', '.').replaceAll(']', '').split('.');
}

/** A reference as it would be written, for messages. */
export function referenceText(reference: Reference): string {
  switch (reference.kind) {
    case 'env':
      return `$${reference.name}`;
    case 'variable':
      return `prefect.variables.${reference.name}`;
    case 'block':
      return ['prefect.blocks', reference.type, reference.name, ...reference.path].join('.');
    case 'step':
      return [reference.name, ...reference.path].join('.');
    case 'invalid':
    default:
      return '';
  }
}
