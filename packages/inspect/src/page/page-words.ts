import type { Language, Localized } from '../labels/language.ts';
import type { PageFinding } from './page.ts';

/** Words of a page that are not in the image. The two headings in Chinese are those of the mirror sites' pages. */
export interface PageWords {
  readonly history: string;
  readonly info: string;
  readonly findings: string;
  readonly secrets: string;
  /** Behind {@link secrets} when they are not shown. */
  readonly secretsRedacted: string;
  /** In place of a time that is not recorded. */
  readonly noTime: string;
  /** In place of the size of a layer that has not been read. */
  readonly noSize: string;
  /** In place of members of the info that belong to a host. */
  readonly hostSpecific: string;
}

/** The words in each language. */
export const pageWords: Readonly<Record<Language, PageWords>> = {
  zh: {
    history: '镜像构建历史',
    info: '镜像信息',
    findings: '注意',
    secrets: '可能泄露的机密',
    secretsRedacted: '（已显示为 ******；--show-secrets 显示原文）',
    noTime: '时间未记录',
    noSize: '大小未知',
    hostSpecific: '（与主机有关，不属于镜像）',
  },
  en: {
    history: 'Build history',
    info: 'Image information',
    findings: 'Note',
    secrets: 'Possible secrets',
    secretsRedacted: ' (shown as ******; --show-secrets shows them)',
    noTime: 'time not recorded',
    noSize: 'size unknown',
    hostSpecific: '(depends on the host, not on the image)',
  },
};

/** A finding in words. */
export function findingText(finding: PageFinding): Localized {
  switch (finding.code) {
    case 'no-history':
      return {
        zh: '镜像配置中没有构建历史，只列出各层。',
        en: 'The config has no history; the layers are listed without instructions.',
      };
    case 'layers-without-row':
      return {
        zh: `构建历史缺少记录：有 ${finding.count} 个层没有对应的构建指令（${layerList(finding.layers, '、')}）。`,
        en: `History entries are missing: ${finding.count} layers have none (${layerList(finding.layers, ', ')}).`,
      };
    case 'rows-without-layer':
      return {
        zh: `构建历史有多余的记录：有 ${finding.count} 条记录找不到对应的层，按 0 计。`,
        en: `There are too many history entries: ${finding.count} that should have a layer have none, and count 0.`,
      };
    case 'layer-counts-differ':
    default:
      return {
        zh: `清单有 ${finding.manifest} 个层，而镜像配置有 ${finding.config} 个层：镜像不完整或已损坏。`,
        en: `The manifest has ${finding.manifest} layers, the config ${finding.config}: no engine takes such an image.`,
      };
  }
}

/** Layers are counted from 1 for people. Long lists are cut. */
function layerList(layers: readonly number[], separator: string): string {
  const shown = layers.slice(0, 10).map((index) => `#${index + 1}`);
  return [...shown, ...(layers.length > shown.length ? ['…'] : [])].join(separator);
}
