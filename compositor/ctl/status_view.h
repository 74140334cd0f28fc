#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace vitrine {

/** A text that a terminal can show: control characters, which a window's title may have, are replaced by `?`. */
[[nodiscard]] std::string printable(std::string_view text);
/** `text` cut to this many columns of a terminal, with `…` where something is missing. Needs a UTF-8 locale. */
[[nodiscard]] std::string fitted(const std::string& text, size_t columns);

// What replies of the control socket look like to a person. Each returns lines without ends.

[[nodiscard]] std::vector<std::string> outputLines(const nlohmann::ordered_json& outputs);
[[nodiscard]] std::vector<std::string> windowLines(const nlohmann::ordered_json& windows);
[[nodiscard]] std::vector<std::string> counterLines(const nlohmann::ordered_json& counters);
[[nodiscard]] std::vector<std::string> actionLines(const nlohmann::ordered_json& actions);
/** The lines of `vitrinectl watch`. `before` and `seconds`: the status that long ago, for rates; null: none yet. */
[[nodiscard]] std::vector<std::string> statusLines(const nlohmann::ordered_json& status,
                                                   const nlohmann::ordered_json& before, double seconds);

} // namespace vitrine
