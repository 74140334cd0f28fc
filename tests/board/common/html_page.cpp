#include "tests/board/common/html_page.h"

#include <format>

namespace vitrine {
namespace {

constexpr std::string_view commonStyle = R"(
:root { color-scheme: light dark; --text: #1f2328; --grey: #656d76; --line: #d8dee4; --back: #ffffff; --panel: #f6f8fa;
  --ok: #1a7f37; --bad: #cf222e; --unsure: #9a6700; --a: #0969da; --b: #bc4c00; --fill: #ddf4ff; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --grey: #8d96a0; --line: #30363d; --back: #0d1117;
  --panel: #161b22; --ok: #3fb950; --bad: #f85149; --unsure: #d29922; --a: #4493f8; --b: #db6d28; --fill: #121d2f; } }
* { box-sizing: border-box; }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1.5rem; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .4rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
p { margin: .3rem 0 .8rem; max-width: 50rem; }
summary { color: var(--grey); font-size: .87rem; cursor: pointer; }
.note { color: var(--grey); font-size: .87rem; }
table { border-collapse: collapse; margin: .6rem 0 1rem; font-size: .9rem; }
th { text-align: left; font-weight: 600; color: var(--grey); }
th, td { padding: .22rem .9rem .22rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.ok { color: var(--ok); } .bad { color: var(--bad); } .unsure { color: var(--unsure); }
dl.facts { display: grid; grid-template-columns: max-content auto; gap: .1rem 1.2rem; margin: 1rem 0; padding: .8rem 1rem;
  background: var(--panel); border: 1px solid var(--line); border-radius: 6px; font-size: .9rem; }
dl.facts dt { color: var(--grey); } dl.facts dd { margin: 0; overflow-wrap: anywhere; }
svg { display: block; max-width: 100%; height: auto; margin: .4rem 0; }
svg .area { fill: var(--a); fill-opacity: .45; } svg .dot { fill: var(--b); fill-opacity: .7; }
svg .grid { stroke: var(--line); } svg .mark { stroke: var(--text); stroke-width: 1.5; }
svg .dashed { stroke-width: 1; stroke-dasharray: 2 2; }
svg text { fill: var(--grey); font: 11px system-ui, "DejaVu Sans", sans-serif; }
@media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } table, svg { break-inside: avoid; } }
)";

} // namespace

std::string escapeHtml(std::string_view text) {
  std::string result;
  for (const char character : text) {
    switch (character) {
    case '&':
      result += "&amp;";
      break;
    case '<':
      result += "&lt;";
      break;
    case '>':
      result += "&gt;";
      break;
    case '"':
      result += "&quot;";
      break;
    default:
      result += character;
    }
  }
  return result;
}

std::string htmlPage(std::string_view title, std::string_view body, std::string_view style) {
  const std::string heading = escapeHtml(title);
  return std::format("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<title>{}</title>\n<style>{}{}</style>\n</head>\n<body>\n<h1>{}</h1>\n{}</body>\n</html>\n",
                     heading, commonStyle, style, heading, body);
}

} // namespace vitrine
