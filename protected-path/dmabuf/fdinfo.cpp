#include "protected-path/dmabuf/fdinfo.h"

namespace vitrine {

std::optional<std::string_view> exporterNameIn(std::string_view fdinfo) {
  constexpr std::string_view key = "exp_name:\t";
  constexpr std::string_view untrusted = "name:\t";
  while (!fdinfo.empty()) {
    const size_t end = fdinfo.find('\n');
    if (end == std::string_view::npos) return std::nullopt; // truncated
    const std::string_view line = fdinfo.substr(0, end);
    if (line.starts_with(key)) return line.substr(key.size());
    if (line.starts_with(untrusted)) return std::nullopt;
    fdinfo.remove_prefix(end + 1);
  }
  return std::nullopt;
}

} // namespace vitrine
