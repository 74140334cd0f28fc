#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "protected-path/base/refusal.h"
#include "protected-path/heap/consumer.h"
#include "protected-path/heap/heap_table.h"

namespace vitrine {

/** One heap of this machine. */
struct Heap {
  std::string name;           ///< `protected,secure-video`; the comma is literal
  std::filesystem::path node; ///< `/dev/dma_heap/protected,secure-video`
  HeapClass heapClass = HeapClass::Unknown;
  Refusal refusal = Refusal::None; ///< HeapNoPermission where the node may not be opened
  int openErrno = 0;               ///< errno of that open, or 0
  /** What its buffers showed when one was taken; empty: not tried (HeapKnowledge). */
  std::optional<Evidence> evidence;
  HeapMemory memory = HeapMemory::Unknown;
  std::vector<ConsumerAnswer> answers{}; ///< of consumers that were asked about its buffers (HeapKnowledge)
  std::optional<uint64_t> poolBytes{};   ///< what it holds in all; empty: not known
  std::optional<uint64_t> fullAtBytes{}; ///< it had no room for so many bytes the last time (HeapKnowledge)
};

/**
 * Which heaps there are. An absent directory is an empty catalogue, not an error: kernels without CONFIG_DMABUF_HEAPS.
 * `directory` is /dev/dma_heap but in tests.
 */
[[nodiscard]] std::vector<Heap> listHeaps(const HeapTable& table,
                                          const std::filesystem::path& directory = "/dev/dma_heap");

} // namespace vitrine
