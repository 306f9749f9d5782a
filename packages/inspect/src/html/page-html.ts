import { createHash } from 'node:crypto';
import type { Language } from '../labels/language.ts';
import type { ImagePage } from '../page/page.ts';
import { bytesSection } from './bytes-section.ts';
import { dockerfileSection, findingsNote, infoSection, secretsNote } from './document-sections.ts';
import { historySection } from './history-section.ts';
import { type Say, sayIn } from './html-words.ts';
import { Html, html } from './markup.ts';
import { overviewSection } from './overview-section.ts';
import type { PageExtras } from './page-extras.ts';
import { pageHeader, pageTitle } from './page-header.ts';
import { pullSection } from './pull-section.ts';
import { type Section, sectionHtml } from './section.ts';
import { pairsSection } from './settings-sections.ts';
import { pageStyle } from './style/index.ts';
import { wasteSection } from './waste-section.ts';

/**
 * The Content-Security-Policy of a page: its one style sheet, and nothing else, whatever the image smuggles in. Pages
 * carry it themselves; a server sends it with them.
 */
export function pageHtmlPolicy(): string {
  const hash = createHash('sha256').update(pageStyle).digest('base64');
  return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
}

/**
 * A page as one HTML file: nothing is loaded, there is no script, light or dark as the reader has it. All text from the
 * image is escaped; only `http:` and `https:` addresses are links. Ends with a newline.
 */
export function pageHtml(page: ImagePage, language: Language, extras: PageExtras = {}): string {
  const say = sayIn(language);
  const sections = pageSections(page, language, extras, say);
  const document = html`<!DOCTYPE html>
<html lang="${language === 'zh' ? 'zh-CN' : 'en'}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${pageHtmlPolicy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="Boxwright">
<title>${pageTitle(page, say)}</title>
<style>${new Html(pageStyle)}</style>
</head>
<body>
<a class="skip" href="#content">${say('skip')}</a>
${pageHeader(page, say)}
<nav aria-label="${say('contents')}"><ul>${sections.map(({ id, title, shortTitle = title }) => html`<li><a href="#${id}">${shortTitle}</a></li>`)}</ul></nav>
<main id="content">
${secretsNote(page, language)}${findingsNote(page, language)}${sections.map(sectionHtml)}</main>
<footer>${say('madeBy')}</footer>
</body>
</html>
`;
  return document.markup;
}

function pageSections(page: ImagePage, language: Language, extras: PageExtras, say: Say): readonly Section[] {
  const { facts } = page;
  const { dockerfile, waste, tree, isLocal = false } = extras;
  const sections = [
    overviewSection(facts, say),
    pullSection(facts, isLocal, language, say),
    bytesSection(page, tree, language, say),
    historySection(page, dockerfile?.base, language, say),
    waste === undefined ? undefined : wasteSection(waste, say),
    pairsSection('environment', 'environment', facts.environment, say),
    pairsSection('labels', 'labels', facts.labels, say),
    dockerfile === undefined ? undefined : dockerfileSection(dockerfile, language, say),
    infoSection(page, language, say),
  ];
  return sections.filter((section) => section !== undefined);
}
