import { dockerfileText } from '../dockerfile/dockerfile-text.ts';
import type { ReconstructedDockerfile } from '../dockerfile/model.ts';
import type { Localized } from '../labels/language.ts';
import type { PageDockerfile } from './page-extras.ts';

/** A reconstructed Dockerfile for a page. `title`: as for {@link dockerfileText}. */
export function pageDockerfile(dockerfile: ReconstructedDockerfile, title: string): PageDockerfile {
  const { base } = dockerfile;
  const isKnown = base.kind === 'known' || base.kind === 'claimed';
  return {
    text: dockerfileText(dockerfile, { title }),
    notes: notesOf(dockerfile),
    ...(isKnown && base.rows > 0 ? { base: { name: base.name, rows: base.rows } } : {}),
  };
}

function notesOf({ base, steps, buildLabels }: ReconstructedDockerfile): Localized[] {
  const lost = steps.filter(({ losses }) => losses.length > 0).length;
  const notes: Localized[] = [
    {
      zh: '根据构建历史和镜像配置还原，与原文件不一定相同。',
      en: 'Read out of the history and the config; the original may have said it in other words.',
    },
  ];
  if (base.kind === 'unknown') {
    notes.push({
      zh: `基础镜像未知：已比较的 ${base.candidates} 个镜像都不是。`,
      en: `The base is not known: none of ${count(base.candidates, 'image')} that were compared has its layers.`,
    });
  } else if (base.kind === 'claimed') {
    notes.push({
      zh: '基础镜像名称来自镜像自身的标注，未经各层比对。',
      en: 'The image names its base itself; their layers were not compared.',
    });
  }
  if (lost > 0) {
    notes.push({
      zh: `有 ${lost} 处信息无法还原，已用 “lost” 注释标出。`,
      en: `What is lost, at ${count(lost, 'instruction')}, is said in comments with “lost”.`,
    });
  }
  if (buildLabels.length > 0) {
    notes.push({
      zh: `有 ${buildLabels.length} 个标签不是由指令设置的，而是在构建时添加的。`,
      en: `Given when it was built, by no instruction: ${count(buildLabels.length, 'label')}.`,
    });
  }
  return notes;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
