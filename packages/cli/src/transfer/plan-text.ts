import { escapeForTerminal } from '@boxwright/errors';
import { formatSizeProgress, formatTable } from '@boxwright/inspect';
import type { CopyPlan, PlannedAction, PlannedPart } from '@boxwright/oci';

const actions: Readonly<Record<PlannedAction, string>> = {
  exists: 'already there',
  mount: 'would be mounted',
  upload: 'would be uploaded',
  absent: 'left out',
};

/** What a transfer would do, for people: a line per part, then the sums. */
export function planText(plan: CopyPlan, source: string, destination: string): string {
  const rows = plan.parts.map((part) => [part.role, shownDigest(part), shownSize(part), actions[part.action]]);
  const lines = [`${source} to ${destination}${policyText(plan)}`, sums(plan)].map(escapeForTerminal);
  return `${lines[0]}\n${formatTable(['PART', 'DIGEST', 'SIZE', 'ACTION'], rows)}${lines[1]}\n`;
}

/** As much of a digest as `images` shows; what has yet to be compressed has none. */
function shownDigest({ digest, sourceDigest }: PlannedPart): string {
  const hex = (digest ?? sourceDigest).split(':')[1] ?? '';
  return `${hex.slice(0, 12)}${digest === undefined ? ' (before compression)' : ''}`;
}

function shownSize({ digest, bytes }: PlannedPart): string {
  return `${digest === undefined ? '< ' : ''}${formatSizeProgress(bytes)}`;
}

function policyText({ policy, platforms }: CopyPlan): string {
  return policy === 'whole' ? '' : ` (policy ${policy}: ${(platforms ?? []).join(', ')})`;
}

function sums({ totals, parts, upToDate }: CopyPlan): string {
  if (upToDate) return 'up to date: nothing would be written';
  const unknown = parts.some(({ digest, action }) => digest === undefined && action === 'upload');
  const sum = (action: PlannedAction, text: string): string[] => {
    const { parts: count, bytes } = totals[action];
    return count === 0 ? [] : [`${count} ${text} (${formatSizeProgress(bytes)})`];
  };
  return [
    ...sum('upload', unknown ? 'would be uploaded, compressed' : 'would be uploaded'),
    ...sum('mount', 'would be mounted'),
    ...sum('exists', 'already there'),
    ...sum('absent', 'left out'),
  ].join(', ');
}
