import { escapeForTerminal } from '@boxwright/errors';
import { collapseBlanks } from '../instructions/index.ts';
import type { DockerfileBase, DockerfileStep, Loss, ReconstructedDockerfile } from './model.ts';
import { quoteValue } from './quote.ts';

/** How {@link dockerfileText} speaks of the image. */
export interface DockerfileTextOptions {
  /** Name, digest and platform of the image, for the first line. */
  readonly title: string;
}

/**
 * The Dockerfile as a file. What is not known stands in comments that begin with `lost:`. Comments hold nothing that
 * could end them or steer a terminal; the first line is one, so that nothing from the image becomes a parser directive.
 */
export function dockerfileText(dockerfile: ReconstructedDockerfile, { title }: DockerfileTextOptions): string {
  const { base, steps, buildLabels } = dockerfile;
  const lines = [comment(`Dockerfile of ${title}, as far as its history and config tell.`)];
  if (steps.some(({ losses }) => losses.length > 0)) lines.push(comment('What they do not tell is marked "lost".'));
  lines.push('', ...baseComments(base), `FROM ${base.name}`);
  let previous: DockerfileStep | undefined;
  for (const step of steps) {
    if (isApart(previous, step)) lines.push('');
    lines.push(...step.losses.map((loss) => comment(`lost: ${lossText(loss)}`)));
    if (step.text !== '') lines.push(step.text);
    previous = step;
  }
  if (buildLabels.length > 0) {
    lines.push('', comment('Labels that no instruction gives; they were set when it was built:'));
    for (const { name, value = '' } of buildLabels) {
      lines.push(comment(`  --label ${quoteValue(name)}=${quoteValue(value)}`));
    }
  }
  return `${lines.join('\n')}\n`;
}

/** What is lost, in a sentence. */
export function lossText({ kind, detail = '' }: Loss): string {
  switch (kind) {
    case 'copy-from':
      return detail === '' ? '--from of this COPY, another stage or image' : `what --from=${detail} is`;
    case 'copy-sources':
      return `what was copied; the row has only ${detail}`;
    case 'inline-content':
      return `the content of <<${detail}`;
    case 'run-script':
      return `the script of this RUN, which was ${detail}`;
    case 'words':
      return 'where one word ends and the next begins: taken apart at each blank';
    case 'row':
      return `an instruction, if it was one: ${detail}`;
    case 'layer':
      return 'how this layer was made: no row speaks of it';
    case 'trigger':
      return `nothing; an ONBUILD of the base does this again: ${detail}`;
    case 'unexplained':
      return 'where it was set: no row says so';
    default:
      return kind satisfies never;
  }
}

function baseComments(base: DockerfileBase): string[] {
  const { kind, layers, rows, nearest, candidates } = base;
  const parts = `${count(layers, 'layer')} and ${count(rows, 'row')}`;
  const compared = `none of the ${count(candidates, 'image')} that were compared has its layers`;
  const comments: string[] = [];
  if (kind === 'known') {
    comments.push(`The base: ${count(layers, 'layer')}.`);
    const others = base.otherNames.slice(0, 5);
    if (others.length > 0) comments.push(`The same layers: ${others.join(', ')}.`);
  } else if (kind === 'claimed') {
    comments.push(`The image names this base. Its ${parts} are a guess: ${compared}.`);
  } else if (kind === 'unknown') {
    comments.push(`lost: the base; ${compared}. Guessed that ${parts} are the base's.`);
  }
  if (nearest !== undefined) comments.push(`${nearest.name} begins with the same ${count(nearest.layers, 'layer')}.`);
  return comments.map(comment);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** One line, whatever the text. */
function comment(text: string): string {
  const line = escapeForTerminal(text.includes('\n') ? collapseBlanks(text) : text);
  return `# ${line.length > 500 ? `${line.slice(0, 499)}…` : line}`.trimEnd();
}

/** A blank line before what has several lines or comments, and where one kind of instruction follows another. */
function isApart(previous: DockerfileStep | undefined, step: DockerfileStep): boolean {
  if (previous === undefined) return true;
  const isLong = ({ text, losses }: DockerfileStep): boolean => text.includes('\n') || losses.length > 0;
  return previous.kind !== step.kind || isLong(previous) || isLong(step);
}
