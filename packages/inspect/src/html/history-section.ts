import type { RunInstruction } from '../instructions/instruction.ts';
import type { Language } from '../labels/language.ts';
import type { ImagePage, PageRow } from '../page/page.ts';
import { pageWords } from '../page/page-words.ts';
import { formatSize } from '../size.ts';
import type { Say } from './html-words.ts';
import { instructionMarkup, pairsMarkup } from './instruction-markup.ts';
import { layerBar } from './layer-bar.ts';
import { type Html, html, multiline } from './markup.ts';
import type { PageDockerfile } from './page-extras.ts';
import { rowId, rowTone } from './row-marks.ts';
import { copyable, fact, type Section } from './section.ts';

/** The rows, newest first, each with its instruction, what it does, and a bar for its size. */
export function historySection(page: ImagePage, base: PageDockerfile['base'], language: Language, say: Say): Section {
  const largest = page.history.reduce((most, { size = 0 }) => Math.max(most, size), 0);
  let time: string | undefined;
  const rows = page.history.map((row) => {
    const isSameTime = row.localTime === time;
    time = row.localTime;
    const isBase = base !== undefined && row.entry === base.rows - 1;
    const mark = isBase
      ? html`<li class="base"><span>${say('fromBase')} <code>${base.name}</code></span></li>
`
      : undefined;
    return html`${mark}${rowHtml(row, { largest, isSameTime, language, say })}`;
  });
  return {
    id: 'history',
    title: pageWords[language].history,
    count: `${page.history.length} ${say('entries')}`,
    body: html`<p class="note">${say('historyNote')}${language === 'zh' ? '' : ' '}${say('timesIn')} ${page.timeZone}${language === 'zh' ? '。' : '.'}</p>
${layerBar(page, language, say)}
<ol class="history">
${rows}</ol>`,
  };
}

interface RowView {
  readonly largest: number;
  readonly isSameTime: boolean;
  readonly language: Language;
  readonly say: Say;
}

function rowHtml(row: PageRow, view: RowView): Html {
  const { language, say, isSameTime } = view;
  const words = pageWords[language];
  const { instruction, label } = row;
  const time = row.localTime === undefined ? words.noTime : row.localTime;
  const attribute =
    row.created === undefined || row.localTime === undefined ? undefined : html` datetime="${row.created}"`;
  return html`<li id="${rowId(row)}" class="${rowTone(row)}">
<div class="what"><span class="kind">${instruction?.kind ?? '?'}</span> <span class="label">${label === undefined ? say('noInstruction') : label[language]}</span></div>
<div class="side">${sizeHtml(row, view)}<time${attribute}${isSameTime ? html` class="same"` : undefined}>${time}</time></div>
<div class="text">${row.createdBy.trim() === '' ? undefined : html`<pre><code>${instructionMarkup(row)}</code></pre>`}${rowDetails(row, say)}</div>
</li>
`;
}

/** A row that makes no layer has no size to show. */
function sizeHtml(row: PageRow, { largest, language }: RowView): Html | undefined {
  const { size } = row;
  if (row.layer === undefined && size === 0) return undefined;
  if (size === undefined) return html`<span class="size quiet">${pageWords[language].noSize}</span>`;
  const share = largest > 0 ? Number(((100 * size) / largest).toFixed(2)) : 0;
  return html`<span class="size">${formatSize(size)}</span><svg class="bar" width="100%" height="6" aria-hidden="true"><rect class="track" width="100%" height="6" rx="3"/>${size > 0 ? html`<rect class="fill" width="${Math.max(share, 1)}%" height="6" rx="3"/>` : undefined}</svg>`;
}

/** What few people want to see, behind a click. */
function rowDetails(row: PageRow, say: Say): Html | undefined {
  const { layer } = row;
  const facts = [
    layer === undefined ? undefined : fact(say, 'layer', `#${layer.index + 1}`),
    layer === undefined ? undefined : html`<div><dt>diffID</dt><dd>${copyable(layer.diffId)}</dd></div>`,
    fact(say, 'blob', layer?.digest === undefined ? undefined : copyable(layer.digest)),
    fact(say, 'transfer', transferText(row)),
    fact(say, 'buildArguments', row.instruction?.kind === 'RUN' ? argumentsHtml(row.instruction) : undefined),
    fact(say, 'author', row.author),
    fact(say, 'comment', row.comment),
    fact(say, 'asRecorded', html`<code class="raw">${multiline(row.createdBy)}</code>`),
  ];
  if (layer === undefined && row.instruction?.kind !== 'RUN') return undefined;
  return html`<details><summary>${say('detail')}</summary><dl>${facts}</dl></details>`;
}

function argumentsHtml({ buildArguments }: RunInstruction): Html | undefined {
  return buildArguments.length === 0 ? undefined : html`<code class="raw">${pairsMarkup(buildArguments)}</code>`;
}

function transferText({ layer }: PageRow): string | undefined {
  if (layer?.transferSize === undefined) return undefined;
  const type = layer.mediaType === undefined ? '' : `, ${layer.mediaType}`;
  return `${formatSize(layer.transferSize)}${type}`;
}
