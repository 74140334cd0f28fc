#include "compositor/ctl/status_view.h"

#include <algorithm>
#include <cwchar>
#include <format>
#include <string>

#include <nlohmann/json.hpp>

namespace vitrine {
namespace {

using nlohmann::ordered_json;

/** One code point of valid UTF-8, and how many bytes it has. A wrong byte is taken alone. */
std::pair<char32_t, size_t> codePoint(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  if (length == 1) return {first < 0x80 ? first : 0xfffd, 1};
  if (text.size() < length) return {0xfffd, 1};
  char32_t value = first & (0xffU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) return {0xfffd, 1};
    value = value << 6 | (next & 0x3fU);
  }
  return {value, length};
}

size_t columnsOf(char32_t character) {
  return static_cast<size_t>(std::max(0, wcwidth(static_cast<wchar_t>(character))));
}

size_t columnsOf(std::string_view text) {
  size_t columns = 0;
  while (!text.empty()) {
    const auto [character, length] = codePoint(text);
    columns += columnsOf(character);
    text.remove_prefix(length);
  }
  return columns;
}

/** Lines of cells, each column as wide as its widest cell. */
class Table {
public:
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()));
      for (size_t i = 0; i < row.size(); ++i)
        widths[i] = std::max(widths[i], columnsOf(row[i]));
    }
    std::vector<std::string> lines;
    for (const auto& row : rows_) {
      std::string line;
      for (size_t i = 0; i < row.size(); ++i) {
        line += row[i];
        if (i + 1 < row.size()) line += std::string(widths[i] - columnsOf(row[i]) + 2, ' ');
      }
      lines.push_back(line.substr(0, line.find_last_not_of(' ') + 1));
    }
    return lines;
  }

private:
  std::vector<std::vector<std::string>> rows_;
};

/** A member as text; empty where it is absent or null. The session may be of another version than vitrinectl. */
std::string member(const ordered_json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end() || found->is_null()) return {};
  return printable(found->is_string() ? found->get<std::string>() : found->dump());
}

ordered_json inner(const ordered_json& object, const char* key) {
  return object.is_object() && object.contains(key) ? object[key] : ordered_json();
}

bool isTrue(const ordered_json& object, const char* key) {
  return inner(object, key) == true;
}

double numberIn(const ordered_json& object, const char* key) {
  const ordered_json value = inner(object, key);
  return value.is_number() ? value.get<double>() : 0;
}

std::string modeText(const ordered_json& output) {
  if (!isTrue(output, "on")) return "off";
  const ordered_json mode = inner(output, "mode");
  return std::format("{}x{}@{:.2f}", member(mode, "width"), member(mode, "height"),
                     numberIn(mode, "refresh_millihertz") / 1000);
}

std::string joined(const ordered_json& array, std::string_view between) {
  std::string text;
  for (const ordered_json& each : array)
    text += std::format("{}{}", text.empty() ? "" : between,
                        printable(each.is_string() ? each.get<std::string>() : each.dump()));
  return text;
}

/** Where a window is: WIDTHxHEIGHT+X+Y. */
std::string boxText(const ordered_json& box) {
  if (!box.is_array() || box.size() != 4) return {};
  return std::format("{}x{}+{}+{}", box[2].dump(), box[3].dump(), box[0].dump(), box[1].dump());
}

std::string pathText(const ordered_json& surface) {
  std::string path = member(surface, "path");
  if (path == "plane") path += " " + member(surface, "plane");
  if (isTrue(surface, "underlay")) path += " (underlay)";
  return path;
}

std::string reasonText(const ordered_json& surface) {
  const std::string refusal = member(surface, "refusal");
  return refusal.empty() ? "" : std::format("{}: {}", refusal, member(surface, "reason"));
}

void addSurfaces(Table& table, const ordered_json& window) {
  const ordered_json surfaces = inner(window, "surfaces");
  const std::string name = std::format("{} {}", isTrue(window, "focused") ? '*' : ' ', member(window, "app_id"));
  const std::string title = fitted(member(window, "title"), 40);
  if (!surfaces.is_array() || surfaces.empty()) {
    table.add({name, title, boxText(inner(window, "box")), member(window, "output"),
               isTrue(window, "minimized") ? "minimized" : "not visible", ""});
    return;
  }
  bool first = true;
  for (const ordered_json& surface : surfaces) {
    table.add({first ? name : "", first ? title : "", first ? boxText(inner(window, "box")) : "",
               member(surface, "output"), pathText(surface), reasonText(surface)});
    first = false;
  }
}

