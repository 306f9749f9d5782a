/** Tiles, cards, lists of facts, tables, code. */
export const partsStyle: string = `
code,pre{font-family:var(--mono);font-size:.85em}
pre{margin:0;white-space:pre-wrap}
pre code{font-size:1em}
.pick{user-select:all;-webkit-user-select:all}
.tiles{display:flex;flex-wrap:wrap;gap:1rem 2.5rem;margin-top:1.5rem}
.tiles div{display:flex;flex-direction:column}
.tiles b{font-size:1.3rem;font-weight:600;line-height:1.3;font-variant-numeric:tabular-nums}
.tiles span{font-size:.85rem;color:var(--quiet)}
.tiles small{font-size:1em}
.tiles small::before{content:"· "}
section .tiles{margin:.25rem 0 1.25rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.9rem 1.1rem}
.card+.card{margin-top:.6rem}
.card h3{margin:0 0 .5rem}
.card>summary{cursor:pointer}
.card[open]>summary{margin-bottom:.6rem}
.card>summary .quiet{margin-left:.4em}
dl{margin:0;font-size:.9rem}
dl>div{display:grid;grid-template-columns:8.5rem minmax(0,1fr);gap:0 1rem;padding:.32rem 0;border-top:1px solid var(--line)}
dl>div:first-child{border-top:0}
dt{color:var(--quiet)}
dd{margin:0;min-width:0}
.commands>div{grid-template-columns:6.5rem minmax(0,1fr);align-items:baseline;border:0;padding:.22rem 0}
.commands pre{background:var(--code);border-radius:6px;padding:.4rem .7rem}
.commands code{display:block}
table{width:100%;border-collapse:collapse;background:var(--card);border:1px solid var(--line);border-radius:10px;border-spacing:0;font-size:.9rem}
.numbers,.pairs{border-collapse:separate;overflow:hidden}
th,td{text-align:left;vertical-align:top;padding:.4rem 1.1rem}
th{font-weight:500;color:var(--quiet);font-size:.85rem}
td{border-top:1px solid var(--line)}
.pairs td:first-child{width:32%}
.pairs td{white-space:pre-wrap}
.numbers td:not(:first-child),.numbers th:not(:first-child){text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.document{font-size:.82rem;line-height:1.65}
pre.document:not(.card pre){background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.9rem 1.1rem}
.document em{font-style:normal;color:var(--run)}
.document i{font-style:normal;color:var(--quiet)}
.document.scroll{white-space:pre;overflow-x:auto}
.document q{quotes:none;color:var(--copy)}
.notes{color:var(--quiet);font-size:.9rem;margin:-.25rem 0 1rem;padding-left:1.2rem}
.alert{background:var(--alert);border:1px solid var(--alert-line);border-radius:10px;padding:.9rem 1.1rem;margin-bottom:2rem}
.alert h2{font-size:1rem;margin:0 0 .25rem}
.alert p{margin:0 0 .25rem;font-size:.9rem;color:var(--quiet)}
.alert ul{margin:0;padding-left:1.2rem;font-size:.9rem}
@media (max-width:640px){
  .tiles{gap:.8rem 2rem}
  .tiles b{font-size:1.1rem}
  dl>div,.commands>div{grid-template-columns:minmax(0,1fr)}
  th,td{padding:.4rem .8rem}
  .pairs,.pairs tbody,.pairs tr,.pairs td{display:block}
  .pairs thead{display:none}
  .pairs td:first-child{width:auto;padding-bottom:0;color:var(--quiet)}
  .pairs td+td{border-top:0;padding-top:.1rem}
  .pairs tr:first-child td:first-child{border-top:0}
}
`;
