// The style sheet of report.html: the reader's own fonts, hairlines, two inks; light and dark as
// the reader's system is, and print.
#pragma once

#include "rnx/config.hpp"

namespace rnx::inline RNX_ISA::report::detail {

inline constexpr const char* html_style = R"css(:root {
  color-scheme: light dark;
  --ink: #1a1d21; --soft: #5d6670; --rule: #dde1e6; --paper: #ffffff; --bar: #d5e4f3;
    --wrong: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e7eb; --soft: #9aa3ad; --rule: #30363d; --paper: #15181c; --bar: #24405c;
    --wrong: #ff8a80; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: clamp(1.5rem, 5vw, 3rem) clamp(1.1rem, 4vw, 2rem) 4rem;
  max-width: 64rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial,
    sans-serif; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em;
  overflow-wrap: anywhere; }
h2 { margin: 3.5rem 0 0.4rem; padding-top: 1.2rem; border-top: 1px solid var(--rule);
  font-size: 1.35rem; line-height: 1.3; font-weight: 650; letter-spacing: -0.01em;
  overflow-wrap: anywhere; }
h3 { margin: 2.2rem 0 0.7rem; font-size: 1rem; font-weight: 650; }
p { margin: 0.6rem 0; max-width: 46rem; }
.verdict { margin: 0.9rem 0 1.8rem; font-size: 1.12rem; overflow-wrap: anywhere;
  text-wrap: pretty; }
.note { color: var(--soft); font-size: 0.85rem; overflow-wrap: anywhere; }
code { font: 0.92em ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
  overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 0.9rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: 0.5rem 0 0.5rem 1.4rem; border-bottom: 1px solid var(--rule); text-align: left;
  vertical-align: baseline; }
th:first-child, td:first-child { padding-left: 0; }
thead th { vertical-align: bottom; border-bottom-color: var(--soft); color: var(--soft);
  font-size: 0.8rem; font-weight: 500; line-height: 1.35; }
tbody th { font-weight: 600; overflow-wrap: anywhere; min-width: 8rem; }
small { display: block; color: var(--soft); font-size: 0.8rem; font-weight: 400;
  line-height: 1.35; }
.n { text-align: right; white-space: nowrap; }
.summary { font-size: 1rem; }
.summary th small { max-width: 14rem; margin-left: auto; }
.summary tbody th small { margin-left: 0; }
.summary td b { font-size: 1.3rem; font-weight: 600; letter-spacing: -0.01em; }
figure { margin: 0; }
figcaption { color: var(--soft); font-size: 0.85rem; }
.chart { margin: 1.6rem 0; break-inside: avoid; }
.chart svg { display: block; width: 100%; height: auto; }
.bars svg { min-width: 38rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr));
  gap: 0.5rem 2.5rem; }
.charts .chart { margin: 0.4rem 0; max-width: 34rem; }
.examples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%),
  1fr)); gap: 1.5rem 2rem; }
.examples figure { break-inside: avoid; font-size: 0.85rem; }
.examples figcaption { color: var(--ink); margin-bottom: 0.3rem; }
.triple { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 0.4rem;
  overflow-wrap: anywhere; font-size: 0.8rem; line-height: 1.35; }
.triple img { display: block; width: 100%; height: auto; margin-bottom: 0.25rem;
  image-rendering: pixelated; border-radius: 2px; }
.index { color: var(--soft); }
.differs small { color: var(--wrong); font-weight: 600; }
.wrong { color: var(--wrong); }
.wrong::before { content: "\2717\00A0"; }
.right::before { content: "\2713\00A0"; }
summary { cursor: pointer; font-size: 0.9rem; padding: 0.3rem 0; }
details table { margin-top: 0.6rem; font-size: 0.82rem; }
details th, details td { padding-top: 0.28rem; padding-bottom: 0.28rem; }
.share { background: linear-gradient(to left, var(--bar) var(--share), transparent var(--share));
  padding-left: 2rem; }
.cost code { white-space: nowrap; }
.total td { border-bottom: 0; font-weight: 600; }
.facts { width: auto; }
.facts th { color: var(--soft); font-weight: 500; white-space: nowrap; }
.facts td { overflow-wrap: anywhere; white-space: pre-wrap; }
.facts th, .facts td { padding-top: 0.3rem; padding-bottom: 0.3rem; }
footer { margin-top: 3rem; padding-top: 0.8rem; border-top: 1px solid var(--rule);
  color: var(--soft); font-size: 0.85rem; }
@media print {
  :root { --ink: #000000; --soft: #555555; --rule: #cccccc; --paper: #ffffff; --bar: #e3e3e3;
    --wrong: #b3261e; }
  body { padding: 0; max-width: none; font-size: 10pt; }
  h2, h3 { break-after: avoid; }
  tr { break-inside: avoid; }
  .wide { overflow: visible; }
  .cost { font-size: 7pt; }
  .cost th, .cost td { padding: 0.12rem 0 0.12rem 0.7rem; }
  .examples { grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 1rem 1.2rem; }
  .triple { font-size: 0.66rem; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
)css";

}  // namespace rnx::inline RNX_ISA::report::detail