void append(std::vector<std::string>& lines, std::vector<std::string> more) {
  if (!lines.empty()) lines.emplace_back();
  lines.insert(lines.end(), more.begin(), more.end());
}

} // namespace

std::string printable(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const auto [character, length] = codePoint(text);
    const bool controls = character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0xfffd ||
                          (character >= 0x202a && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069);
    clean += controls ? "?" : std::string(text.substr(0, length));
    text.remove_prefix(length);
  }
  return clean;
}

std::string fitted(const std::string& text, size_t columns) {
  if (columnsOf(text) <= columns) return text;
  std::string cut;
  size_t used = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const auto [character, length] = codePoint(rest);
    if (used + columnsOf(character) + 1 > columns) break;
    used += columnsOf(character);
    cut += rest.substr(0, length);
    rest.remove_prefix(length);
  }
  return columns > 0 ? cut + "…" : cut;
}

std::vector<std::string> outputLines(const ordered_json& outputs) {
  Table table;
  table.add({"OUTPUT", "MODE", "SCALE", "TRANSFORM", "HDCP", "PLANES"});
  for (const ordered_json& output : outputs) {
    const ordered_json hdcp = inner(output, "hdcp");
    table.add({member(output, "name"), modeText(output), std::format("{:g}", numberIn(output, "scale")),
               member(output, "transform"), std::format("{} ({})", member(hdcp, "state"), member(hdcp, "link")),
               joined(inner(output, "planes"), " ")});
  }
  return table.lines();
}

std::vector<std::string> windowLines(const ordered_json& windows) {
  Table table;
  table.add({"  WINDOW", "TITLE", "BOX", "OUTPUT", "PATH", "WHY NOT A PLANE"});
  for (const ordered_json& window : windows)
    addSurfaces(table, window);
  return table.lines();
}

std::vector<std::string> counterLines(const ordered_json& counters) {
  Table table;
  table.add({"OUTPUT", "FRAMES", "MISSED", "RENDERED", "COMMITS", "FAILED", "TESTS", "FAILED"});
  for (const ordered_json& output : inner(counters, "outputs")) {
    table.add({member(output, "name"), member(output, "frames_presented"), member(output, "frames_missed"),
               member(output, "frames_rendered"), member(output, "atomic_commits"), member(output, "failed_commits"),
               member(output, "test_only_commits"), member(output, "failed_test_only_commits")});
  }
  std::vector<std::string> lines = table.lines();
  const ordered_json buffers = inner(counters, "buffers");
  lines.push_back(std::format("buffers: {} accepted, {} refused, {} protected", member(buffers, "accepted"),
                              member(buffers, "refused"), member(buffers, "protected")));
  return lines;
}

std::vector<std::string> actionLines(const ordered_json& actions) {
  Table table;
  for (const ordered_json& action : actions) {
    std::string bound;
    for (const ordered_json& each : inner(action, "bindings")) {
      const std::string argument = member(each, "argument");
      bound += std::format("{}{}{}{}", bound.empty() ? "" : ", ", member(each, "chord"), argument.empty() ? "" : " = ",
                           argument);
    }
    table.add(
        {std::format("{} {}", member(action, "name"), member(action, "argument")), member(action, "meaning"), bound});
  }
  return table.lines();
}

namespace {

/** Frames a second of each output since `before`. */
std::string rateText(const ordered_json& status, const ordered_json& before, double seconds) {
  const ordered_json outputs = inner(inner(status, "counters"), "outputs");
  const ordered_json earlier = inner(inner(before, "counters"), "outputs");
  std::string text;
  for (const ordered_json& output : outputs) {
    for (const ordered_json& same : earlier) {
      if (member(same, "name") != member(output, "name") || seconds <= 0) continue;
      const double rate = (numberIn(output, "frames_presented") - numberIn(same, "frames_presented")) / seconds;
      text +=
          std::format("{}{} {:.1f} frames/s", text.empty() ? "" : ", ", member(output, "name"), std::max(rate, 0.0));
    }
  }
  return text;
}

} // namespace

std::vector<std::string> statusLines(const ordered_json& status, const ordered_json& before, double seconds) {
  std::vector<std::string> lines{
      std::format("vitrine {}   {}", member(status, "version"), rateText(status, before, seconds))};
  append(lines, outputLines(inner(status, "outputs")));
  append(lines, windowLines(inner(status, "windows")));
  append(lines, counterLines(inner(status, "counters")));
  return lines;
}

} // namespace vitrine
