import { escapeForTerminal } from '@boxwright/errors';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLError,
} from 'yaml';
import { LocatedError } from './located-error.ts';
import { type MappingEntry, mappingNode, scalarNode, sequenceNode, type YamlNode } from './node.ts';
import { maxDepth } from './plain-value.ts';
import { createSource, lineText, positionAt, rangeAt, type Source, type SourceRange } from './source.ts';

/** A larger file is refused. */
export const maxYamlSize: number = 1024 * 1024;
/** As many nodes as a file may come to, with each alias counted as often as it is used: what stops "billion laughs". */
const maxNodes = 100_000;
/** Keys are shown in messages and compared with each other: nobody writes longer ones. */
const maxKeyLength = 1024;

/** The tags of YAML 1.2's core schema (chapter 10.3): the only ones that may be written. */
const coreTags = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
);

/**
 * Reads one YAML 1.2 document with the core schema, keeping where everything is written. Merge keys (`<<`), which YAML 1.1 had, are known
 * too, as project files of that time use them. Duplicate keys, tabs as indentation, tags other than those of the core schema,
 * anchors that hold themselves, aliases that multiply, and more than one document are refused.
 *
 * @returns the tree, or undefined when there is nothing but comments.
 * @throws LocatedError `YAML_SYNTAX` for text that is no such YAML, `YAML_TOO_LARGE` beyond a limit.
 */
export function parseYaml(text: string, file: string): YamlNode | undefined {
  const source = createSource(file, text);
  if (text.length > maxYamlSize) {
    throw new LocatedError('YAML_TOO_LARGE', rangeAt(source, 0), `the file has more than ${maxYamlSize} characters`);
  }
  const control = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.exec(text);
  if (control) throw syntaxError(rangeAt(source, control.index, control.index + 1), 'a control character');
  const document = parse(source);
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault) throw yamlError(source, fault);
  if (document.directives?.yaml.explicit && document.directives.yaml.version !== '1.2') {
    throw syntaxError(rangeAt(source, 0), 'this is YAML 1.2; another version is asked for', 'Remove the %YAML line.');
  }
  return document.contents === null ? undefined : new Converter(source).convert(document.contents, 0);
}

function parse(source: Source): Document.Parsed {
  try {
    return parseDocument(source.text, {
      version: '1.2',
      stringKeys: true,
      // The library compares every key with every other one; we look them up.
      uniqueKeys: false,
      prettyErrors: false,
      resolveKnownTags: false,
      // With 'silent', a second document would not be told.
      logLevel: 'error',
    });
  } catch (cause) {
    // A stack that overflowed: only nesting does that.
    throw new LocatedError('YAML_TOO_LARGE', rangeAt(source, 0), 'the file is nested too deeply', { cause });
  }
}

/** Makes our tree from the library's, in the order of the text: an alias means the nearest anchor of its name before it. */
class Converter {
  readonly #source: Source;
  readonly #anchors = new Map<string, YamlNode | 'open'>();

  constructor(source: Source) {
    this.#source = source;
  }

