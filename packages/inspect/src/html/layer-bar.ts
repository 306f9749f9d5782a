import type { Language } from '../labels/language.ts';
import type { ImagePage } from '../page/page.ts';
import { formatSize } from '../size.ts';
import type { Say } from './html-words.ts';
import { type Html, html } from './markup.ts';
import { type RowTone, rowId, rowTone, shortText } from './row-marks.ts';

/** Layers below this share of the image would be less than a pixel: they are not drawn. */
const leastShare = 0.001;

/** All layers in one bar, oldest first, each as wide as its share; undefined where sizes are not known. */
export function layerBar({ history, facts }: ImagePage, language: Language, say: Say): Html | undefined {
  const total = facts.size ?? 0;
  if (total === 0) return undefined;
  let before = 0;
  const parts = [...history].reverse().flatMap((row) => {
    const share = (row.size ?? 0) / total;
    const x = before;
    before += share;
    if (share < leastShare) return [];
    return [
      html`<a href="#${rowId(row)}"><rect class="${rowTone(row)}" x="${percent(x)}" width="${percent(share)}" height="100%"><title>${shortText(row, language)} (${formatSize(row.size ?? 0)})</title></rect></a>`,
    ];
  });
  return html`<svg class="layers" role="img" aria-label="${say('layerBar')}" width="100%" height="22">${parts}</svg>
<p class="legend">${legend(say)}</p>`;
}

function legend(say: Say): readonly Html[] {
  const tones: readonly (readonly [RowTone, string])[] = [
    ['run', say('runTone')],
    ['copy', say('copyTone')],
    ['meta', say('settings')],
    ['other', say('otherTone')],
  ];
  return tones.map(([tone, text]) => html`<span class="${tone}"><i></i>${text}</span> `);
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(3))}%`;
}
