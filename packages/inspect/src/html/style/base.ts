/** Colours, type, and the frame of the page. */
export const baseStyle: string = `
:root{
  color-scheme:light dark;
  --page:#f6f6f3; --card:#fff; --ink:#22272e; --quiet:#626b76; --line:#e3e3de; --code:#f0f0ec;
  --link:#1f5fae; --alert:#fdf3dc; --alert-line:#e5c678;
  --run:#386bb3; --copy:#217a67; --meta:#8b93a0; --other:#966415;
  --sans:system-ui,-apple-system,"Segoe UI",Roboto,"PingFang SC","Hiragino Sans GB","Microsoft YaHei","Noto Sans CJK SC","Noto Sans SC","WenQuanYi Micro Hei",sans-serif;
  --mono:ui-monospace,"SF Mono","Cascadia Mono",Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono","Noto Sans Mono CJK SC","WenQuanYi Micro Hei Mono",monospace;
}
@media (prefers-color-scheme:dark){:root{
  --page:#15181c; --card:#1c2026; --ink:#dfe3e8; --quiet:#98a2ae; --line:#2e343c; --code:#252a31;
  --link:#86b6f0; --alert:#332a14; --alert-line:#6d5722;
  --run:#6d9fe0; --copy:#4fb39c; --meta:#7d8794; --other:#d3a055;
}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;scroll-padding-top:4rem;-webkit-text-size-adjust:100%}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.6 var(--sans);overflow-wrap:anywhere}
header,main,footer,nav ul{max-width:66rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:2.75rem;padding-bottom:1.5rem}
h1{font-size:1.9rem;line-height:1.25;font-weight:650;letter-spacing:-.01em;margin:0}
h2{font-size:1.3rem;line-height:1.3;font-weight:650;margin:0 0 .75rem}
h3{font-size:.95rem;font-weight:650;margin:1.5rem 0 .5rem}
.count{font-size:.85rem;font-weight:400;color:var(--quiet);margin-left:.4em}
.description{max-width:46rem;margin:.6rem 0 0;color:var(--quiet)}
.links{margin:.5rem 0 0;font-size:.9rem;display:flex;flex-wrap:wrap;gap:.1rem 1.25rem}
a{color:var(--link);text-decoration-thickness:1px;text-underline-offset:.18em}
a:not(:hover){text-decoration-color:color-mix(in srgb,currentColor 35%,transparent)}
:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:3px}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:1rem;background:var(--card);padding:.4rem .8rem;z-index:3}
nav{position:sticky;top:0;z-index:2;background:var(--page);border-bottom:1px solid var(--line)}
nav ul{list-style:none;display:flex;gap:.25rem 1.5rem;overflow-x:auto;white-space:nowrap;scrollbar-width:none}
nav a{display:block;padding:.6rem 0;font-size:.9rem;color:var(--quiet);text-decoration:none}
nav a:hover{color:var(--ink)}
main{padding-top:2rem;padding-bottom:1rem}
section{margin-bottom:3.25rem}
footer{padding-top:1.25rem;padding-bottom:2.5rem;color:var(--quiet);font-size:.85rem}
.note{color:var(--quiet);font-size:.9rem;margin:-.4rem 0 1rem;max-width:50rem}
.quiet{color:var(--quiet)}
@media (max-width:640px){
  header,main,footer,nav ul{padding-left:1rem;padding-right:1rem}
  header{padding-top:1.75rem}
  h1{font-size:1.45rem}
}
@media print{nav,.skip{display:none}body{background:#fff}}
`;
