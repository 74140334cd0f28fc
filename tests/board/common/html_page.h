#pragma once

#include <string>
#include <string_view>

namespace vitrine {

/** `text` with &, <, > and quotes written so that HTML shows them. For every string that comes from a driver or firmware. */
[[nodiscard]] std::string escapeHtml(std::string_view text);

/**
 * A whole HTML file that needs no other: the style that Vitrine's reports share (light and dark, prints well), a heading and
 * `body`, which is HTML. Classes: `ok`, `bad`, `unsure` (colours of verdicts), `number` (right-aligned cells), `note`
 * (small and grey), `facts` (a definition list in two columns); in SVG `area` and `dot` (what is plotted), `grid`, `mark`, `dashed`.
 * `style` is CSS of the report's own, after the common one.
 */
[[nodiscard]] std::string htmlPage(std::string_view title, std::string_view body, std::string_view style = {});

} // namespace vitrine
