/** The history: one row per instruction, its size to the right. */
export const historyStyle: string = `
.run{--tone:var(--run)}.copy{--tone:var(--copy)}.meta{--tone:var(--meta)}.other{--tone:var(--other)}
.layers{display:block;border-radius:5px;background:var(--line)}
.layers rect{fill:var(--tone);stroke:var(--page);stroke-width:1}
.layers a:hover rect{opacity:.75}
.legend{display:flex;flex-wrap:wrap;gap:.1rem 1.25rem;margin:.5rem 0 1.25rem;font-size:.85rem;color:var(--quiet)}
.legend i{display:inline-block;width:.7em;height:.7em;border-radius:2px;background:var(--tone);margin-right:.45em}
.history{list-style:none;margin:0;padding:0;background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden}
.history>li{display:grid;grid-template-columns:minmax(0,1fr) 8.5rem;gap:.15rem 1.5rem;padding:.75rem 1.1rem;border-top:1px solid var(--line);box-shadow:inset 3px 0 0 var(--tone)}
.history>li:first-child{border-top:0}
.history>li:target{background:color-mix(in srgb,var(--tone) 9%,transparent)}
.history .what{display:flex;flex-wrap:wrap;align-items:baseline;gap:0 .7rem;grid-column:1}
.kind{font:600 .82rem var(--mono);color:var(--tone)}
.meta .kind{color:var(--quiet)}
.label{font-size:.9rem}
.side{grid-column:2;grid-row:1/3;display:flex;flex-direction:column;align-items:flex-end;gap:.2rem}
.side time{font-size:.8rem;font-variant-numeric:tabular-nums;white-space:nowrap}
.side .same{color:var(--quiet)}
.side .size{font-size:.95rem;font-weight:600;line-height:1.5;font-variant-numeric:tabular-nums}
.side .size.quiet{font-weight:400;font-size:.85rem}
.bar{display:block}
.bar .track{fill:var(--code)}
.bar .fill{fill:var(--tone)}
.history .text{grid-column:1;grid-row:2;min-width:0;font-size:.92rem;line-height:1.55}
.history pre i{font-style:normal;color:var(--quiet)}
.history em{font-style:normal;color:var(--link)}
.br::before{content:"\\a\\20\\20\\20\\20";white-space:pre}
.br{font-weight:inherit}
.text details{margin-top:.25rem;font-size:.85rem;color:var(--quiet)}
.text summary{cursor:pointer;width:fit-content}
.text details dl{margin-top:.3rem;font-size:1em}
.raw{white-space:pre-wrap}
.history>li.base{display:block;box-shadow:none;background:var(--page);font-size:.85rem;color:var(--quiet);padding:.5rem 1.1rem}
@media (max-width:640px){
  .history>li{grid-template-columns:minmax(0,1fr);padding:.7rem .8rem}
  .side{grid-column:1;grid-row:2;display:grid;grid-template-columns:auto minmax(2rem,1fr) auto;align-items:center;gap:.8rem}
  .side time{grid-column:1;grid-row:1}
  .side .bar{grid-column:2;grid-row:1}
  .side .size{grid-column:3;grid-row:1;font-size:.88rem}
  .history .text{grid-row:3}
}
`;
