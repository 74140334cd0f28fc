#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protected-path/base/refusal.h"
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
};

/**
 * What heaps showed when buffers were taken from them. Kept per device node, and forgotten when the node changes: another
 * driver may stand behind the same name.
 */
class HeapKnowledge {
public:
  /** `evidence` of a buffer that `heap` just gave. */
  void learn(const Heap& heap, Evidence evidence);
  /** Sets Heap::evidence of the heaps that are known. */
  void recall(std::span<Heap> heaps) const;

private:
  /** What differs between two nodes of one name: st_dev, st_ino, st_rdev, st_ctim. */
  using NodeIdentity = std::array<uint64_t, 5>;
  struct Learned {
    NodeIdentity node;
    Evidence evidence;
  };
  static std::optional<NodeIdentity> identify(const std::filesystem::path& node);
  std::map<std::filesystem::path, Learned> learned_;
};

/**
 * Which heaps there are. An absent directory is an empty catalogue, not an error: kernels without CONFIG_DMABUF_HEAPS.
 * `directory` is /dev/dma_heap but in tests.
 */
[[nodiscard]] std::vector<Heap> listHeaps(const HeapTable& table,
                                          const std::filesystem::path& directory = "/dev/dma_heap");

} // namespace vitrine
