#pragma once

#include <optional>
#include <string_view>

namespace vitrine {

/**
 * The exporter's name in the text of a dma-buf's /proc/self/fdinfo/N, or empty where it has none.
 *
 * The first `exp_name:` line counts. The kernel writes it before `name:`, and a `name` may hold a newline and whatever
 * its setter likes (DMA_BUF_SET_NAME), so a second line is somebody's forgery.
 */
[[nodiscard]] std::optional<std::string_view> exporterNameIn(std::string_view fdinfo);

} // namespace vitrine
