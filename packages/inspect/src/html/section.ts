import type { HtmlWord, Say } from './html-words.ts';
import { type Html, type HtmlPart, html } from './markup.ts';

/** A part of the page with a heading, to which the contents lead. */
export interface Section {
  /** Of the element; unique in the page. */
  readonly id: string;
  readonly title: string;
  /** In the contents; default: the title. */
  readonly shortTitle?: string;
  /** Beside the title, quietly. */
  readonly count?: string;
  readonly body: Html;
}

/** A section as an element. */
export function sectionHtml({ id, title, count, body }: Section): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}${count === undefined ? undefined : html` <span class="count">${count}</span>`}</h2>
${body}
</section>
`;
}

/** A line of a list of facts; nothing when there is no value. */
export function fact(say: Say, word: HtmlWord, value: HtmlPart): Html | undefined {
  const isEmpty = value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
  return isEmpty
    ? undefined
    : html`<div><dt>${say(word)}</dt><dd>${value}</dd></div>
`;
}

/** Texts below each other. */
export function stacked(parts: readonly HtmlPart[]): Html | undefined {
  if (parts.length === 0) return undefined;
  return html`${parts.map((part) => html`<div>${part}</div>`)}`;
}

/** Text that one click selects as a whole, so that it can be copied without a script. */
export function copyable(text: HtmlPart): Html {
  return html`<code class="pick">${text}</code>`;
}
