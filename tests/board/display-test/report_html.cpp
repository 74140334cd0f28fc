#include <format>

#include "tests/board/common/html_page.h"
#include "tests/board/common/png.h"
#include "tests/board/display-test/report.h"

namespace vitrine::display_test {
namespace {

constexpr std::string_view style = R"(
:root { --ok-back: #dafbe1; --bad-back: #ffebe9; --unsure-back: #eef1f4; }
@media (prefers-color-scheme: dark) { :root { --ok-back: #12261e; --bad-back: #3c1618; --unsure-back: #21262d; } }
.banner { border-radius: 8px; border-left: 8px solid currentColor; padding: 1rem 1.3rem; font-size: 1.3rem; line-height: 1.4;
  font-weight: 600; margin: 1rem 0 .5rem; }
.banner.ok, td.ok, .tag.ok { background: var(--ok-back); } .banner.bad, td.bad, .tag.bad { background: var(--bad-back); }
.banner.none, td.none, .tag.none { background: var(--unsure-back); } .none { color: var(--grey); }
code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .92em; }
.scroll { overflow-x: auto; }
.matrix { width: 100%; border-collapse: separate; border-spacing: 4px; margin-left: -4px; }
.matrix th, .matrix td { padding: .45rem .8rem; border: 0; border-radius: 6px; } .matrix b { display: block; font-size: 1rem; }
.matrix tbody th { color: var(--text); }
details { border: 1px solid var(--line); border-radius: 8px; margin: .4rem 0; }
details > div { padding: 0 1rem .6rem 5rem; }
details summary { display: flex; gap: .8rem; align-items: baseline; padding: .4rem .8rem; color: var(--text); font-size: .93rem; }
summary code { white-space: nowrap; }
summary .why { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
details[open] summary .why { visibility: hidden; }
summary .why, summary .time { color: var(--grey); font-size: .87rem; } summary .time { margin-left: auto; white-space: nowrap; }
.tag { display: inline-block; min-width: 3.2rem; text-align: center; border-radius: 5px; font-weight: 600; font-size: .8rem; }
.seen td { padding: .15rem 1.2rem .15rem .5rem; font: .85rem ui-monospace, "DejaVu Sans Mono", monospace; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; margin: .6rem 0; } .pictures figure { margin: 0; }
.pictures img { display: block; max-width: 20rem; border: 1px solid var(--line); image-rendering: pixelated; }
.pictures figcaption { color: var(--grey); font-size: .85rem; margin-top: .2rem; }
)";

std::string_view classOf(Cell::State state) {
  return state == Cell::State::Works ? "ok" : state == Cell::State::Fails ? "bad" : "none";
}

std::string_view classOf(Verdict verdict) {
  return verdict == Verdict::Pass ? "ok" : verdict == Verdict::Fail ? "bad" : "none";
}

/** Escaped, with what stands in backticks as code. */
std::string prose(std::string_view text) {
  std::string html;
  bool code = false;
  for (const char character : escapeHtml(text)) {
    if (character != '`') {
      html += character;
      continue;
    }
    html += code ? "</code>" : "<code>";
    code = !code;
  }
  return code ? html + "</code>" : html;
}

std::string listOf(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts)
    text += (text.empty() ? "" : ", ") + part;
  return text;
}

std::string matrixHtml(const Report& report) {
  std::string html = "<h2>What works</h2>\n<div class=\"scroll\"><table class=\"matrix\"><thead><tr><th>Heap</th>";
  for (const Group& group : groups())
    html += std::format("<th>{}</th>", escapeHtml(group.title));
  html += "</tr></thead><tbody>\n";
  const Matrix matrix = matrixOf(report);
  for (size_t row = 0; row < matrix.rows.size(); ++row) {
    html +=
        std::format("<tr><th><code>{}</code></th>", matrix.heaps[row].empty() ? "none" : escapeHtml(matrix.heaps[row]));
    for (const Cell& cell : matrix.rows[row]) {
      const std::string_view word = cell.state == Cell::State::Works   ? "yes"
                                    : cell.state == Cell::State::Fails ? "no"
                                                                       : "not tested";
      html += std::format("<td class=\"{}\"><b>{}</b>{}</td>", classOf(cell.state), word, prose(cell.words));
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string factsHtml(const Report& report) {
  const Board& board = report.board;
  const MachineFacts& machine = board.machine;
  std::string html = "<h2>Board</h2>\n<dl class=\"facts\">\n";
  const auto row = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) html += std::format("<dt>{}</dt><dd>{}</dd>\n", name, escapeHtml(value));
  };
  row("Model", machine.model);
  row("Device tree", listOf(machine.compatible));
  row("Kernel", std::format("Linux {} {} {}", machine.kernel, machine.architecture, machine.kernelBuild));
  row("System", board.operatingSystem);
  row("Display", board.displayName.empty() ? "" : board.displayName + " (" + board.card + ")");
  row("Compositor", board.compositor);
  for (const DrmFacts& device : board.drm)
    row("DRM device",
        device.node + ": " + device.driver + (device.connectors.empty() ? "" : "; ") + listOf(device.connectors));
  std::vector<std::string> heaps;
  for (const Heap& heap : board.heaps)
    heaps.push_back(heap.name + " (" + heapClassName(heap.heapClass) + ")");
  row("Heaps", listOf(heaps));
  row("TEE", board.tee.node.empty() ? board.tee.error : board.tee.node + ": " + board.tee.implementation);
  for (const VulkanFacts& gpu : board.gpus)
    row("Vulkan",
        gpu.name + " (" + gpu.driver + ")" + (gpu.protectedMemory ? ", protected memory" : ", no protected memory"));
  return html + "</dl>\n";
}

/** What a closed line says beside its name: why not, or what was seen last, which is what decided. */
std::string gist(const Outcome& outcome) {
  if (outcome.verdict != Verdict::Pass || outcome.seen.empty()) return outcome.reason;
  return outcome.seen.back().what + ": " + outcome.seen.back().value;
}

std::string caseHtml(const CaseResult& result, bool severalHeaps) {
  const Outcome& outcome = result.outcome;
  const bool failed = outcome.verdict == Verdict::Fail;
  std::string html = std::format("<details{}><summary><span class=\"tag {}\">{}</span><code>{}</code>",
                                 failed ? " open" : "", classOf(outcome.verdict), verdictName(outcome.verdict),
                                 escapeHtml(severalHeaps ? result.label() : result.name));
  html += std::format("<span class=\"why\">{}</span>", prose(gist(outcome)));
  if (outcome.verdict != Verdict::Skip) html += std::format("<span class=\"time\">{:.2f} s</span>", result.seconds);
  html += "</summary><div>\n";
  if (failed) html += std::format("<p class=\"bad\"><b>Seen:</b> {}</p>\n", prose(outcome.reason));
  if (const Case* one = findCase(result.name))
    html += std::format("<p><b>Expected:</b> {}</p>\n<p class=\"note\">Source: {}</p>\n", prose(one->proves),
                        prose(one->expectation));
  if (!outcome.seen.empty()) {
    html += "<table class=\"seen\"><tbody>\n";
    for (const Observation& seen : outcome.seen)
      html += std::format("<tr><td>{}</td><td{}>{}</td></tr>\n", escapeHtml(seen.what),
                          seen.wrong ? " class=\"bad\"" : "", escapeHtml(seen.value));
    html += "</tbody></table>\n";
  }
  if (!outcome.pictures.empty()) {
    html += "<div class=\"pictures\">\n";
    for (const Picture& picture : outcome.pictures)
      html += std::format("<figure><img src=\"{}\" alt=\"{}\"><figcaption>{}</figcaption></figure>\n",
                          pngDataUri(picture.png), escapeHtml(picture.title), escapeHtml(picture.title));
    html += "</div>\n";
  }
  return html + "</div></details>\n";
}

std::string groupHtml(const Report& report, const Group& group) {
  std::string cases;
  for (const CaseResult& result : report.results) {
    if (result.name.starts_with(std::string(group.name) + "/"))
      cases += caseHtml(result, report.board.nominated.size() > 1);
  }
  if (cases.empty()) return {};
  return std::format("<h2>{}: {}</h2>\n<p class=\"note\">{}</p>\n", escapeHtml(group.name), escapeHtml(group.title),
                     escapeHtml(group.words)) +
         cases;
}

} // namespace

std::string toHtml(const Report& report) {
  const Summary summary = summaryOf(report);
  const Counts counts = countsOf(report);
  std::string body = std::format("<p class=\"note\">{}</p>\n", escapeHtml(report.started));
  body += std::format("<div class=\"banner {}\">{}</div>\n", classOf(summary.state), prose(summary.sentence));
  body +=
      std::format("<p class=\"note\">{} passed, {} failed, {} skipped{} · vitrine-display-test {}</p>\n", counts.passed,
                  counts.failed, counts.skipped, report.interrupted ? ", interrupted" : "", VITRINE_VERSION);
  body += matrixHtml(report);
  body += factsHtml(report);
  for (const Group& group : groups())
    body += groupHtml(report, group);
  const std::string& model = report.board.machine.model;
  return htmlPage("Protected path of " + (model.empty() ? report.board.hostname : model), body, style);
}

} // namespace vitrine::display_test
