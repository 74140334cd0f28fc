#pragma once

#include <optional>
#include <string_view>

namespace vitrine {

/**
 * The exporter's name in the text of a dma-buf's /proc/self/fdinfo/N, or empty if there is none.
 *
 * Only the first `exp_name:` line counts. The kernel writes it before `name:`. Any holder of the fd can set `name` to
 * any text, including newlines (DMA_BUF_SET_NAME), so a second line would be a forgery.
 */
[[nodiscard]] std::optional<std::string_view> exporterNameIn(std::string_view fdinfo);

} // namespace vitrine
