import { escapeForTerminal } from '@boxwright/errors';
import { formatSize } from '../size.ts';
import { fileLines } from './file-lines.ts';
import type { DiffedImage, ImageDiff, PackageDifference, RowDifference, SettingDifference } from './model.ts';

/** How a diff is printed. */
export interface DiffTextOptions {
  /** Lines of files at most. */
  readonly fileLines: number;
}

/**
 * A diff as text, parts without differences left out: `-` only the first image has it, `+` only the second, `~` both have
 * it and it is not the same. Escaped; no newline at the end.
 */
export function diffText(diff: ImageDiff, options: DiffTextOptions): string {
  return [
    `--- ${imageLine(diff.before)}`,
    `+++ ${imageLine(diff.after)}`,
    verdict(diff),
    ...section('Platforms', diff.platforms.map(platformLine)),
    ...section('Settings', diff.settings.map(settingLine)),
    ...section(historyTitle(diff), diff.history.rows.flatMap(rowLines)),
    ...section('Layers', layerLines(diff)),
    ...section('Packages', [...(diff.packages?.list ?? []).map(packageLine), ...unreadLines(diff)]),
    ...filesSection(diff, options.fileLines),
  ].join('\n');
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

function imageLine({ name, platform, digest, size }: DiffedImage): string {
  const parts = [name, platform, digest, ...(size === undefined ? [] : [formatSize(size)])];
  return parts.map(escapeForTerminal).join('  ');
}

function verdict({ same, platforms }: ImageDiff): string {
  if (same === 'none') return 'The images differ.';
  const others = platforms.length > 0 ? '; other platforms differ' : '';
  return same === 'manifest'
    ? `The images are the same, byte for byte${others}.`
    : `The images are the same (one config, one set of files)${others}; the manifest or the packing of layers differs.`;
}

function platformLine({ platform, before, after }: ImageDiff['platforms'][number]): string {
  const digests = [before, after].filter((digest) => digest !== undefined).join(' -> ');
  return `  ${sign(before, after)} ${escapeForTerminal(platform)}  ${digests}`;
}

function sign(before: unknown, after: unknown): string {
  return before === undefined ? '+' : after === undefined ? '-' : '~';
}

function settingLine({ field, name, before, after }: SettingDifference): string {
  const subject = [field, ...(name === undefined ? [] : [name])].map(escapeForTerminal).join(' ');
  const values = [before, after]
    .filter((value) => value !== undefined && value !== '')
    .map((value) => escapeForTerminal(value ?? ''));
  const both = before !== undefined && after !== undefined;
  const shown = both ? `${escapeForTerminal(before) || '""'} -> ${escapeForTerminal(after) || '""'}` : values.join('');
  return `  ${sign(before, after)} ${subject}${shown === '' ? '' : `: ${shown}`}`;
}

function historyTitle({ history }: ImageDiff): string {
  const times = history.otherTimes > 0 ? `, ${history.otherTimes} of them at another time` : '';
  return `History (${history.equal} rows are the same${times})`;
}

function rowLines({ change, before, after }: RowDifference): string[] {
  const row = after ?? before;
  if (row === undefined) return [];
  const mark = { added: '+', removed: '-', rebuilt: '~' }[change];
  const sizes = [before, after].flatMap((one) => (one?.size === undefined ? [] : [formatSize(one.size)]));
  const note =
    change === 'rebuilt' ? `another layer${sizes.length === 2 ? `: ${sizes.join(' -> ')}` : ''}` : sizes.join('');
  return [`  ${mark} ${escapeForTerminal(row.text)}${note === '' ? '' : `  [${note}]`}`];
}

function layerLines({ layers, before, after }: ImageDiff): string[] {
  if (layers.onlyBefore.length + layers.onlyAfter.length === 0 && layers.sharedBase === before.layers) return [];
  const sizes = (list: ImageDiff['layers']['onlyBefore']): string => {
    const known = list.flatMap(({ size }) => (size === undefined ? [] : [size]));
    return known.length === list.length && known.length > 0 ? ` (${formatSize(known.reduce((a, b) => a + b))})` : '';
  };
  return [
    `    ${layers.sharedBase} in common from the base on, ${layers.shared} in all`,
    `  - ${layers.onlyBefore.length} of ${before.layers}${sizes(layers.onlyBefore)}`,
    `  + ${layers.onlyAfter.length} of ${after.layers}${sizes(layers.onlyAfter)}`,
    ...(before.size === undefined || after.size === undefined ? [] : [`    size ${change(before.size, after.size)}`]),
    `    compressed ${change(before.transferSize, after.transferSize)}`,
  ];
}

function change(before: number, after: number): string {
  const difference = after - before;
  return `${formatSize(before)} -> ${formatSize(after)} (${difference < 0 ? '-' : '+'}${formatSize(Math.abs(difference))})`;
}

function packageLine({ manager, name, before, after }: PackageDifference): string {
  const versions = [before, after].map((list) => list.map(escapeForTerminal).join(', ')).filter((list) => list !== '');
  const mark = sign(before[0], after[0]);
  return `  ${mark} ${manager} ${escapeForTerminal(name)} ${versions.join(' -> ')}`;
}

function unreadLines({ packages }: ImageDiff): string[] {
  return (packages?.unread ?? []).map(({ manager, reason, count }) => {
    switch (reason) {
      case 'format':
        return `  ? the ${manager} databases differ; they are not read`;
      case 'limit':
        return `  ? ${manager}: ${count} files were not read, there are too many or they are too large`;
      case 'invalid':
      default:
        return `  ? ${manager}: ${count} files are not what they should be`;
    }
  });
}

function filesSection({ files, same }: ImageDiff, limit: number): string[] {
  if (files === undefined) return ['', 'Files and packages were not compared.'];
  if (same !== 'none') return [];
  const { added, removed, changed, onlyTimes, bytesBefore, bytesAfter } = files;
  const times = onlyTimes > 0 ? `; ${onlyTimes} differ in their time alone` : '';
  const total = added + removed + changed;
  if (total === 0) return ['', `Files: the same${times}`];
  const bytes = bytesBefore === bytesAfter ? '' : `, ${change(bytesBefore, bytesAfter)}`;
  return [
    '',
    `Files: ${added} added, ${removed} removed, ${changed} changed${bytes}${times}`,
    ...fileLines(files, limit),
  ];
}
