#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "compositor/output/output.h"
#include "compositor/protocols/linux_dmabuf.h"

namespace vitrine {

/**
 * Writes a report of the session as JSON: `display`, `vulkan`, `buffers`, `outputs` with their counts and, per output,
 * `protected_surfaces` with path, refusal and evidence, oldest first. The file is replaced atomically.
 */
[[nodiscard]] Result<> writeStatusReport(const std::filesystem::path& file, const KmsDevice& display,
                                         const Renderer& renderer, const DmabufCounters& buffers,
                                         std::span<const std::unique_ptr<Output>> outputs);

} // namespace vitrine