  convert(node: Node | null, depth: number, nowhere: number = 0): YamlNode {
    const range = this.#range(node, nowhere);
    if (depth > maxDepth) {
      throw new LocatedError('YAML_TOO_LARGE', range, `more than ${maxDepth} levels of lists and mappings`);
    }
    if (node === null) return scalarNode(null, range, { text: '', plain: true });
    if (isAlias(node)) return this.#alias(node.source, range);
    const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, 'open');
    this.#checkTag(node, range);
    const made = this.#content(node, depth, range);
    if (made.size > maxNodes) {
      throw new LocatedError('YAML_TOO_LARGE', range, `more than ${maxNodes} values, aliases counted each time`);
    }
    if (anchor !== undefined) this.#anchors.set(anchor, made);
    return made;
  }

  #content(node: Node, depth: number, range: SourceRange): YamlNode {
    if (isMap<Node, Node | null>(node)) return mappingNode(this.#entries(node.items, depth), range);
    // `as`: without errors in the document, the items of a sequence are nodes; an empty one may be null.
    if (isSeq(node))
      return sequenceNode(
        node.items.map((item) => this.convert(item as Node | null, depth + 1)),
        range,
      );
    if (isScalar(node)) return this.#scalar(node, range);
    throw syntaxError(range, 'not text, number, list or mapping');
  }

  #scalar(node: Scalar, range: SourceRange): YamlNode {
    const { value, source } = node;
    const plain = node.type === 'PLAIN' || node.type === undefined;
    const text = source ?? '';
    if (value === null || typeof value === 'string' || typeof value === 'boolean') {
      return scalarNode(value, range, { text: typeof value === 'string' ? value : text, plain });
    }
    if (typeof value === 'number') {
      // Digits that a number cannot keep (a commit id such as 12345678901234567890, 1e999) are text that happens to look like one.
      const exact = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
      return scalarNode(exact ? value : text, range, { text, plain });
    }
    throw syntaxError(range, 'not text, number, list or mapping');
  }

  #alias(name: string, range: SourceRange): YamlNode {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      throw syntaxError(
        range,
        `there is no anchor &${name} before this alias`,
        'An anchor is defined above its aliases.',
      );
    }
    if (target === 'open') throw syntaxError(range, `the alias *${name} is inside of what it stands for`);
    return target;
  }

  #entries(pairs: readonly Pair<Node, Node | null>[], depth: number): MappingEntry[] {
    const own = new Map<string, MappingEntry>();
    const merged = new Map<string, MappingEntry>();
    for (const pair of pairs) {
      const key = this.#key(pair.key);
      const { text, range } = key;
      if (text === '<<' && key.plain) {
        this.#merge(this.convert(pair.value, depth + 1), merged);
        continue;
      }
      const first = own.get(text);
      if (first) {
        throw syntaxError(range, `the key ${text} is there twice; the first is in line ${first.keyRange.start.line}`);
      }
      const after = pair.key.range?.[1] ?? 0;
      own.set(text, { key: text, keyRange: range, value: this.convert(pair.value, depth + 1, after) });
    }
    // A key of its own counts more than one from a merge, which comes first, as it does in the text.
    for (const key of own.keys()) merged.delete(key);
    return [...merged.values(), ...own.values()];
  }

  #key(node: Node): { readonly text: string; readonly plain: boolean; readonly range: SourceRange } {
    const range = this.#range(node, 0);
    if (!isScalar(node) || typeof node.value !== 'string') throw syntaxError(range, 'a key must be text');
    if (node.value.length > maxKeyLength) throw syntaxError(range, `a key of more than ${maxKeyLength} characters`);
    this.#checkTag(node, range);
    if (node.anchor !== undefined) {
      this.#anchors.set(node.anchor, scalarNode(node.value, range, { text: node.value, plain: false }));
    }
    return { text: node.value, plain: node.type === 'PLAIN', range };
  }

  /** `<<: *anchor` or `<<: [*one, *two]`: of two sources that have a key, the first one counts (yaml.org/type/merge). */
  #merge(node: YamlNode, into: Map<string, MappingEntry>): void {
    const sources = node.kind === 'sequence' ? node.items : [node];
    for (const source of sources) {
      if (source.kind !== 'mapping') throw syntaxError(node.range, 'only mappings can be merged with <<');
      for (const [key, entry] of source.entries) if (!into.has(key)) into.set(key, entry);
    }
  }

  #checkTag(node: Node, range: SourceRange): void {
    const { tag } = node as { readonly tag?: string | undefined }; // `as`: all kinds of nodes that are no aliases have it
    if (tag === undefined || coreTags.has(tag)) return;
    throw syntaxError(range, `the tag ${tag} is not known`, 'Project files need no tags (words that begin with !).');
  }

  #range(node: Node | null, nowhere: number): SourceRange {
    return node?.range ? rangeAt(this.#source, node.range[0], node.range[1]) : rangeAt(this.#source, nowhere);
  }
}

function syntaxError(range: SourceRange, reason: string, hint?: string): LocatedError {
  return new LocatedError('YAML_SYNTAX', range, reason, { hint });
}

/** An error of the library, in our words where people meet it. */
function yamlError(source: Source, error: YAMLError): LocatedError {
  const range = rangeAt(source, error.pos[0], error.pos[1]);
  if (error.code === 'RESOURCE_EXHAUSTION') {
    return new LocatedError('YAML_TOO_LARGE', range, 'the file is nested too deeply', { cause: error });
  }
  return new LocatedError('YAML_SYNTAX', range, reasonOf(error), { hint: hintFor(source, error), cause: error });
}

function reasonOf({ code, message }: YAMLError): string {
  if (code === 'TAB_AS_INDENT') return 'a tab where blanks must be';
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here; one file is one document';
  if (code === 'TAG_RESOLVE_FAILED') return `a tag that is not known or does not fit: ${message}`;
  if (code === 'NON_STRING_KEY') return 'a key must be text';
  return message.replace(/"quote$/, 'quote');
}

function hintFor(source: Source, error: YAMLError): string | undefined {
  const line = lineText(source, positionAt(source, error.pos[0]).line);
  if (error.code === 'TAB_AS_INDENT') return 'YAML is indented with blanks: replace the tab.';
  if (error.code === 'MULTIPLE_DOCS') return 'Remove the line with ---.';
  if (/(?:^|[:\-[,]\s+|\s)\{\{/.test(line) && !/["']\s*\{\{/.test(line)) {
    const placeholder = /\{\{[^}]*\}\}/.exec(line)?.[0] ?? '{{ … }}';
    return `Put quotes around a value that begins with a placeholder: "${escapeForTerminal(placeholder)}".`;
  }
  if (error.code === 'BLOCK_AS_IMPLICIT_KEY') return 'Text that holds ": " needs quotes.';
  return undefined;
}
