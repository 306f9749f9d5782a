/** The treemap: calm fills, text of the page's colour on all of them. */
export const treemapStyle: string = `
:root{--t0:#c9dbf2;--t1:#c6e6dc;--t2:#f3ddbd;--t3:#e2d5f0;--t4:#f3d0cf;--t5:#d9e4b8;--rest:#e2e2dd}
@media (prefers-color-scheme:dark){:root{--t0:#2c4768;--t1:#22524a;--t2:#5d4522;--t3:#4a3a63;--t4:#603634;--t5:#445022;--rest:#343a42}}
.treemap{display:block}
.treemap.narrow{display:none}
@media (max-width:640px){.treemap.wide{display:none}.treemap.narrow{display:block}}
.treemap .t0{fill:var(--t0)}.treemap .t1{fill:var(--t1)}.treemap .t2{fill:var(--t2)}
.treemap .t3{fill:var(--t3)}.treemap .t4{fill:var(--t4)}.treemap .t5{fill:var(--t5)}
.treemap .run{fill:var(--t0)}.treemap .copy{fill:var(--t1)}.treemap .other{fill:var(--t2)}.treemap .meta,.treemap .rest{fill:var(--rest)}
.treemap .group{fill-opacity:.3;stroke:var(--page);stroke-width:1}
.treemap svg:hover>.leaf{filter:brightness(.94)}
.treemap text{fill:var(--ink);font:12px var(--sans)}
.treemap .size{opacity:.7;font-size:11px}
.treemap text .size{opacity:.65}
`;
